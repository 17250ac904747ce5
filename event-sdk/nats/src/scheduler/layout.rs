//! `Layout`: the subjects of the schedules of a stream, and the headers of a schedule.

use async_nats::header::HeaderName;
use jiff::Timestamp;

use crate::error::ErrorContext;
use crate::streams::{self, Found, schedule_prefix};
use event_sdk_core::text::Text;
use event_sdk_core::transport::Error;

/// When the message is stored: `@at` and a time.
pub(super) const SCHEDULE: HeaderName = HeaderName::from_static("Nats-Schedule");
/// The subject under which it is stored.
pub(super) const TARGET: HeaderName = HeaderName::from_static("Nats-Schedule-Target");
/// After what time a message expires; for a schedule: never.
pub(super) const TTL: HeaderName = HeaderName::from_static("Nats-TTL");
/// The stream that has to store a message.
pub(super) const EXPECTED_STREAM: HeaderName = HeaderName::from_static("Nats-Expected-Stream");
/// The last sequence of the subject.
pub(super) const EXPECTED: HeaderName =
    HeaderName::from_static("Nats-Expected-Last-Subject-Sequence");

const AT: &str = "@at ";

/// Where the schedules of a stream are.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The stream.
    pub(super) stream: Text,
    /// `schedules.<stream>.`
    prefix: String,
}

impl Layout {
    /// The layout of a stream, whose name is checked because it becomes a part of subjects.
    pub(super) fn of(about: &ErrorContext, stream: &Text) -> Result<Self, Error> {
        streams::check(about, stream)?;
        Ok(Self {
            stream: stream.clone(),
            prefix: schedule_prefix(stream),
        })
    }

    /// The subject of the schedule of a key.
    pub(super) fn subject(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The subjects of all keys below `prefix`, or of all keys if it is empty.
    pub(super) fn below(&self, prefix: &str) -> String {
        match prefix {
            "" => format!("{}>", self.prefix),
            _ => format!("{}{prefix}.>", self.prefix),
        }
    }

    /// The key of a stored schedule.
    pub(super) fn key<'a>(&self, found: &'a Found) -> Option<&'a str> {
        found.subject.strip_prefix(&self.prefix)
    }
}

/// The value of `Nats-Schedule` for a message that is stored at a time.
///
/// A server counts nanoseconds from 1970 on in 63 bits, so what was long ago is the beginning.
pub(super) fn schedule_at(at: Timestamp) -> String {
    format!("{AT}{}", at.max(Timestamp::UNIX_EPOCH))
}

/// The time in the value of `Nats-Schedule`; `None` if it is a repeating schedule of another client.
pub(super) fn time_of(schedule: &str) -> Option<Timestamp> {
    schedule.strip_prefix(AT)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_sdk_core::transport::{ErrorKind, Operation, ScheduleRequest};

    fn about() -> ErrorContext {
        ErrorContext::new(Operation::Schedule)
    }

    #[test]
    fn a_schedule_lies_below_its_stream() {
        let layout = Layout::of(&about(), &"ORDERS".into()).unwrap();
        assert_eq!(
            layout.subject("events.a.b.c.7"),
            "schedules.ORDERS.events.a.b.c.7"
        );
        assert_eq!(layout.below("events.a"), "schedules.ORDERS.events.a.>");
        assert_eq!(layout.below(""), "schedules.ORDERS.>");
        let error = Layout::of(&about(), &"a.b".into()).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error}");
    }

    #[test]
    fn a_time_is_read_as_it_was_written() {
        for at in [
            Timestamp::UNIX_EPOCH,
            Timestamp::constant(1_800_000_000, 123_456_789),
            ScheduleRequest::LATEST,
        ] {
            assert_eq!(time_of(&schedule_at(at)), Some(at));
        }
        let long_ago = schedule_at(Timestamp::MIN);
        assert_eq!(long_ago, "@at 1970-01-01T00:00:00Z");
        for other in ["@every 1m", "@hourly", "0 30 14 * * *", "@at noon", ""] {
            assert_eq!(time_of(other), None, "{other}");
        }
    }
}
