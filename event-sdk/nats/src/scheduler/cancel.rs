//! Cancels a schedule: deletes it, and finds out whether it was firing.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::layout::Layout;
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::history::read_newest;
use crate::message_admin::delete_at;
use crate::streams::{self, Found, Which};
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{Cancellation, Deletion, Error, ErrorKind, Operation};

/// How many of the newest messages are searched for one that a schedule has fired.
const LOOK_BACK: usize = 1_000;

/// How long a message is waited for that may be firing: the server takes it and stores it in two
/// steps, in a cluster with a round trip between them.
const FIRING: Duration = Duration::from_secs(2);

/// How often it is looked for meanwhile.
const LOOKING: Duration = Duration::from_millis(50);

/// What became of a schedule that was to be removed.
pub(super) enum Withdrawn {
    InTime,
    TooLate,
    /// It is not there any more: it was replaced, cancelled or fired.
    Changed,
}

/// Cancels the schedule of a key, whose message has one of `subjects`.
pub(super) async fn cancel(
    context: &Arc<NatsContext>,
    layout: &Layout,
    key: &str,
    subjects: &Pattern,
) -> Result<Cancellation, Error> {
    let about = ErrorContext::new(Operation::Schedule).stream(layout.stream.clone());
    let subject = layout.subject(key);
    let begun = Instant::now();
    let time = context.options().request_timeout;
    loop {
        let which = Which::LastOf(&subject);
        let found = streams::message(context, &about, &layout.stream, &which).await?;
        let due = found.and_then(|found| Some((found.due()?, found)));
        let Some((at, found)) = due else {
            let fired = Fired::by(subject, subjects.as_str(), 0);
            let fired = fired.is_stored(context, &about, layout).await?;
            return Ok(if fired {
                Cancellation::TooLate
            } else {
                Cancellation::Unknown
            });
        };
        match withdraw(context, &about, layout, &found, at).await? {
            Withdrawn::InTime => return Ok(Cancellation::InTime),
            Withdrawn::TooLate => return Ok(Cancellation::TooLate),
            Withdrawn::Changed if begun.elapsed() < time => {}
            Withdrawn::Changed => {
                return Err(about.error(
                    ErrorKind::Timeout,
                    "other writers keep changing the schedule of this key; try again",
                ));
            }
        }
    }
}

/// Deletes a stored schedule, which is due at `at`.
pub(super) async fn withdraw(
    context: &Arc<NatsContext>,
    about: &ErrorContext,
    layout: &Layout,
    found: &Found,
    at: Timestamp,
) -> Result<Withdrawn, Error> {
    let stream = &layout.stream;
    if !delete_at(context, about, stream, found.sequence, Deletion::Remove).await? {
        return Ok(Withdrawn::Changed);
    }
    // From here on it is deleted, so that an error cannot say how that ended.
    let withdrawn = withdrawn(context, about, layout, found, at).await;
    withdrawn.map_err(Error::with_unknown_outcome)
}

/// Whether a schedule that was deleted could fire no more.
async fn withdrawn(
    context: &Arc<NatsContext>,
    about: &ErrorContext,
    layout: &Layout,
    found: &Found,
    at: Timestamp,
) -> Result<Withdrawn, Error> {
    let info = streams::info(context, about, &layout.stream).await?;
    if info.time.is_some_and(|now| now < at) {
        // It was deleted before the server could take it.
        return Ok(Withdrawn::InTime);
    }
    let Some(schedule) = &found.schedule else {
        return Ok(Withdrawn::InTime);
    };
    let fired = Fired::by(found.subject.clone(), &schedule.target, found.sequence);
    let begun = Instant::now();
    loop {
        if fired.is_stored(context, about, layout).await? {
            return Ok(Withdrawn::TooLate);
        }
        if begun.elapsed() >= FIRING {
            return Ok(Withdrawn::InTime);
        }
        tokio::time::sleep(LOOKING).await;
    }
}

/// A message that a schedule has fired.
struct Fired<'a> {
    /// The subject of the schedule.
    schedule: String,
    /// The subjects that the message may have.
    targets: &'a str,
    /// Its sequence is higher.
    after: u64,
}

impl<'a> Fired<'a> {
    fn by(schedule: String, targets: &'a str, after: u64) -> Self {
        Self {
            schedule,
            targets,
            after,
        }
    }

    /// Whether it is among the newest messages of its subjects.
    async fn is_stored(
        &self,
        context: &Arc<NatsContext>,
        about: &ErrorContext,
        layout: &Layout,
    ) -> Result<bool, Error> {
        let mut stored = false;
        let mut looked = 0;
        let look = |found: Found| {
            if found.sequence <= self.after {
                return ControlFlow::Break(());
            }
            looked += 1;
            stored = found.scheduler.as_deref() == Some(&*self.schedule);
            if stored || looked == LOOK_BACK {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        read_newest(context, about, &layout.stream, self.targets, look).await?;
        Ok(stored)
    }
}
