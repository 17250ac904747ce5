//! `TestBus`: an event bus on memory and virtual time that records what is published.

mod builder;

pub use builder::TestBusBuilder;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk::time::{Clock, SequentialIds, SteppedClock};
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{Transport, TransportExt as _};
use event_sdk::{Event, EventBus, IntoPublishable};

use crate::failure::{fail, listing};
use crate::faults::Faults;
use crate::idle;
use crate::intercept::{Intercept, Intercepted};
use crate::published::{PublishedEvents, RecordedEvent};
use crate::read_back::ReadBack;
use crate::recorder::{Log, Recorder};
use crate::recording::Recording;

/// An [`EventBus`] for tests. It uses the memory transport, a clock that only the test moves, and
/// ids that are the same in each run. It records every event that is published on it, except events
/// that are [published later](event_sdk::PublishLater). To check a scheduled event, list it with
/// [`schedules`](event_sdk::EventBus::schedules), or advance the clock and read history.
///
/// A `TestBus` dereferences to an [`EventBus`]. Pass this `EventBus` to the code under test. For
/// another service of the same test, [`connect`](Self::connect) returns a separate bus.
///
/// ```
/// use event_sdk::{Event, EventBus};
/// use event_sdk_testing::TestBus;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
/// #[event(domain = "orders")]
/// struct OrderPlaced { #[event(key)] order: u64 }
///
/// #[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
/// #[event(domain = "billing")]
/// struct OrderInvoiced { #[event(key)] order: u64 }
///
/// // The code under test.
/// async fn billing(bus: EventBus) -> Result<(), Box<dyn std::error::Error>> {
///     let mut orders = bus.subscribe::<OrderPlaced>().durable("billing").await?;
///     while let Some(delivery) = orders.next().await {
///         let delivery = delivery?;
///         let order = delivery.decode()?.order;
///         bus.publisher().publish(OrderInvoiced { order }).caused_by(&delivery).await?;
///         delivery.ack().await?;
///     }
///     Ok(())
/// }
///
/// // In your tests: #[tokio::test]
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() {
///     let bus = TestBus::new();
///     let service = bus.connect("billing");
///     tokio::spawn(async move { billing(service).await.map_err(|error| error.to_string()) });
///
///     let placed = bus.given(OrderPlaced { order: 7 }).await;
///
///     let invoiced = bus.published::<OrderInvoiced>().caused_by(&placed).eventually().one().await;
///     assert_eq!(invoiced.order, 7);
///     bus.nothing_else();
/// }
/// ```
///
/// # Every event is read back
///
/// The bus decodes each published event with the event's own type, and encodes it again. If the
/// result is a different document, the publish fails with [`Encode`](event_sdk::ErrorKind::Encode),
/// and the next assertion on this bus fails too. Both errors contain the path of the first
/// difference. If no assertion follows, the bus panics when it is dropped.
pub struct TestBus {
    bus: EventBus,
    /// The same without faults, for the input of tests.
    undisturbed: EventBus,
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    settings: TestBusBuilder,
    recording: Recording,
    /// The connection that keeps the streams.
    server: MemoryTransport,
    /// Numbers the sources of ids, so that no two connections make the same.
    connections: AtomicU16,
}

impl TestBus {
    /// Creates a bus with the defaults of [`EventBus::memory`], and the source `test`.
    ///
    /// # Panics
    ///
    /// Never: the defaults are valid.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts the builder of a bus with other settings: streams, prefix, faults.
    pub fn builder() -> TestBusBuilder {
        TestBusBuilder::new()
    }

    /// The bus. Pass a clone to the code under test.
    #[must_use]
    pub fn bus(&self) -> &EventBus {
        &self.bus
    }

    /// Returns the bus of another service with the source `source`. It has its own connection to
    /// the same streams. Close or drain it separately, like the bus of another process.
    ///
    /// # Panics
    ///
    /// If this test bus was closed.
    #[must_use]
    #[track_caller]
    pub fn connect(&self, source: impl Into<Text>) -> EventBus {
        self.inner
            .connect(Some(source.into()), self.faults(), |transport| transport)
            .unwrap_or_else(|error| fail(&format!("no other connection to the streams: {error}")))
    }

    /// The clock of the bus and its streams.
    #[must_use]
    pub fn stepped_clock(&self) -> &SteppedClock {
        &self.inner.recording.clock
    }

    /// The faults that were [set](TestBusBuilder::faults), with the log of the injected faults.
    #[must_use]
    pub fn faults(&self) -> Option<&Faults> {
        self.inner.recording.faults.as_ref()
    }

    /// Publishes an event as the input of a test. The event is recorded, and
    /// [`nothing_else`](Self::nothing_else) does not count it.
    ///
    /// Not cancel-safe: after dropping the future, the event may be stored.
    ///
    /// # Panics
    ///
    /// If the event is not stored.
    pub async fn given<E: Event + fmt::Debug>(
        &self,
        event: impl IntoPublishable<E>,
    ) -> RecordedEvent<E> {
        let published = self.undisturbed.publisher::<E>().publish(event).await;
        self.inner.recording.check_read_back();
        match published {
            Ok(published) => {
                let id = published.event_id();
                let events = self.published::<E>();
                events
                    .narrowed(format!("id {id}"), move |event| event.id() == id)
                    .one()
            }
            Err(error) => fail(&format!("the input of the test was not published: {error}")),
        }
    }

    /// Selects the events of the type `E` that were published so far, on any connection. You can
    /// narrow the selection, and assert on it. A publish that the stream recognized as a duplicate
    /// is not recorded.
    pub fn published<E: Event + fmt::Debug>(&self) -> PublishedEvents<'_, E> {
        PublishedEvents::of(&self.inner.recording)
    }

    /// Asserts that every recorded event was selected by an assertion, or was [given](Self::given).
    ///
    /// # Panics
    ///
    /// If there are other events; the message lists them.
    #[track_caller]
    pub fn nothing_else(&self) {
        self.inner.recording.check_read_back();
        let records = self.inner.recording.log.records();
        let others: Vec<_> = records
            .iter()
            .filter(|record| !record.is_accounted())
            .collect();
        if !others.is_empty() {
            let events = if others.len() == 1 { "event" } else { "events" };
            fail(&format!(
                "expected nothing else to be published, found {} {events}:\n{}{}",
                others.len(),
                listing(others.iter().map(|record| &***record)),
                self.inner.recording.fault_report(),
            ));
        }
    }

    /// Marks all events that were recorded so far as expected: [`nothing_else`](Self::nothing_else)
    /// then only checks later events.
    pub fn account_for_all(&self) {
        for record in self.inner.recording.log.records() {
            record.account();
        }
    }

    /// Waits until no task of the runtime can run before time passes. It also waits for blocking
    /// work of the runtime (`spawn_blocking`), but not for sockets and other threads.
    ///
    /// Cancel-safe.
    ///
    /// # Panics
    ///
    /// Outside of tokio's current-thread runtime (`#[tokio::test]`).
    pub async fn settled(&self) {
        idle::settled().await;
    }

    /// Lets virtual time pass. The deadlines within `time` expire in their order, and the tasks
    /// that a deadline wakes run before the clock moves on. Timers of tokio in the code under test
    /// advance too.
    ///
    /// Cancel-safe: the clock keeps the time that has passed.
    ///
    /// # Panics
    ///
    /// Outside of tokio's current-thread runtime (`#[tokio::test]`).
    pub async fn advance(&self, time: Duration) {
        idle::advance(&self.inner.recording.clock, time).await;
    }

    /// Lets virtual time pass, like [`advance`](Self::advance), until no task waits for a deadline,
    /// but at most `longest`. Returns the time that has passed.
    ///
    /// Cancel-safe, like [`advance`](Self::advance).
    ///
    /// # Panics
    ///
    /// Outside of tokio's current-thread runtime (`#[tokio::test]`).
    pub async fn advance_until_idle(&self, longest: Duration) -> Duration {
        let clock = &self.inner.recording.clock;
        let start = clock.monotonic();
        idle::settled().await;
        loop {
            let passed = clock.monotonic().saturating_sub(start);
            let left = longest.saturating_sub(passed);
            if clock.until_next().is_none_or(|next| next > left) {
                return passed;
            }
            idle::step(clock, left).await;
        }
    }
}

