//! `EventBus`: the handle that the parts of a service share. It has a transport, a subject prefix,
//! a codec, a clock and a source of ids.
//!
//! Publishing, subscribing and reading history are in the modules `publish`, `subscribe` and
//! `history`.

mod applied;
mod builder;
mod consumer_spec;
mod routes;
mod wanted;

pub use applied::{Applied, AppliedConsumer};
pub use builder::BusBuilder;
pub use consumer_spec::ConsumerSpec;
pub(crate) use routes::{Routes, one_stream};
pub(crate) use wanted::Wanted;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event_sdk_core::Event;
use event_sdk_core::codec::Codec;
use event_sdk_core::event::ValueHeader;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::subject::check_prefix;
use event_sdk_core::text::Text;
use event_sdk_core::time::{Clock, IdSource};
use event_sdk_core::transport::{
    Bucket, BucketConfig, Completion, ConsumerName, Drained, Error, ErrorKind, Operation,
    StreamChange, StreamState, Transport, TransportExt as _,
};

use tokio::sync::watch;

use crate::delayed_naks::Registry;
use crate::observer::Observer;
use crate::process_gate::ProcessGate;
use crate::trace::Tracing;

/// The handle with which a service publishes, subscribes, reads history and shuts down.
///
/// Clones are cheap and share the same bus.
///
/// ```
/// use event_sdk::{Event, EventBus};
/// use serde::{Deserialize, Serialize};
///
/// /// A flight has left its gate.
/// #[derive(Event, Serialize, Deserialize)]
/// #[event(domain = "flights", entity = "flight", action = "departed")]
/// struct FlightDeparted { #[event(key)] flight: String, delay_minutes: i32 }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bus = EventBus::memory();
/// let mut board = bus.subscribe::<FlightDeparted>().await?;
///
/// bus.publisher::<FlightDeparted>()
///     .publish(FlightDeparted { flight: "UA1545".into(), delay_minutes: 2 })
///     .await?;
///
/// let delivery = board.next().await.ok_or("the bus was closed")??;
/// assert_eq!(delivery.decode()?.flight, "UA1545");
/// delivery.ack().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct EventBus {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) codec: Arc<dyn Codec>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) prefix: Text,
    pub(crate) source: Text,
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) streams: Vec<StreamConfig>,
    consumers: Vec<ConsumerSpec>,
    /// The declared bucket.
    bucket: Option<BucketConfig>,
    pub(crate) publish_timeout: Duration,
    pub(crate) max_payload: usize,
    pub(crate) delayed_naks: Arc<Registry>,
    process_gate: Arc<ProcessGate>,
    pub(crate) tracing: Tracing,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// The number of events that the transport has accepted and dropped, if it does that.
    discarded: Option<Arc<AtomicU64>>,
    /// Whether the bus is being drained, or was closed.
    ending: watch::Sender<bool>,
}

impl Inner {
    /// The same with another prefix.
    fn with_prefix(&self, prefix: Text) -> Self {
        Self {
            transport: Arc::clone(&self.transport),
            codec: Arc::clone(&self.codec),
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
            prefix,
            source: self.source.clone(),
            metadata: self.metadata.clone(),
            streams: self.streams.clone(),
            consumers: self.consumers.clone(),
            bucket: self.bucket.clone(),
            publish_timeout: self.publish_timeout,
            max_payload: self.max_payload,
            delayed_naks: Arc::clone(&self.delayed_naks),
            process_gate: Arc::clone(&self.process_gate),
            tracing: self.tracing.clone(),
            observer: self.observer.clone(),
            discarded: self.discarded.clone(),
            ending: self.ending.clone(),
        }
    }

    /// The declaration of this durable.
    pub(crate) fn declared(&self, name: &ConsumerName) -> Option<&ConsumerSpec> {
        let ConsumerName::Durable(name) = name else {
            return None;
        };
        let mut declared = self.consumers.iter();
        declared.find(|spec| spec.has_durable(name))
    }

    /// The declaration of the consumer of this name.
    pub(crate) fn declared_consumer(&self, name: &str) -> Option<&ConsumerSpec> {
        self.consumers.iter().find(|spec| spec.name() == name)
    }
}

impl EventBus {
    /// A bus on the memory transport, with one stream that keeps the newest 100,000 events.
    #[cfg(feature = "memory")]
    #[must_use]
    pub fn memory() -> Self {
        BusBuilder::new().with_default_memory()
    }

