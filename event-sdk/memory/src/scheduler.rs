//! The ability `Scheduler` of the memory transport: keeps messages until their time, and stores them
//! on the first access after it.

use super::MemoryTransport;
use super::deferred_actions::DeferredActions;
use super::phase::Phase;
use super::schedules::{Schedules, Waiting};
use super::state::State;
use super::stream::MemoryStream;
use event_sdk_core::stream::Limits;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    CancelRequest, Cancellation, Completion, Error, ErrorKind, Operation, ScheduleRequest,
    Scheduled, ScheduledMessage, Scheduler,
};

impl Scheduler for MemoryTransport {
    fn schedule(&self, request: ScheduleRequest) -> Completion<Result<Scheduled, Error>> {
        Completion::ready(self.schedule_now(request))
    }

    fn cancel(&self, request: CancelRequest) -> Completion<Result<Cancellation, Error>> {
        Completion::ready(self.cancel_now(&request).map_err(|error| {
            let error = error.at_stream(request.stream.clone());
            error.at_subject(&request.key)
        }))
    }

    fn list(&self, stream: &str, prefix: &str) -> Completion<Result<Vec<ScheduledMessage>, Error>> {
        let listed = self.stream(stream, Operation::Schedule).and_then(|stream| {
            CancelRequest::check_prefix(prefix)?;
            stream.list_schedules(self.phase(), prefix)
        });
        Completion::ready(listed.map_err(|error| error.at_stream(Text::copy_of(stream))))
    }
}

impl MemoryTransport {
    fn schedule_now(&self, request: ScheduleRequest) -> Result<Scheduled, Error> {
        let (stream, subject) = (request.stream.clone(), request.subject.clone());
        let scheduled = self
            .stream(&stream, Operation::Schedule)
            .and_then(|stream| {
                request.check()?;
                self.check_hand_over(&request.body, Operation::Schedule)?;
                let max_payload = self.0.capabilities.max_payload();
                stream.schedule(self.phase(), request, max_payload)
            });
        scheduled.map_err(|error| error.at_stream(stream).at_subject(subject))
    }

    fn cancel_now(&self, request: &CancelRequest) -> Result<Cancellation, Error> {
        let stream = self.stream(&request.stream, Operation::Schedule)?;
        request.check()?;
        stream.cancel_schedule(self.phase(), &request.key)
    }
}

impl MemoryStream {
    fn schedule(
        &self,
        through: &Phase,
        request: ScheduleRequest,
        max_payload: usize,
    ) -> Result<Scheduled, Error> {
        self.check_schedules()?;
        let ScheduleRequest {
            key,
            subject,
            at,
            mut headers,
            body,
            ..
        } = request;
        let settings = self.settings();
        if !settings.stores(&subject) {
            return Err(refuse(
                ErrorKind::InvalidSubject,
                "the stream does not store this subject; a message is scheduled in the stream that will store it",
            ));
        }
        let body = self.encoded(body, &mut headers, Operation::Schedule)?;
        let size = self.measure(
            (Operation::Schedule, &subject),
            &headers,
            None,
            &body,
            max_payload,
        )?;
        let suspended = self.clock().suspended();
        let mut message = Some(Waiting::new(subject, headers, body, size, at, self.clock()));
        self.locked(through, Operation::Schedule, |state, after| {
            check_room(&state.schedules, &self.settings().config.limits, &key, size)?;
            // What is refused stays outside, to be dropped when the lock is released.
            let Some(message) = message.take() else {
                return Ok(Scheduled::new(false));
            };
            let replaced = state.schedules.put(key, message, suspended);
            let scheduled = Scheduled::new(replaced.is_some());
            after.drop_holder(replaced);
            // A time in the past is now.
            self.fire_due(state, after);
            // Those that wait have no timer, or one that runs longer.
            if let Some(alarm) = state.schedules.alarm() {
                for consumer in state.consumers.values_mut() {
                    consumer.subscribers().watch(alarm, after);
                }
            }
            Ok(scheduled)
        })
    }

    fn cancel_schedule(&self, through: &Phase, key: &str) -> Result<Cancellation, Error> {
        self.locked(through, Operation::Schedule, |state, after| {
            let removed = state.schedules.remove(key);
            let cancelled = if removed.is_some() {
                Cancellation::InTime
            } else if state.schedules.has_fired(key) {
                Cancellation::TooLate
            } else {
                Cancellation::Unknown
            };
            after.drop_holder(removed);
            Ok(cancelled)
        })
    }

    fn list_schedules(
        &self,
        through: &Phase,
        prefix: &str,
    ) -> Result<Vec<ScheduledMessage>, Error> {
        self.locked(through, Operation::Schedule, |state, _| {
            let waiting = state.schedules.below(prefix);
            let listed = waiting.map(|(key, message)| {
                let mut listed = ScheduledMessage::new(
                    self.name().clone(),
                    key.clone(),
                    message.subject.clone(),
                    message.at,
                    message.body.clone(),
                    message.scheduled_at,
                );
                listed.headers = message.headers.clone();
                listed
            });
            Ok(listed.collect())
        })
    }

    fn check_schedules(&self) -> Result<(), Error> {
        if self.settings().config.schedules {
            return Ok(());
        }
        Err(refuse(
            ErrorKind::InvalidOption,
            "the stream does not allow schedules; declare it with `schedules()`, and apply it",
        ))
    }

    /// Stores scheduled messages whose time has come, a few at a time. Whether those were all.
    pub(super) fn fire_due(&self, state: &mut State, after: &mut DeferredActions) -> bool {
        if state.schedules.is_empty() {
            return true;
        }
        let clock = self.clock();
        state.schedules.notice_suspension(clock.suspended());
        // In this order, so that none is stored before its time.
        let ran = clock.monotonic();
        let now = clock.now();
        for _ in 0..MAX_FIRED {
            let Some(message) = state.schedules.take_due(ran) else {
                return true;
            };
            self.store_scheduled(state, message, now, after);
        }
        !state.schedules.is_due(ran)
    }
}

/// How many messages are fired under one lock.
const MAX_FIRED: usize = 256;

/// Whether there is room for a message: no more wait than the stream may hold.
fn check_room(schedules: &Schedules, limits: &Limits, key: &str, size: u64) -> Result<(), Error> {
    let (count, bytes) = schedules.beside(key);
    let (limit, what) = match (limits.messages, limits.bytes) {
        (Some(max), _) if count >= max.get() => (max, "messages"),
        (_, Some(max)) if bytes + size > max.get() => (max, "bytes"),
        _ => return Ok(()),
    };
    let reason = format!(
        "as many messages wait as the stream may hold, {limit} {what}; raise the limit, or try again when some have fired"
    );
    Err(refuse(ErrorKind::StreamFull, reason))
}

fn refuse(kind: ErrorKind, reason: impl Into<String>) -> Error {
    Error::new(kind, Operation::Schedule, reason)
}