impl TestBus {
    /// The bus without faults.
    pub(crate) fn undisturbed(&self) -> &EventBus {
        &self.undisturbed
    }

    /// A bus on a new connection whose calls go through `intercept`, before faults.
    pub(crate) fn connect_through(&self, intercept: impl Intercept) -> Result<EventBus, String> {
        let connected = self.inner.connect(None, self.faults(), |transport| {
            Intercepted::new(transport, intercept)
        });
        connected.map_err(|error| format!("no other connection to the streams: {error}"))
    }

    /// What the consumers that were subscribed to since then have still to handle, as text.
    pub(crate) fn left(&self, first: usize) -> Option<String> {
        let consumers = self.log().consumers_since(first).into_iter();
        let left = consumers.filter_map(|(stream, name)| {
            let info = self.inner.server.consumer_info(&stream, &name);
            let info = info.try_into_ready().ok()?.ok()?;
            let (pending, unsettled) = (info.pending, info.ack_pending);
            (pending + unsettled > 0).then(|| {
                format!(
                    "{name} has {pending} events of {stream} not delivered and {unsettled} not settled"
                )
            })
        });
        let left: Vec<_> = left.collect();
        (!left.is_empty()).then(|| left.join("; "))
    }

    pub(crate) fn log(&self) -> &Log {
        &self.inner.recording.log
    }
}

