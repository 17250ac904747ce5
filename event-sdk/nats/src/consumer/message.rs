//! `Message`: what comes to an inbox. Its headers are read when it is handed out.

use std::borrow::Cow;

use async_nats::Subject;
use bytes::Bytes;
use tokio::time::Instant;

use crate::headers::{self, HeaderBlock, HeaderFault};
use crate::receiver::WireMessage;
use event_sdk_core::headers::Headers;

/// A message of the stream, or a status of the server.
#[derive(Debug)]
pub(super) struct Message {
    /// Where it is settled; none for a status.
    pub(super) reply: Option<Subject>,
    wire: WireMessage,
}

impl Message {
    pub(super) fn new(wire: WireMessage) -> Self {
        Self {
            reply: wire.reply_subject(),
            wire,
        }
    }

    /// When the connection had read it; none if it did not come over one.
    pub(super) fn arrived(&self) -> Option<Instant> {
        self.wire.arrived()
    }

    /// The subject, which another client has chosen and nobody has checked.
    pub(super) fn subject(&self) -> &[u8] {
        self.wire.subject()
    }

    /// The subject to be shown.
    pub(super) fn subject_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.wire.subject())
    }

    /// The headers of the event.
    pub(super) fn headers(&self) -> Result<Headers, HeaderFault> {
        match self.wire.header_block() {
            None => Ok(Headers::new()),
            Some(block) => Ok(headers::read(&HeaderBlock::parse(block)?)),
        }
    }

    /// The header block of what has no reply subject: a status of the server.
    pub(super) fn status_block(&self) -> Option<HeaderBlock<'_>> {
        if self.wire.reply().is_some() {
            return None;
        }
        // What cannot be read is none of the server's.
        HeaderBlock::parse(self.wire.header_block()?).ok()
    }

    /// How many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.wire.size()
    }

    pub(super) fn body(&self) -> Bytes {
        self.wire.body()
    }
}
