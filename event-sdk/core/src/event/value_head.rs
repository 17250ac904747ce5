//! `ValueHeader`: the envelope header of an event that is handed over as a value and never
//! encoded.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::{ErasedEvent, EventSpec};
use crate::envelope::{EnvelopeHeader, EventKey, Version};
use crate::text::Text;

/// The envelope header of an event that was not encoded. For the first event of a causal chain, it
/// stores only what the constants of the event's type do not contain; for other events, it stores
/// the whole header.
///
/// This saves copying: a header is large, and this value is moved often.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueHeader(Repr);

#[derive(Debug, Clone, PartialEq)]
enum Repr {
    First {
        event_id: Uuid,
        timestamp: Timestamp,
        source: Text,
    },
    Whole(Arc<EnvelopeHeader>),
}

impl ValueHeader {
    /// The header of an event without cause and metadata.
    #[must_use]
    pub fn first(event_id: Uuid, timestamp: Timestamp, source: Text) -> Self {
        Self(Repr::First {
            event_id,
            timestamp,
            source,
        })
    }

    /// The id of the event.
    #[must_use]
    pub fn event_id(&self) -> Uuid {
        match &self.0 {
            Repr::First { event_id, .. } => *event_id,
            Repr::Whole(head) => head.event_id,
        }
    }

    /// The time of the event.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        match &self.0 {
            Repr::First { timestamp, .. } => *timestamp,
            Repr::Whole(head) => head.timestamp,
        }
    }

    /// The type in the envelope, of the event that `spec` describes.
    pub(crate) fn event_type<'a>(&'a self, spec: &EventSpec) -> &'a str {
        match &self.0 {
            Repr::First { .. } => spec.event_type(),
            Repr::Whole(head) => &head.event_type,
        }
    }

    /// The version in the envelope, of the event that `spec` describes.
    pub(crate) fn version(&self, spec: &EventSpec) -> Version {
        match &self.0 {
            Repr::First { .. } => spec.version(),
            Repr::Whole(head) => head.version,
        }
    }

    /// The key that the header has; `None` if only the event itself has it.
    pub(crate) fn key(&self) -> Option<&EventKey> {
        match &self.0 {
            Repr::First { .. } => None,
            Repr::Whole(head) => head.metadata.key.as_ref(),
        }
    }

    /// The whole header of `event`, with its key.
    ///
    /// A key that [`EventKey::of`] refuses is left out; a bus does not publish such an event.
    #[must_use]
    pub fn to_header<E: ErasedEvent + ?Sized>(&self, event: &E) -> Cow<'_, EnvelopeHeader> {
        match &self.0 {
            Repr::First {
                event_id,
                timestamp,
                source,
            } => Cow::Owned(whole(*event_id, *timestamp, source, event)),
            Repr::Whole(head) => {
                let mut head = Cow::Borrowed(&**head);
                if head.metadata.key.is_none()
                    && let Some(key) = key_of(event)
                {
                    head.to_mut().metadata.key = Some(key);
                }
                head
            }
        }
    }

    /// Changes the header of `event` by calling `change` with it.
    pub fn change<E: ErasedEvent + ?Sized>(
        &mut self,
        event: &E,
        change: impl FnOnce(&mut EnvelopeHeader),
    ) {
        match &mut self.0 {
            Repr::Whole(head) => change(Arc::make_mut(head)),
            Repr::First {
                event_id,
                timestamp,
                source,
            } => {
                let mut head = whole(*event_id, *timestamp, source, event);
                change(&mut head);
                self.0 = Repr::Whole(Arc::new(head));
            }
        }
    }
}

impl From<EnvelopeHeader> for ValueHeader {
    fn from(head: EnvelopeHeader) -> Self {
        Self(Repr::Whole(Arc::new(head)))
    }
}

/// The first event of a causal chain uses its own id as correlation id.
fn whole<E: ErasedEvent + ?Sized>(
    event_id: Uuid,
    timestamp: Timestamp,
    source: &Text,
    event: &E,
) -> EnvelopeHeader {
    let spec = event.spec();
    let event_type = Text::from_static(spec.event_type());
    let mut head = EnvelopeHeader::new(event_id, event_type, timestamp);
    head.source = source.clone();
    head.version = spec.version();
    head.metadata.correlation_id = Some(event_id.into());
    head.metadata.key = key_of(event);
    head
}

fn key_of<E: ErasedEvent + ?Sized>(event: &E) -> Option<EventKey> {
    EventKey::of(event.event_key()?).ok()
}
