//! The bus: one transport, one prefix, one clock, one source of ids.

mod applied;
mod builder;
mod consumer_spec;
mod routes;

pub use applied::{Applied, AppliedConsumer};
pub use builder::BusBuilder;
pub use consumer_spec::ConsumerSpec;
pub(crate) use routes::{Routes, one_stream};

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::codec::Codec;
use event_sdk_core::event::ValueHeader;
use event_sdk_core::stream::StreamConfig;
use event_sdk_core::text::Text;
use event_sdk_core::time::{Clock, IdSource};
use event_sdk_core::transport::{
    Completion, ConsumerConfig, ConsumerName, Drained, Error, StreamChange, StreamState, Transport,
    TransportExt as _,
};
use event_sdk_core::{Event, EventSet};

use crate::history::HistoryQuery;
use crate::publish::{Publisher, PublisherSet};
use crate::subscribe::Subscribe;

/// Publishes and subscribes to events: the one thing that a service passes around.
///
/// It is a handle; clones share everything.
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
    pub(crate) publish_timeout: Duration,
    pub(crate) max_payload: usize,
}

impl Inner {
    /// Gives a durable that is declared its settings, where it has the defaults.
    pub(crate) fn declared(&self, config: &mut ConsumerConfig) {
        let ConsumerName::Durable(name) = &config.name else {
            return;
        };
        let mut declared = self.consumers.iter();
        let Some(spec) = declared.find(|spec| spec.name() == name.as_str()) else {
            return;
        };
        let default = ConsumerConfig::new(config.name.clone(), Vec::new());
        let declared = spec.config();
        set(&mut config.deliver, &default.deliver, &declared.deliver);
        set(&mut config.ack, &default.ack, &declared.ack);
        set(&mut config.ack_wait, &default.ack_wait, &declared.ack_wait);
        let most = &declared.max_deliver;
        set(&mut config.max_deliver, &default.max_deliver, most);
        let most = &declared.max_ack_pending;
        set(&mut config.max_ack_pending, &default.max_ack_pending, most);
        set(&mut config.backoff, &default.backoff, &declared.backoff);
    }
}

/// Sets what is the default to what is declared.
fn set<T: Clone + PartialEq>(is: &mut T, default: &T, declared: &T) {
    if is == default {
        declared.clone_into(is);
    }
}

impl EventBus {
    /// A bus in this process: the memory transport with one stream, which keeps
    /// the newest 100,000 events.
    #[cfg(feature = "memory")]
    #[must_use]
    pub fn memory() -> Self {
        BusBuilder::new().with_default_memory()
    }

    /// A bus with settings of its own.
    #[must_use]
    pub fn builder() -> BusBuilder {
        BusBuilder::new()
    }

    /// Publishes events of the type `E`.
    #[must_use]
    pub fn publisher<E: Event>(&self) -> Publisher<E> {
        Publisher::new(self.clone())
    }

    /// Makes publishers for the events of the set `S`, and for no others: what a
    /// service promises to publish, checked by the compiler.
    #[must_use]
    pub fn publisher_set<S: EventSet>(&self) -> PublisherSet<S> {
        PublisherSet::new(self.clone())
    }

    /// Receives the events of the set `S`, or of one type.
    ///
    /// Add options, then await it.
    pub fn subscribe<S: EventSet>(&self) -> Subscribe<S> {
        Subscribe::new(self.clone())
    }

    /// Reads events of the set `S` that are stored, without a consumer.
    ///
    /// Add options, then await it.
    pub fn history<S: EventSet>(&self) -> HistoryQuery<S> {
        HistoryQuery::new(self.clone())
    }

    /// What goes before every relative subject.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.inner.prefix
    }

    /// The name under which this service publishes.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// The clock by which events are dated.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// What carries the events.
    #[must_use]
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.inner.transport
    }

    /// What a stream is and holds now.
    ///
    /// # Errors
    ///
    /// The transport's, when there is no such stream for example.
    pub fn stream_state(&self, stream: &str) -> Completion<Result<StreamState, Error>> {
        self.inner.transport.stream_state(stream)
    }

    /// Creates the [declared](BusBuilder::stream) streams, or changes them to be
    /// as declared; answers for each, in the order of the declarations, what that
    /// changed. Nothing else of the SDK creates or changes a stream.
    ///
    /// A program that deploys calls it once, before it subscribes; it needs the
    /// permission to manage streams, which a service that publishes and subscribes
    /// does not. A subject can move from one stream to another that is declared
    /// after it.
    ///
    /// Dropping the future leaves open how many of the streams were applied;
    /// applying them again is safe.
    ///
    /// # Errors
    ///
    /// The transport's at the first stream that cannot be as it is declared,
    /// which the error names; those before it are applied.
    pub async fn apply_streams(&self) -> Result<Vec<(Text, StreamChange)>, Error> {
        let mut changes = Vec::with_capacity(self.inner.streams.len());
        for config in &self.inner.streams {
            let change = self.inner.transport.apply_stream(config).await?;
            changes.push((config.name.clone(), change));
        }
        Ok(changes)
    }

    /// Ends in good order: what a service does when it is told to stop.
    ///
    /// Subscriptions end, and publishing is refused from now on; publishes that
    /// were handed over are confirmed. Deliveries that handlers have can be
    /// settled until `within` is over, and the answer comes as soon as all are;
    /// what is not settled by then is put back for others, and the transport is
    /// closed. A handler that has to publish before it acknowledges should have
    /// ended before this.
    ///
    /// Dropping the answer leaves open how far it got: drain again, or
    /// [`close`](Self::close).
    ///
    /// # Errors
    ///
    /// The transport's, when it could not be ended properly.
    pub fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.inner.transport.drain(within)
    }

    /// Ends all subscriptions and refuses everything from now on.
    /// [`drain`](Self::drain) waits for what is in hand.
    ///
    /// # Errors
    ///
    /// The transport's, when it could not be ended properly.
    pub fn close(&self) -> Completion<Result<(), Error>> {
        self.inner.transport.close()
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The head of an event that happens at `now` and has no cause.
    #[inline]
    pub(crate) fn new_head<E: Event>(&self, now: jiff::Timestamp) -> ValueHeader {
        let now = micros(now);
        let id = self.inner.ids.next_id(now);
        let mut head = ValueHeader::first(id, now, self.inner.source.clone());
        if !self.inner.metadata.is_empty() {
            head.change(&E::SPEC, |head| {
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

/// Cuts an instant to the microseconds that the wire contract has, so that a
/// handed-over event is the same as one that was written and read.
#[inline]
pub(crate) fn micros(instant: jiff::Timestamp) -> jiff::Timestamp {
    let nanos = instant.subsec_nanosecond();
    jiff::Timestamp::new(instant.as_second(), nanos - nanos % 1_000).unwrap_or(instant)
}
