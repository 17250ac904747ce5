//! `RecordedEvent`: a recorded event, read by its own type, with its envelope.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use event_sdk::headers::Headers;
use event_sdk::{AsCause, Cause, EnvelopeHeader, Event, EventSet as _, Subject, TraceContext};
use uuid::Uuid;

use crate::failure::fail;
use crate::recorder::Record;

/// An event that was published in a test, with its envelope. It dereferences to the event, and can
/// be the cause of other events ([`AsCause`]).
pub struct RecordedEvent<E> {
    event: E,
    head: EnvelopeHeader,
    record: Arc<Record>,
}

impl<E: Event> RecordedEvent<E> {
    /// Reads the record, which is an event of this type by its subject.
    #[track_caller]
    pub(super) fn read(record: Arc<Record>, prefix: &str) -> Self {
        let opened = record.opened(prefix);
        let decoded = opened.map(|opened| (opened.head().into_owned(), E::decode(&opened)));
        match decoded {
            Some((head, Ok(event))) => Self {
                event,
                head,
                record,
            },
            Some((_, Err(fault))) => fail(&format!(
                "a recorded event cannot be read as {}: {fault}\n  {record}",
                E::SPEC.name()
            )),
            None => fail(&format!("a recorded event is no envelope:\n  {record}")),
        }
    }
}

impl<E> RecordedEvent<E> {
    /// The event.
    #[must_use]
    pub fn event(&self) -> &E {
        &self.event
    }

    /// The event, by value.
    #[must_use]
    pub fn into_event(self) -> E {
        self.event
    }

    /// The envelope without the data.
    #[must_use]
    pub fn head(&self) -> &EnvelopeHeader {
        &self.head
    }

    /// The id of the event.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.head.event_id
    }

    /// The subject to which the event was published, including the prefix.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.record.subject
    }

    /// The message headers.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.record.headers
    }

    /// The stream that stores the event.
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        self.record.stream.as_deref()
    }

    /// The sequence of the event in the stream.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.record.sequence
    }

    pub(super) fn account(&self) {
        self.record.account();
    }
}

impl<E> Deref for RecordedEvent<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.event
    }
}

impl<E> AsCause for RecordedEvent<E> {
    fn as_cause(&self) -> Option<Cause> {
        let mut cause = Cause::new(&self.head);
        cause.trace = TraceContext::from_headers(&self.record.headers);
        Some(cause)
    }
}

/// The record, and the event by its `Debug`; with `#` the record alone.
impl<E: fmt::Debug> fmt::Display for RecordedEvent<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return write!(f, "{}", self.record);
        }
        write!(f, "{}\n    {:?}", self.record, self.event)
    }
}

impl<E: fmt::Debug> fmt::Debug for RecordedEvent<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedEvent")
            .field("event", &self.event)
            .field("head", &self.head)
            .field("record", &self.record)
            .finish()
    }
}
