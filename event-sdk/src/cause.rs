//! Causes: correlation id, causation id and trace context that a published event inherits from
//! a delivery or an envelope.

use event_sdk_core::{EnvelopeHeader, LooseId};

use crate::message::Message;
use crate::trace::TraceContext;

/// What an event inherits from the one that caused it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// The `event_id` of the cause.
    pub event_id: LooseId,
    /// The story of the cause.
    pub correlation_id: LooseId,
    /// The trace in which the cause arrived.
    pub trace: Option<TraceContext>,
}

impl Cause {
    /// The cause that has this envelope.
    ///
    /// A foreign event may belong to no story: then it begins one.
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

/// Something that can cause an event: a delivery, an event read from history,
/// one that was prepared, or an envelope.
pub trait AsCause {
    /// What the new event inherits; `None` from a message that is no envelope,
    /// which has no id and no story.
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
