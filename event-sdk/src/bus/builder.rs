//! `BusBuilder`: sets the prefix, source, declared streams, codec, clock, ids and
//! transport of a bus, and checks them together.

#[cfg(feature = "memory")]
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use event_sdk_core::codec::{Codec, JsonCodec};
use event_sdk_core::stream::{StreamConfig, StreamSpec};
use event_sdk_core::subject::check_prefix;
use event_sdk_core::text::Text;
use event_sdk_core::time::{Clock, IdSource};
use event_sdk_core::transport::{BucketConfig, Error, ErrorKind, Operation, Transport};

use tokio::sync::watch;

use super::{ConsumerSpec, EventBus, Inner};
use crate::observer::{Guarded, Observer};
use crate::process_gate::ProcessGate;
use crate::time::{TokioClock, V7Ids};
use crate::trace::{TraceSource, Tracing};
#[cfg(feature = "memory")]
use crate::transport::memory::{MemoryTransport, MemoryTransportBuilder};

/// Builder of a bus; finish with [`transport`](Self::transport) or `memory`.
///
/// ```
/// use event_sdk::EventBus;
/// use event_sdk::stream::StreamSpec;
///
/// # fn main() -> Result<(), event_sdk::Error> {
/// let bus = EventBus::builder()
///     .prefix("prod.shop")
///     .source("billing")
///     .stream(StreamSpec::new("ORDERS").subject("orders.>").max_messages(10_000))
///     .memory()?;
/// # let _ = bus;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct BusBuilder {
    prefix: Text,
    source: Option<Text>,
    metadata: Vec<(String, String)>,
    streams: Vec<StreamSpec>,
    consumers: Vec<ConsumerSpec>,
    bucket: Option<BucketConfig>,
    codec: Arc<dyn Codec>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    publish_timeout: Duration,
    max_payload: usize,
    simulated_process: bool,
    trace_source: Option<Arc<dyn TraceSource>>,
    observer: Option<Arc<dyn Observer>>,
    /// The limit by number of streams in memory whose declaration has none.
    #[cfg(feature = "memory")]
    memory_max_messages: Option<NonZeroU64>,
    /// Counts the events that the transport accepts and drops.
    discarded: Option<Arc<AtomicU64>>,
}

impl BusBuilder {
    /// The default prefix.
    pub const DEFAULT_PREFIX: &'static str = "events";
    /// The default timeout of a publish.
    pub const DEFAULT_PUBLISH_TIMEOUT: Duration = Duration::from_secs(5);
    /// The default maximum size of a body in bytes: 8 MiB, the largest `max_payload` that NATS
    /// recommends.
    pub const DEFAULT_MAX_PAYLOAD: usize = 8 * 1024 * 1024;

    pub(super) fn new() -> Self {
        Self {
            prefix: Text::from_static(Self::DEFAULT_PREFIX),
            source: None,
            metadata: Vec::new(),
            streams: Vec::new(),
            consumers: Vec::new(),
            bucket: None,
            codec: Arc::new(JsonCodec),
            clock: Arc::new(TokioClock::new()),
            ids: Arc::new(V7Ids::new()),
            publish_timeout: Self::DEFAULT_PUBLISH_TIMEOUT,
            max_payload: Self::DEFAULT_MAX_PAYLOAD,
            simulated_process: false,
            trace_source: None,
            observer: None,
            #[cfg(feature = "memory")]
            memory_max_messages: None,
            discarded: None,
        }
    }

