//! `TestBusBuilder`: prefix, source, streams, durables, codec, start time and faults of a test bus.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::codec::{Codec, JsonCodec};
use event_sdk::stream::{StreamConfig, StreamSpec};
use event_sdk::text::Text;
use event_sdk::time::SteppedClock;
use event_sdk::transport::{BucketConfig, Operation};
use event_sdk::{BusBuilder, ConsumerSpec, Error, ErrorKind, EventBus};

use jiff::Timestamp;

use super::{Inner, TestBus};
use crate::failure::fail;
use crate::faults::Faults;

/// Builder of a [`TestBus`], created by [`TestBus::builder`].
///
/// ```
/// use event_sdk::stream::StreamSpec;
/// use event_sdk_testing::TestBus;
///
/// let bus = TestBus::builder()
///     .prefix("prod.shop")
///     .stream(StreamSpec::new("ORDERS").subject("orders.>"))
///     .build();
/// assert_eq!(bus.prefix(), "prod.shop");
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct TestBusBuilder {
    pub(super) prefix: Text,
    source: Text,
    metadata: Vec<(String, String)>,
    streams: Vec<StreamSpec>,
    consumers: Vec<ConsumerSpec>,
    pub(super) bucket: BucketConfig,
    publish_timeout: Duration,
    max_payload: usize,
    pub(super) codec: Arc<dyn Codec>,
    pub(super) start: Timestamp,
    pub(super) faults: Option<Faults>,
}

impl TestBusBuilder {
    pub(super) fn new() -> Self {
        Self {
            prefix: Text::from_static(BusBuilder::DEFAULT_PREFIX),
            source: Text::from_static("test"),
            metadata: Vec::new(),
            streams: Vec::new(),
            consumers: Vec::new(),
            bucket: BucketConfig::default(),
            publish_timeout: BusBuilder::DEFAULT_PUBLISH_TIMEOUT,
            max_payload: BusBuilder::DEFAULT_MAX_PAYLOAD,
            codec: Arc::new(JsonCodec),
            start: SteppedClock::START,
            faults: None,
        }
    }

    /// Sets the prefix of all relative subjects; see [`BusBuilder::prefix`].
    pub fn prefix(mut self, prefix: impl Into<Text>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the source of the bus's events. Default: `test`.
    pub fn source(mut self, source: impl Into<Text>) -> Self {
        self.source = source.into();
        self
    }

    /// Adds a metadata entry to every event; see [`BusBuilder::metadata`].
    pub fn metadata(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.metadata.push((name.into(), text.into()));
        self
    }

    /// Adds a stream. If none is added, one stream stores every subject, as on
    /// [`EventBus::memory`].
    pub fn stream(mut self, stream: StreamSpec) -> Self {
        self.streams.push(stream);
        self
    }

    /// Declares a durable; see [`BusBuilder::consumer`].
    pub fn consumer(mut self, consumer: ConsumerSpec) -> Self {
        self.consumers.push(consumer);
        self
    }

    /// Sets the bucket of the bus, and creates it; see [`BusBuilder::coordination`].
    pub fn coordination(mut self, bucket: impl Into<BucketConfig>) -> Self {
        self.bucket = bucket.into();
        self
    }

    /// Sets how long a publish may take, in virtual time; see [`BusBuilder::publish_timeout`].
    pub fn publish_timeout(mut self, timeout: Duration) -> Self {
        self.publish_timeout = timeout;
        self
    }

    /// Sets the maximum size of a body; see [`BusBuilder::max_payload`].
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// Replaces the codec; see [`BusBuilder::codec`]. Each event is still read back.
    pub fn codec(mut self, codec: impl Codec) -> Self {
        self.codec = Arc::new(codec);
        self
    }

    /// Sets the time of day at which the clock starts. Default: [`SteppedClock::START`].
    pub fn starting_at(mut self, start: Timestamp) -> Self {
        self.start = start;
        self
    }

    /// Injects faults from a seed into every connection. The message of a failed assertion ends
    /// with the seed and the injected faults.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = Some(faults);
        self
    }

    /// Builds the bus.
    ///
    /// # Panics
    ///
    /// If a setting is invalid; the message says which. [`try_build`](Self::try_build) returns the
    /// error instead.
    #[must_use]
    #[track_caller]
    pub fn build(self) -> TestBus {
        self.try_build()
            .unwrap_or_else(|error| fail(&format!("the test bus cannot be built: {error}")))
    }

    /// Builds the bus.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSubject`] for a malformed prefix, [`ErrorKind::InvalidOption`] for an
    /// invalid stream or durable, or streams that overlap.
    pub fn try_build(self) -> Result<TestBus, Error> {
        let inner = Inner::start(self)?;
        let faults = inner.recording.faults.as_ref();
        let bus = inner.connect(None, faults, |transport| transport)?;
        let undisturbed = match faults {
            None => bus.clone(),
            Some(_) => inner.connect(None, None, |transport| transport)?,
        };
        Ok(TestBus {
            bus,
            undisturbed,
            inner: Arc::new(inner),
        })
    }

    pub(super) fn stream_configs(&self) -> Result<Vec<StreamConfig>, Error> {
        let configs = self
            .streams
            .iter()
            .map(|stream| stream.config(&self.prefix));
        configs.collect::<Result<_, _>>().map_err(|why| {
            Error::new(
                ErrorKind::InvalidOption,
                Operation::Configure,
                why.to_string(),
            )
        })
    }

    /// The same settings for an event bus.
    pub(super) fn bus_builder(&self) -> BusBuilder {
        let mut builder = EventBus::builder()
            .prefix(self.prefix.clone())
            .source(self.source.clone())
            .coordination(self.bucket.clone())
            .publish_timeout(self.publish_timeout)
            .max_payload(self.max_payload);
        for (name, text) in &self.metadata {
            builder = builder.metadata(name, text);
        }
        for stream in &self.streams {
            builder = builder.stream(stream.clone());
        }
        for consumer in &self.consumers {
            builder = builder.consumer(consumer.clone());
        }
        builder
    }
}
