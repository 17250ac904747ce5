//! Kinds of malformed messages, each with what a reader must get instead of an event.

mod bodies;
mod envelopes;
mod headers;
mod subjects;

use event_sdk::codec::DecodeErrorKind;
use event_sdk_tests::raw::envelope;

use crate::wire::RawMessage;

/// Where good messages go.
pub(crate) const PLACED: &str = "events.orders.order.placed";

/// What comes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comes {
    /// It is delivered and can be read: the oddity is none of its content.
    Decodes,
    /// It is delivered, and decoding it is an error of this kind.
    Refused(DecodeErrorKind),
    /// It cannot be delivered, which is a notice.
    Unreadable,
}

#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) name: String,
    pub(crate) message: RawMessage,
    pub(crate) comes: Comes,
}

impl Kind {
    fn new(name: impl Into<String>, message: RawMessage, comes: Comes) -> Self {
        Self {
            name: name.into(),
            message,
            comes,
        }
    }
}

/// An event that can be read.
pub(crate) fn good(id: usize) -> RawMessage {
    let data = format!(r#"{{"id":{id},"item":"item"}}"#);
    RawMessage {
        subject: PLACED.into(),
        body: envelope("order.placed", "1.0", &data).into_bytes(),
        ..RawMessage::default()
    }
}

/// The body of an event that is none of the good ones.
fn odd_body() -> Vec<u8> {
    envelope("order.placed", "1.0", r#"{"id":1000000,"item":"odd"}"#).into_bytes()
}

pub(crate) fn all() -> Vec<Kind> {
    let mut all = headers::kinds();
    all.extend(subjects::kinds());
    all.extend(bodies::kinds());
    all.extend(envelopes::kinds());
    all
}
