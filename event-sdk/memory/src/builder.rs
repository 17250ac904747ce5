//! `MemoryTransportBuilder`: declares streams, clock, codec, maximum payload and hand-over of
//! values.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::MemoryTransport;
use super::check;
use super::streams::{Maker, Streams};
use event_sdk_clock::{Clock, TokioClock};
use event_sdk_core::codec::{Codec, JsonCodec};
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, Operation};

/// Declares a [`MemoryTransport`]: see [`MemoryTransport::builder`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct MemoryTransportBuilder {
    streams: Vec<StreamConfig>,
    clock: Option<Arc<dyn Clock>>,
    codec: Arc<dyn Codec>,
    max_payload: usize,
    hand_over: bool,
    default_stream: bool,
}

impl MemoryTransportBuilder {
    pub(super) fn new() -> Self {
        Self {
            streams: Vec::new(),
            clock: None,
            codec: Arc::new(JsonCodec),
            max_payload: MemoryTransport::DEFAULT_MAX_PAYLOAD,
            hand_over: false,
            default_stream: true,
        }
    }

    /// Adds a stream. As on a server, no two store the same subject.
    ///
    /// Without any there is one, [`MemoryTransport::DEFAULT_STREAM`], which
    /// stores every subject and keeps the last
    /// [`MemoryTransport::DEFAULT_MAX_MESSAGES`] messages.
    pub fn stream(mut self, stream: StreamConfig) -> Self {
        self.streams.push(stream);
        self
    }

    /// Takes the time from `clock`; from [`TokioClock`] otherwise.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Writes a value that has to be encoded with `codec`, which should be the
    /// bus's; with [`JsonCodec`] otherwise.
    ///
    /// That happens where hand-over is off, and on a stream with a limit in
    /// bytes, which a value that is not encoded does not have.
    pub fn codec(mut self, codec: Arc<dyn Codec>) -> Self {
        self.codec = codec;
        self
    }

    /// Refuses a message with more than so many bytes of headers and body;
    /// [`MemoryTransport::DEFAULT_MAX_PAYLOAD`] otherwise. A value that is
    /// handed over counts only its headers.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// Whether values are handed over without encoding them; off otherwise.
    ///
    /// A subscriber that names the type of the publisher then receives the
    /// publisher's own value. A stream with a limit in bytes encodes all the
    /// same, because it has to count.
    pub fn hand_over(mut self, hand_over: bool) -> Self {
        self.hand_over = hand_over;
        self
    }

    /// Has no stream where none is added: those that it needs are
    /// [applied](event_sdk_core::transport::Transport::apply_stream) to it, as they are to a server.
    pub fn without_default_stream(mut self) -> Self {
        self.default_stream = false;
        self
    }

    /// The transport.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidOption`](event_sdk_core::transport::ErrorKind::InvalidOption) when a
    /// stream cannot be so, or two of them store the same subject; it names
    /// both streams and both patterns.
    /// [`ErrorKind::Unsupported`](event_sdk_core::transport::ErrorKind::Unsupported) when one keeps
    /// messages only until they are acknowledged.
    pub fn build(self) -> Result<MemoryTransport, Error> {
        for (index, one) in self.streams.iter().enumerate() {
            check::stream(one, Operation::Configure)?;
            for other in &self.streams[..index] {
                check::beside(other, one, Operation::Configure)?;
            }
        }
        Ok(self.build_checked())
    }

    /// The transport, whose streams are known to be right: always so where none
    /// was added.
    pub(super) fn build_checked(mut self) -> MemoryTransport {
        if self.streams.is_empty() && self.default_stream {
            self.streams.push(default_stream());
        }
        let maker = Maker {
            clock: self.clock.unwrap_or_else(|| Arc::new(TokioClock::new())),
            codec: self.codec,
            hand_over: self.hand_over,
        };
        let streams = Streams::new(self.streams, maker);
        MemoryTransport::new(streams, self.max_payload, self.hand_over)
    }
}

fn default_stream() -> StreamConfig {
    let name = Text::from_static(MemoryTransport::DEFAULT_STREAM);
    let mut config = StreamConfig::new(name, vec![Pattern::everything()]);
    config.limits.messages = NonZeroU64::new(MemoryTransport::DEFAULT_MAX_MESSAGES);
    config
}
