//! Test support: a service on the memory transport, whose requests are counted, refused or not answered;
//! waiting with a deadline.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use event_sdk::consumer::{Consumer, Outcome};
use event_sdk::stream::StreamSpec;
use event_sdk::time::SteppedClock;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{Completion, Error, ErrorKind, Operation, Transport};
use event_sdk::{Event, EventBus};
use event_sdk_testing::intercept::{Intercept, Intercepted};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// An order was placed.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) id: u64,
}

/// What happens to the requests of a transport.
#[derive(Debug, Clone, Default)]
pub(crate) struct Server {
    requests: Arc<AtomicUsize>,
    away: Arc<AtomicBool>,
    silent: Arc<AtomicBool>,
    refusing: Arc<AtomicBool>,
    panicking: Arc<AtomicBool>,
}

impl Server {
    /// The requests for streams, consumers and stored messages so far.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// There is no connection.
    pub(crate) fn away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// There is a connection, and no request is answered.
    pub(crate) fn silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::SeqCst);
    }

    /// The code of the transport has a fault.
    pub(crate) fn panicking(&self, panicking: bool) {
        self.panicking.store(panicking, Ordering::SeqCst);
    }

    /// The user has no permission for these requests.
    pub(crate) fn refusing(&self) {
        self.refusing.store(true, Ordering::SeqCst);
    }
}

impl Intercept for Server {
    fn is_connected(&self, inner: &dyn Transport) -> bool {
        !self.away.load(Ordering::SeqCst) && inner.is_connected()
    }

    fn call<T: Send + 'static>(
        &self,
        name: &'static str,
        make: impl FnOnce() -> Completion<Result<T, Error>>,
    ) -> Completion<Result<T, Error>> {
        let counted = ["streams.state", "consumers.info", "history.read"];
        if !counted.contains(&name) {
            return make();
        }
        self.requests.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panicking.load(Ordering::SeqCst), "a fault");
        if self.silent.load(Ordering::SeqCst) {
            return Completion::later(std::future::pending());
        }
        if self.refusing.load(Ordering::SeqCst) {
            let error = Error::new(ErrorKind::PermissionDenied, Operation::Manage, "denied");
            return Completion::ready(Err(error));
        }
        make()
    }
}

/// A service with the stream `ORDERS` and the dead-letter stream `DLQ`.
pub(crate) struct Service {
    pub(crate) bus: EventBus,
    pub(crate) clock: SteppedClock,
    pub(crate) server: Server,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let clock = SteppedClock::new();
        let memory = MemoryTransport::builder().clock(Arc::new(clock.clone()));
        let memory = memory.without_default_stream().build().unwrap();
        let server = Server::default();
        let bus = EventBus::builder()
            .source("billing")
            .clock(Arc::new(clock.clone()))
            .stream(StreamSpec::new("ORDERS").subject("orders.>"))
            .stream(StreamSpec::new("DLQ").absolute("dlq.>"))
            .transport(Intercepted::new(memory, server.clone()))
            .unwrap();
        bus.apply_streams().await.unwrap();
        Self { bus, clock, server }
    }

    pub(crate) async fn publish(&self, events: u64) {
        let publisher = self.bus.publisher::<OrderPlaced>();
        for id in 0..events {
            publisher.publish(OrderPlaced { id }).await.unwrap();
        }
    }
}

/// A consumer whose handlers end when a permit is added, one at a time.
pub(crate) fn gated(bus: &EventBus) -> (Consumer<OrderPlaced>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .ack_wait(Duration::from_secs(24 * 60 * 60))
        .no_handler_timeout()
        .max_ack_pending(1)
        .on(move |_: OrderPlaced, _| {
            let gate = Arc::clone(&opened);
            async move { done(&gate).await }
        });
    (consumer, gate)
}

async fn done(gate: &Semaphore) -> Outcome {
    gate.acquire().await?.forget();
    Ok(())
}

/// Runs a consumer in a task until the result is stopped.
pub(crate) struct Running {
    pub(crate) stop: tokio::sync::oneshot::Sender<()>,
    pub(crate) task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(consumer: Consumer<OrderPlaced>) -> Self {
        let mut readiness = consumer.readiness();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            consumer
                .run_until(async { drop(stopped.await) })
                .await
                .unwrap();
        });
        assert_eq!(readiness.changed().await, Some(true));
        Self { stop, task }
    }

    pub(crate) async fn end(self) {
        drop(self.stop);
        self.task.await.unwrap();
    }
}

/// The recorder of this program, whose values tests tell apart by labels.
pub(crate) fn scraped_metrics() -> PrometheusHandle {
    static RECORDER: LazyLock<PrometheusHandle> =
        LazyLock::new(|| PrometheusBuilder::new().install_recorder().unwrap());
    RECORDER.clone()
}

/// Asks until the answer is yes. The deadline is far beyond what a busy machine needs.
pub(crate) async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(60), asking);
    within
        .await
        .unwrap_or_else(|_| panic!("{what}: not within 60 s"));
}