    /// Sets the prefix of all relative subjects. Default: `events`.
    pub fn prefix(mut self, prefix: impl Into<Text>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the name of this service, which is written to each envelope. Default: the program's
    /// file name without extension.
    pub fn source(mut self, source: impl Into<Text>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a metadata entry to every event that this bus publishes, for example the region of the
    /// service. The name `key` is refused, because each event has its own key.
    pub fn metadata(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.metadata.push((name.into(), text.into()));
        self
    }

    /// Declares a stream. `memory` creates it; on other transports, [`EventBus::apply`] and
    /// [`EventBus::apply_streams`] create or change it. A subscription first looks for its subjects
    /// in the declared streams, and then asks the transport for the streams.
    pub fn stream(mut self, stream: StreamSpec) -> Self {
        self.streams.push(stream);
        self
    }

    /// Declares a durable: [`EventBus::apply`] creates or changes it.
    pub fn consumer(mut self, consumer: ConsumerSpec) -> Self {
        self.consumers.push(consumer);
        self
    }

    /// Declares the bucket in which the instances of a service coordinate. Its entries are leases
    /// and attempt records. [`EventBus::apply`] creates or changes the bucket; `memory` creates it.
    ///
    /// Without this declaration, the bus uses the bucket `EVENT_SDK`. `memory` creates this bucket,
    /// but `apply` does not: another service that declares the bucket, or a deployment step, has to
    /// create the bucket. Buses that share a durable need the same bucket.
    ///
    /// ```
    /// use event_sdk::EventBus;
    /// use event_sdk::transport::BucketConfig;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bus = EventBus::builder()
    ///     .coordination(BucketConfig::new("BILLING").replicas(3))
    ///     .memory()?;
    /// assert_eq!(bus.coordination().name(), "BILLING");
    /// # Ok(())
    /// # }
    /// ```
    pub fn coordination(mut self, bucket: impl Into<BucketConfig>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// Replaces the codec. Default: the JSON of the wire contract.
    pub fn codec(mut self, codec: impl Codec) -> Self {
        self.codec = Arc::new(codec);
        self
    }

    /// Replaces the clock. Default: system time, with tokio's timers.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Replaces the source of event ids. Default: UUID version 7.
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// Sets how long a publish waits for its confirmation, before it fails with
    /// [`ErrorKind::Timeout`]. Default: 5 s.
    pub fn publish_timeout(mut self, timeout: Duration) -> Self {
        self.publish_timeout = timeout;
        self
    }

    /// Sets the maximum size of a body in bytes. The bus refuses to publish or decode a larger
    /// body. Default: 8 MiB. The transport may have a lower limit.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// Treats this bus as if it had its own process. It is for tests in which several services
    /// share a process, or services run on virtual time. A bus that is built by
    /// [`memory`](Self::memory) is always treated in this way.
    ///
    /// If a handler may have ended its process, the consumer handles the event of this handler
    /// again while no other handler of the process runs. By default, the consumer waits until no
    /// handler runs on any bus of the process. With this setting, it waits only for the handlers on
    /// this bus.
    pub fn simulated_process(mut self) -> Self {
        self.simulated_process = true;
        self
    }

    /// Connects the spans of the bus with a tracing system, such as OpenTelemetry. An event then
    /// carries the context of its `publish` span, and is processed in a span of the same trace.
    /// Default: none; see [`trace`](crate::trace).
    pub fn trace_source(mut self, source: impl TraceSource) -> Self {
        self.trace_source = Some(Arc::new(source));
        self
    }

    /// Tells `observer` what the bus publishes and what its consumers do, for metrics. Default: none.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(Guarded::new(observer)));
        self
    }

    /// Builds a bus on `transport`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSubject`] for a malformed prefix, [`ErrorKind::InvalidOption`] for an
    /// invalid stream, durable or bucket, a durable that is declared twice, or `key` as metadata.
    pub fn transport(self, transport: impl Transport) -> Result<EventBus, Error> {
        let streams = self.checked_streams()?;
        Ok(self.finish(Arc::new(transport), streams))
    }

    /// Builds a bus on the memory transport with the declared streams. If none is declared, the bus
    /// has one stream, which stores every subject and keeps the newest 100,000 events.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidSubject`] for a malformed prefix, [`ErrorKind::InvalidOption`] for an
    /// invalid stream, durable or bucket, a durable that is declared twice, overlapping streams, or
    /// `key` as metadata.
    #[cfg(feature = "memory")]
    pub fn memory(self) -> Result<EventBus, Error> {
        self.memory_with(|memory| memory)
    }

    /// Like [`memory`](Self::memory), with further settings of the memory transport:
    /// `.memory_with(|memory| memory.hand_over(true))`.
    ///
    /// # Errors
    ///
    /// The same as for [`memory`](Self::memory), and errors of [`MemoryTransportBuilder::build`].
    #[cfg(feature = "memory")]
    pub fn memory_with(
        self,
        configure: impl FnOnce(MemoryTransportBuilder) -> MemoryTransportBuilder,
    ) -> Result<EventBus, Error> {
        let (transport, streams) = self.memory_transport(configure)?;
        Ok(self
            .simulated_process()
            .finish(Arc::new(transport), streams))
    }

    /// The memory transport with the declared streams and bucket, and the streams.
    #[cfg(feature = "memory")]
    pub(crate) fn memory_transport(
        &self,
        configure: impl FnOnce(MemoryTransportBuilder) -> MemoryTransportBuilder,
    ) -> Result<(MemoryTransport, Vec<StreamConfig>), Error> {
        let mut streams = self.checked_streams()?;
        let mut builder = MemoryTransport::builder()
            .bucket(self.bucket.clone().unwrap_or_default())
            .clock(Arc::clone(&self.clock))
            .codec(Arc::clone(&self.codec));
        if let Some(messages) = self.memory_max_messages {
            builder = builder.default_stream_max_messages(messages);
            for stream in &mut streams {
                stream.limits.messages.get_or_insert(messages);
            }
        }
        let builder = streams
            .iter()
            .cloned()
            .fold(builder, MemoryTransportBuilder::stream);
        Ok((configure(builder).build()?, streams))
    }

    /// Checks what `transport` would refuse.
    #[cfg(all(feature = "config", feature = "nats"))]
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.checked_streams().map(drop)
    }

    /// Raises the publish timeout to this time, if it is shorter.
    #[cfg(feature = "config")]
    pub(crate) fn publish_timeout_at_least(mut self, least: Duration) -> Self {
        self.publish_timeout = self.publish_timeout.max(least);
        self
    }

    /// Sets the limit by number of streams in memory whose declaration has none.
    #[cfg(all(feature = "memory", feature = "config"))]
    pub(crate) fn memory_max_messages(mut self, messages: Option<NonZeroU64>) -> Self {
        self.memory_max_messages = messages;
        self
    }

    /// Sets the counter of the events that the transport accepts and drops.
    #[cfg(all(feature = "memory", feature = "config"))]
    pub(crate) fn discarded(mut self, discarded: Arc<AtomicU64>) -> Self {
        self.discarded = Some(discarded);
        self
    }

    /// A bus on the memory transport with its defaults, which cannot fail.
    #[cfg(feature = "memory")]
    pub(super) fn with_default_memory(self) -> EventBus {
        let transport =
            MemoryTransport::with_default_stream(Arc::clone(&self.clock), Arc::clone(&self.codec));
        self.simulated_process()
            .finish(Arc::new(transport), Vec::new())
    }

    fn checked_streams(&self) -> Result<Vec<StreamConfig>, Error> {
        let invalid = |kind, why: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(kind, Operation::Configure, why.to_string())
        };
        check_prefix(&self.prefix).map_err(|why| invalid(ErrorKind::InvalidSubject, why.into()))?;
        if self.metadata.iter().any(|(name, _)| name == "key") {
            let why = "the metadata of a bus has no `key`, since all its events would have the same one; mark a field of the event with `#[event(key)]`";
            return Err(invalid(ErrorKind::InvalidOption, why.into()));
        }
        for (place, consumer) in self.consumers.iter().enumerate() {
            let refused = |reason: String| {
                let error = Error::new(ErrorKind::InvalidOption, Operation::Configure, reason);
                error.at_consumer(Text::copy_of(consumer.name()))
            };
            consumer.config().check().map_err(refused)?;
            let mut before = self.consumers[..place].iter();
            if before.any(|other| other.name() == consumer.name()) {
                return Err(refused(
                    "it is declared twice; a durable has one declaration".to_owned(),
                ));
            }
        }
        if let Some(bucket) = &self.bucket {
            bucket.check().map_err(|reason| {
                let error = Error::new(ErrorKind::InvalidOption, Operation::Configure, reason);
                error.at_bucket(&bucket.name)
            })?;
        }
        let streams = self
            .streams
            .iter()
            .map(|stream| stream.config(&self.prefix));
        streams
            .collect::<Result<_, _>>()
            .map_err(|why| invalid(ErrorKind::InvalidOption, why.into()))
    }

