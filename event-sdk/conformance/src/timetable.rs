//! `Rig` with schedules: schedules, cancels and lists the messages of a case, with deadlines.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::failure::{Failure, Outcome, ensure_eq, within};
use super::fixture::Fixture;
use super::rig::{Draft, Rig};
use event_sdk_core::stream::StreamSpec;
use event_sdk_core::transport::{
    CancelRequest, Cancellation, Error, ErrorKind, Outcome as Done, ScheduleRequest, Scheduled,
    ScheduledMessage, TransportExt as _,
};

/// A time in so many milliseconds; a negative number is in the past.
pub(super) fn in_millis(millis: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_millis(millis)
}

/// A time that no case lives to see.
pub(super) fn far() -> Timestamp {
    in_millis(3_600_000)
}

impl Fixture {
    /// A transport with one stream that allows schedules.
    pub(super) async fn timed_rig(&self) -> Outcome<Rig> {
        self.rig_with(StreamSpec::schedules).await
    }
}

impl Rig {
    /// A request to publish `draft` at a time; its message id and expectations are not used.
    pub(super) fn request(&self, key: &str, draft: Draft, at: Timestamp) -> ScheduleRequest {
        let (stream, key) = (self.stream.clone(), key.to_owned());
        let mut request = ScheduleRequest::new(stream, key, draft.subject, at, draft.body);
        request.headers = draft.headers;
        request
    }

    pub(super) async fn try_schedule(
        &self,
        request: ScheduleRequest,
    ) -> Outcome<Result<Scheduled, Error>> {
        let answer = self.transport.schedule_message(request);
        within(self.patience(), "the answer to a schedule", answer).await
    }

    /// Schedules a numbered message; whether it replaced another one.
    pub(super) async fn schedule(
        &self,
        key: &str,
        relative: &str,
        number: u64,
        at: Timestamp,
    ) -> Outcome<bool> {
        let request = self.request(key, self.draft(relative, number)?, at);
        Ok(self.try_schedule(request).await??.replaced)
    }

    /// Schedules what has to be refused, without any effect.
    pub(super) async fn schedule_refused(
        &self,
        request: ScheduleRequest,
        why: &str,
        kind: &ErrorKind,
    ) -> Outcome {
        match self.try_schedule(request).await? {
            Ok(_) => Err(Failure::new(format!("{why} was scheduled"))),
            Err(error) => {
                ensure_eq!(error.kind(), kind, "the kind of {error}, about {why}");
                ensure_eq!(error.outcome(), Done::NotDone, "the outcome in {error}");
                Ok(())
            }
        }
    }

    pub(super) async fn try_cancel(&self, key: &str) -> Outcome<Result<Cancellation, Error>> {
        let subjects = self.pattern(">")?;
        let request = CancelRequest::new(self.stream.clone(), key.to_owned(), subjects);
        let answer = self.transport.cancel_schedule(request);
        within(self.patience(), "the answer to a cancellation", answer).await
    }

    pub(super) async fn cancel(&self, key: &str) -> Outcome<Cancellation> {
        Ok(self.try_cancel(key).await??)
    }

    /// Cancels a schedule and expects this answer.
    pub(super) async fn cancels(
        &self,
        key: &str,
        wanted: Cancellation,
        what: impl fmt::Display,
    ) -> Outcome {
        ensure_eq!(self.cancel(key).await?, wanted, "cancelling {what}");
        Ok(())
    }

    pub(super) async fn try_list_schedules(
        &self,
        prefix: &str,
    ) -> Outcome<Result<Vec<ScheduledMessage>, Error>> {
        let answer = self.transport.list_schedules(&self.stream, prefix);
        within(self.patience(), "a list of schedules", answer).await
    }

    /// The keys of the schedules that wait.
    pub(super) async fn scheduled(&self, prefix: &str) -> Outcome<Vec<String>> {
        let listed = self.try_list_schedules(prefix).await??;
        Ok(listed.iter().map(|one| one.key.to_string()).collect())
    }
}
