//! `Resend`: what is kept of a publish, to send it again over the next connection.

use std::sync::Arc;

use async_nats::HeaderMap;
use bytes::Bytes;

use crate::headers;
use event_sdk_core::headers::Headers;
use event_sdk_core::transport::{Expectations, MessageId, RollUp};

/// What is needed to send a publish again, beside its subject. Only one with a message id is sent
/// again: the stream recognizes it if the first copy arrived.
#[derive(Debug, Clone)]
pub(crate) struct Resend {
    pub(crate) payload: Bytes,
    pub(crate) message_id: MessageId,
    pub(crate) extra: Option<Arc<Extra>>,
}

/// What few messages have.
#[derive(Debug)]
pub(crate) struct Extra {
    pub(crate) headers: Headers,
    pub(crate) expect: Expectations,
    pub(crate) roll_up: Option<RollUp>,
}

impl Extra {
    const NONE: &Self = &Self {
        headers: Headers::new(),
        expect: Expectations::none(),
        roll_up: None,
    };

    /// What a message has, also if that is nothing.
    pub(crate) fn of(extra: Option<&Arc<Self>>) -> &Self {
        extra.map_or(Self::NONE, |extra| extra)
    }

    /// All headers of a message, as they are sent.
    pub(crate) fn on_wire(extra: Option<&Arc<Self>>, id: Option<&MessageId>) -> Option<HeaderMap> {
        let extra = Self::of(extra);
        let own = headers::outgoing(&extra.headers, id, &extra.expect);
        headers::with_roll_up(own, extra.roll_up)
    }
}
