//! Causes: correlation id, causation id and trace context that a published event inherits from
//! a delivery or an envelope.

use event_sdk_core::{EnvelopeHeader, LooseId};

use crate::message::Message;
use crate::trace::TraceContext;

/// The ids and trace that an event inherits from the event that caused it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// The `event_id` of the cause.
    pub event_id: LooseId,
    /// The correlation id of the cause.
    pub correlation_id: LooseId,
    /// The trace context of the cause.
    pub trace: Option<TraceContext>,
}

impl Cause {
    /// The cause that this envelope describes.
    ///
    /// If a foreign event has no correlation id, its event id becomes the correlation id.
    #[must_use]
    pub fn new(head: &EnvelopeHeader) -> Self {
        let event_id = LooseId::from(head.event_id);
        let correlation_id = head.metadata.correlation_id.clone();
        Self {
            correlation_id: correlation_id.unwrap_or_else(|| event_id.clone()),
            event_id,
            trace: None,
        }
    }
}

/// Types that can be the cause of an event: a delivery, an event read from history, a prepared
/// event, or an envelope.
pub trait AsCause {
    /// The ids that the new event inherits; `None` if the message is not an envelope.
    fn as_cause(&self) -> Option<Cause>;
}

impl AsCause for Cause {
    fn as_cause(&self) -> Option<Cause> {
        Some(self.clone())
    }
}

impl AsCause for EnvelopeHeader {
    fn as_cause(&self) -> Option<Cause> {
        Some(Cause::new(self))
    }
}

impl<S> AsCause for Message<S> {
    fn as_cause(&self) -> Option<Cause> {
        let mut cause = Cause::new(self.head().ok()?);
        cause.trace = self.trace();
        Some(cause)
    }
}
