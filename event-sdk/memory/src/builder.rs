//! `MemoryTransportBuilder`: declares streams, buckets, clock, codec, maximum payload and hand-over of
//! values.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::MemoryTransport;
use super::buckets::Buckets;
use super::check;
use super::streams::{Maker, Streams};
use event_sdk_clock::{Clock, TokioClock};
use event_sdk_core::codec::{Codec, JsonCodec};
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{BucketConfig, Error, Operation};

/// Builder of a [`MemoryTransport`]: see [`MemoryTransport::builder`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct MemoryTransportBuilder {
    streams: Vec<StreamConfig>,
    buckets: Vec<BucketConfig>,
    clock: Option<Arc<dyn Clock>>,
    codec: Arc<dyn Codec>,
    max_payload: usize,
    hand_over: bool,
    default_stream: bool,
    default_max_messages: NonZeroU64,
}

impl MemoryTransportBuilder {
    pub(super) fn new() -> Self {
        Self {
            streams: Vec::new(),
            buckets: Vec::new(),
            clock: None,
            codec: Arc::new(JsonCodec),
            max_payload: MemoryTransport::DEFAULT_MAX_PAYLOAD,
            hand_over: false,
            default_stream: true,
            default_max_messages: MAX_MESSAGES,
        }
    }

    /// Adds a stream. The subjects of two streams must not overlap.
    ///
    /// Default: one stream, [`MemoryTransport::DEFAULT_STREAM`]. It stores every subject, keeps the
    /// newest [`MemoryTransport::DEFAULT_MAX_MESSAGES`] messages, and allows schedules.
    pub fn stream(mut self, stream: StreamConfig) -> Self {
        self.streams.push(stream);
        self
    }

    /// Adds a bucket of entries by key. Default: none. As on a server,
    /// [`apply`](event_sdk_core::transport::Coordination::apply) can create buckets later.
    pub fn bucket(mut self, bucket: BucketConfig) -> Self {
        self.buckets.push(bucket);
        self
    }

    /// Sets the clock. Default: [`TokioClock`].
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Sets the codec for values that must be encoded. It should be the codec of the bus. Default:
    /// [`JsonCodec`].
    ///
    /// Values are encoded if [`hand_over`](Self::hand_over) is off, and on streams with a byte
    /// limit.
    pub fn codec(mut self, codec: Arc<dyn Codec>) -> Self {
        self.codec = codec;
        self
    }

    /// Sets the maximum size of a message, headers and body together, in bytes. Default:
    /// [`MemoryTransport::DEFAULT_MAX_PAYLOAD`], 1 MiB. For a value that is passed without
    /// encoding, only the headers count.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// Sets whether values are passed without encoding. Default: `false`.
    ///
    /// A subscriber of the same type then receives the publisher's own value. Streams with a byte
    /// limit still encode values, because they have to count bytes.
    pub fn hand_over(mut self, hand_over: bool) -> Self {
        self.hand_over = hand_over;
        self
    }

    /// Sets the number of messages that the default stream keeps. Default:
    /// [`MemoryTransport::DEFAULT_MAX_MESSAGES`]. This has no effect on other streams, and no
    /// effect [without a default stream](Self::without_default_stream).
    pub fn default_stream_max_messages(mut self, messages: NonZeroU64) -> Self {
        self.default_max_messages = messages;
        self
    }

    /// Removes the default stream. Streams are then created by
    /// [`apply`](event_sdk_core::transport::StreamAdmin::apply), as on a server.
    pub fn without_default_stream(mut self) -> Self {
        self.default_stream = false;
        self
    }

    /// Builds the transport.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidOption`](event_sdk_core::transport::ErrorKind::InvalidOption) if a
    /// stream or bucket is invalid, if two buckets have the same name, or if two streams store the
    /// same subject. In the last case the error names both streams and patterns.
    pub fn build(self) -> Result<MemoryTransport, Error> {
        for (index, one) in self.streams.iter().enumerate() {
            check::stream(one, Operation::Configure)?;
            for other in &self.streams[..index] {
                check::beside(other, one, Operation::Configure)?;
            }
        }
        for (index, bucket) in self.buckets.iter().enumerate() {
            let refused = |error: Error| error.at_bucket(&bucket.name);
            check::bucket(bucket, Operation::Configure).map_err(refused)?;
            let mut before = self.buckets[..index].iter();
            if before.any(|other| other.name == bucket.name) {
                let why = "it is declared twice; a bucket has one declaration";
                return Err(refused(check::option(Operation::Configure, why)));
            }
        }
        Ok(self.build_checked())
    }

    /// Builds the transport. Streams and buckets must be valid, as they are if none was added.
    pub(super) fn build_checked(mut self) -> MemoryTransport {
        if self.streams.is_empty() && self.default_stream {
            self.streams.push(default_stream(self.default_max_messages));
        }
        let clock = self.clock.unwrap_or_else(|| Arc::new(TokioClock::new()));
        let buckets = Buckets::new(self.buckets, Arc::clone(&clock));
        let maker = Maker {
            desk: Arc::default(),
            clock,
            codec: self.codec,
            hand_over: self.hand_over,
        };
        let streams = Streams::new(self.streams, buckets, maker);
        MemoryTransport::new(streams, self.max_payload, self.hand_over)
    }
}

const MAX_MESSAGES: NonZeroU64 = match NonZeroU64::new(MemoryTransport::DEFAULT_MAX_MESSAGES) {
    Some(messages) => messages,
    None => NonZeroU64::MIN,
};

fn default_stream(max_messages: NonZeroU64) -> StreamConfig {
    let name = Text::from_static(MemoryTransport::DEFAULT_STREAM);
    let mut config = StreamConfig::new(name, vec![Pattern::everything()]);
    config.limits.messages = Some(max_messages);
    config.schedules = true;
    config
}