    pub(crate) fn finish(
        self,
        transport: Arc<dyn Transport>,
        streams: Vec<StreamConfig>,
    ) -> EventBus {
        let tracing = Tracing::new(transport.name(), self.trace_source);
        let inner = Inner {
            transport,
            codec: self.codec,
            clock: self.clock,
            ids: self.ids,
            source: self.source.unwrap_or_else(program_name),
            prefix: self.prefix,
            metadata: self.metadata,
            streams,
            consumers: self.consumers,
            bucket: self.bucket,
            publish_timeout: self.publish_timeout,
            max_payload: self.max_payload,
            delayed_naks: Arc::default(),
            process_gate: if self.simulated_process {
                Arc::default()
            } else {
                ProcessGate::of_process()
            },
            tracing,
            observer: self.observer,
            discarded: self.discarded,
            ending: watch::Sender::new(false),
        };
        EventBus {
            inner: Arc::new(inner),
        }
    }
}

/// The file name of this program without its extension.
fn program_name() -> Text {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    let name = NAME.get_or_init(|| {
        let program = std::env::args_os().next()?;
        Some(Path::new(&program).file_stem()?.to_str()?.to_owned())
    });
    Text::from_static(
        name.as_deref()
            .unwrap_or(event_sdk_core::EnvelopeHeader::UNKNOWN_SOURCE),
    )
}