    /// Starts the builder of a bus with other settings, or on another transport.
    #[must_use]
    pub fn builder() -> BusBuilder {
        BusBuilder::new()
    }

    /// The prefix of all relative subjects.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.inner.prefix
    }

    /// Returns another handle of this bus with another prefix for relative subjects. Both handles
    /// share everything else: the connection, the declared streams and durables, clock and ids.
    /// Draining or closing one handle drains or closes both.
    ///
    /// Use it to receive events that another application publishes under its own prefix, or to
    /// publish events to that application.
    ///
    /// ```
    /// use event_sdk::EventBus;
    ///
    /// # fn main() -> Result<(), event_sdk::Error> {
    /// let to_worker = EventBus::builder().prefix("production.billing.sync.worker").memory()?;
    /// let from_worker = to_worker.with_prefix("production.worker.sync.billing")?;
    /// assert_eq!(from_worker.prefix(), "production.worker.sync.billing");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](event_sdk_core::ErrorKind::InvalidSubject) for a malformed prefix.
    pub fn with_prefix(&self, prefix: impl Into<Text>) -> Result<Self, Error> {
        let prefix = prefix.into();
        check_prefix(&prefix).map_err(|why| {
            Error::new(
                ErrorKind::InvalidSubject,
                Operation::Configure,
                why.to_string(),
            )
        })?;
        Ok(Self {
            inner: Arc::new(self.inner.with_prefix(prefix)),
        })
    }

    /// The number of events that this bus has accepted and dropped. Only a bus that was configured
    /// with `transport = "discard"` (feature `config`) drops events. On every other bus, the number
    /// is zero.
    #[must_use]
    pub fn discarded(&self) -> u64 {
        let discarded = self.inner.discarded.as_ref();
        discarded.map_or(0, |discarded| discarded.load(Ordering::Relaxed))
    }

    /// The name of this service, written to the envelope's `source`.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// The clock that sets the timestamps of events.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// The transport.
    #[must_use]
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.inner.transport
    }

    /// The gate of the handlers that run in the process of this bus.
    pub(crate) fn process_gate(&self) -> &Arc<ProcessGate> {
        &self.inner.process_gate
    }

    /// The bucket of this bus: it stores entries by key, and changes them by compare-and-set. The
    /// instances of a service use it to share leases and other state. See
    /// [`BusBuilder::coordination`].
    ///
    /// The consumers of this bus keep their entries in the same bucket. Begin the keys of your own
    /// entries with the name of the service.
    #[must_use]
    pub fn coordination(&self) -> Bucket {
        let name = match &self.inner.bucket {
            Some(bucket) => bucket.name.clone(),
            None => Text::from_static(BucketConfig::DEFAULT_NAME),
        };
        Bucket::new(Arc::clone(&self.inner.transport), name)
    }

    /// Returns a stream's configuration and its current counts.
    ///
    /// Cancel-safe: dropping the future has no effect.
    ///
    /// # Errors
    ///
    /// [`StreamNotFound`](event_sdk_core::ErrorKind::StreamNotFound),
    /// [`Unsupported`](event_sdk_core::ErrorKind::Unsupported) on a transport without streams,
    /// [`PermissionDenied`](event_sdk_core::ErrorKind::PermissionDenied),
    /// [`Closed`](event_sdk_core::ErrorKind::Closed), or errors of the connection.
    pub fn stream_state(&self, stream: &str) -> Completion<Result<StreamState, Error>> {
        self.inner.transport.stream_state(stream)
    }

    /// Creates or changes the [declared](BusBuilder::stream) streams to match their declarations.
    /// Returns what changed for each stream, in the order of the declarations.
    ///
    /// [`apply`](Self::apply) calls this method before it applies the durables. A bus on the memory
    /// transport creates its declared streams when it is built. Publishing and subscribing never
    /// create or change a stream.
    ///
    /// Call it once in a deployment step, before anything subscribes. The deployment step needs
    /// permission to manage streams; the services do not. To move a subject to another stream,
    /// declare the new stream after the old one.
    ///
    /// Not cancel-safe: after dropping the future, some streams may have been applied. Applying
    /// them again is safe.
    ///
    /// # Errors
    ///
    /// The error of the first stream that cannot be applied. The error names this stream. The
    /// streams that were declared before this stream are applied. Kinds:
    /// [`InvalidOption`](event_sdk_core::ErrorKind::InvalidOption) for an impossible configuration
    /// or change, and if an existing stream copies other streams than its declaration says,
    /// [`PermissionDenied`](event_sdk_core::ErrorKind::PermissionDenied),
    /// [`Unsupported`](event_sdk_core::ErrorKind::Unsupported), or errors of the connection.
    pub async fn apply_streams(&self) -> Result<Vec<(Text, StreamChange)>, Error> {
        self.change_no_copies().await?;
        self.change_streams().await
    }

    async fn change_streams(&self) -> Result<Vec<(Text, StreamChange)>, Error> {
        let mut changes = Vec::with_capacity(self.inner.streams.len());
        for config in &self.inner.streams {
            let supported = self
                .inner
                .transport
                .check_needs(config.needs(), Operation::Manage);
            supported.map_err(|error| error.at_stream(config.name.clone()))?;
            let change = self.inner.transport.apply_stream(config).await?;
            changes.push((config.name.clone(), change));
        }
        Ok(changes)
    }

    /// Shuts the bus down gracefully. Call this method when the service has to stop.
    ///
    /// Subscriptions end: [`next`](crate::Subscriber::next) returns `None`. Handlers can publish
    /// and settle their deliveries until the last delivery is settled or `within` is over. So a
    /// handler can finish if it publishes before it acknowledges. If a handler publishes after its
    /// acknowledgement, that publish may be refused. If no delivery is unsettled when the drain
    /// begins, publishing is refused at once. All other operations return
    /// [`Closed`](crate::transport::ErrorKind::Closed) at once.
    ///
    /// When the wait ends, publishes in flight are confirmed, unsettled deliveries are given back
    /// to the stream, as by a nak without delay, and the transport is closed.
    ///
    /// If the server does not answer, the drain takes at most 0.5 s longer. If `within` is less
    /// than 2 s, the drain can take up to 2.5 s in total, because it gives back prefetched
    /// messages.
    ///
    /// The drain begins when the method is called. Dropping the future leaves the drain unfinished:
    /// call `drain` again, or [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// Errors of the transport while it closes.
    pub fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.inner.ending.send_replace(true);
        self.inner.transport.drain(within)
    }

    /// Ends all subscriptions at once and refuses every further operation. To wait for unsettled
    /// deliveries, use [`drain`](Self::drain).
    ///
    /// Closing begins when the method is called; dropping the future does not stop it.
    ///
    /// # Errors
    ///
    /// Errors of the transport while it closes.
    pub fn close(&self) -> Completion<Result<(), Error>> {
        self.inner.ending.send_replace(true);
        self.inner.transport.close()
    }

    /// Completes when this bus is drained or closed. A consumer without room for another event does
    /// not ask its subscription, which would tell it.
    pub(crate) fn ending(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ending = self.inner.ending.subscribe();
        async move {
            if ending.wait_for(|ending| *ending).await.is_err() {
                // Nobody can drain it any more.
                std::future::pending::<()>().await;
            }
        }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The head of an event that happens at `now` and has no cause.
    #[inline]
    pub(crate) fn new_head<E: Event>(&self, event: &E, now: jiff::Timestamp) -> ValueHeader {
        let now = micros(now);
        let id = self.inner.ids.next_id(now);
        let mut head = ValueHeader::first(id, now, self.inner.source.clone());
        if !self.inner.metadata.is_empty() {
            head.change(event, |head| {
                for (name, text) in &self.inner.metadata {
                    head.metadata.insert(name.as_str(), text.as_str());
                }
            });
        }
        head
    }
}

impl fmt::Debug for EventBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBus")
            .field("transport", &self.inner.transport.name())
            .field("prefix", &self.inner.prefix)
            .field("source", &self.inner.source)
            .finish_non_exhaustive()
    }
}

/// Truncates an instant to the microseconds of the wire contract, so that an event that is passed
/// without encoding equals an event that was encoded and decoded.
#[inline]
pub(crate) fn micros(instant: jiff::Timestamp) -> jiff::Timestamp {
    let nanos = instant.subsec_nanosecond();
    jiff::Timestamp::new(instant.as_second(), nanos - nanos % 1_000).unwrap_or(instant)
}
