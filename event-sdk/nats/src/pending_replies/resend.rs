//! `Resend`: what is kept of a publish, to send it again over the next connection.

use std::sync::Arc;

use async_nats::HeaderMap;
use bytes::Bytes;

use crate::headers;
use event_sdk_core::headers::Headers;
use event_sdk_core::transport::{Expectations, MessageId};

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
}

impl Extra {
    const NONE: &Self = &Self {
        headers: Headers::new(),
        expect: Expectations::none(),
    };

    /// What a message has, also if that is nothing.
    pub(crate) fn of(extra: Option<&Arc<Self>>) -> &Self {
        extra.map_or(Self::NONE, |extra| extra)
    }

    /// All headers of a message, as they are sent.
    pub(crate) fn on_wire(extra: Option<&Arc<Self>>, id: Option<&MessageId>) -> Option<HeaderMap> {
        let Self { headers, expect } = Self::of(extra);
        headers::outgoing(headers, id, expect)
    }
}