impl Inner {
    fn start(settings: TestBusBuilder) -> Result<Self, event_sdk::Error> {
        let clock = SteppedClock::starting_at(settings.start);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let mut server = MemoryTransport::builder()
            .clock(shared)
            .bucket(settings.bucket.clone())
            .codec(Arc::clone(&settings.codec));
        for stream in settings.stream_configs()? {
            server = server.stream(stream);
        }
        Ok(Self {
            server: server.build()?,
            recording: Recording {
                log: Arc::new(Log::new(Arc::clone(&settings.codec))),
                unread: Arc::default(),
                clock,
                prefix: settings.prefix.clone(),
                faults: settings.faults.clone(),
            },
            settings,
            connections: AtomicU16::new(0),
        })
    }

    /// A bus on a new connection. `last` wraps the transport once more.
    fn connect<T: Transport>(
        &self,
        source: Option<Text>,
        faults: Option<&Faults>,
        last: impl FnOnce(Arc<dyn Transport>) -> T,
    ) -> Result<EventBus, event_sdk::Error> {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let recorder = Recorder(Arc::clone(&self.recording.log));
        let recording = Intercepted::new(self.server.connect()?, recorder);
        let clock: Arc<dyn Clock> = Arc::new(self.recording.clock.clone());
        let transport: Arc<dyn Transport> = match faults {
            None => Arc::new(recording),
            Some(faults) => {
                let faults = faults.clone().on_clock(Arc::clone(&clock));
                Arc::new(faults.around(recording))
            }
        };
        let mut builder = self
            .settings
            .bus_builder()
            .clock(clock)
            .ids(Arc::new(SequentialIds::numbered(number)))
            .codec(ReadBack::new(
                Arc::clone(&self.settings.codec),
                Arc::clone(&self.recording.unread),
            ));
        if let Some(source) = source {
            builder = builder.source(source);
        }
        builder.simulated_process().transport(last(transport))
    }
}

impl Default for TestBus {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for TestBus {
    type Target = EventBus;

    fn deref(&self) -> &EventBus {
        &self.bus
    }
}

impl Drop for TestBus {
    /// An event that cannot be read back fails a test that asserts nothing afterwards.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.inner.recording.check_read_back();
        }
    }
}

impl fmt::Debug for TestBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestBus")
            .field("bus", &self.bus)
            .field("clock", &self.inner.recording.clock)
            .field("recorded", &self.inner.recording.log.len())
            .finish_non_exhaustive()
    }
}
