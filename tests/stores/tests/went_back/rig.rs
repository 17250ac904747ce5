//! Rig of the tests: a server, an outbox and an inbox on SQLite, relays and a consumer, and a clock that
//! can be set forward.

use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use event_sdk::consumer::{Consumer, Failure, Retry};
use event_sdk::stream::StreamSpec;
use event_sdk::time::{Clock, Sleep, TokioClock};
use event_sdk::transport::nats::{Nats, NatsOptions};
use event_sdk::{Event, EventBus};
use event_sdk_sql::{
    EffectOf, EffectTx, Inbox, Outbox, Relay, RelayReport, Sqlite, StoreError, StreamLoss,
};
use event_sdk_test_servers::programs::{Program, nats};
use event_sdk_test_servers::{Options, Server};
use event_sdk_test_stores::sqlite_pool;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const STREAM: &str = "ORDERS";

/// Longer than the duplicate window, and shorter than a loss is repaired.
pub(crate) const FIVE_MINUTES: Duration = Duration::from_mins(5);

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) customer: String,
    pub(crate) n: u32,
}

/// Runs a scenario on both servers.
macro_rules! on_both_servers {
    ($($scenario:ident),* $(,)?) => {$(
        mod $scenario {
            use crate::rig::{newest, oldest};

            #[tokio::test(flavor = "multi_thread")]
            async fn on_the_oldest_server() {
                super::$scenario(oldest()).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_the_newest_server() {
                super::$scenario(newest()).await;
            }
        }
    )*};
}
pub(crate) use on_both_servers;

pub(crate) fn oldest() -> Program {
    nats::oldest().expect("the oldest supported server")
}

pub(crate) fn newest() -> Program {
    nats::current().expect("the current server")
}

pub(crate) struct Rig {
    pub(crate) server: Server,
    pub(crate) bus: EventBus,
    pub(crate) outbox: Outbox<Sqlite>,
    pub(crate) pool: SqlitePool,
    pub(crate) clock: ShiftedClock,
    losses: Arc<Mutex<Vec<StreamLoss>>>,
    _home: TempDir,
}

impl Rig {
    pub(crate) async fn start(program: Program) -> Self {
        Self::start_with(Server::options().program(program), |options| options).await
    }

    pub(crate) async fn start_with(
        server: Options,
        say: impl Fn(NatsOptions) -> NatsOptions,
    ) -> Self {
        let server = server.start().await.expect("a server");
        let clock = ShiftedClock::default();
        let bus = bus(say(options(&server)), &clock).await;
        let home = tempfile::tempdir().expect("a folder");
        let pool = sqlite_pool(&home.path().join("shop.db")).await;
        let pool = pool.expect("a database");
        let outbox = Outbox::new(pool.clone(), bus.clone());
        outbox.migrate().await.expect("migrate");
        Self {
            server,
            bus,
            outbox,
            pool,
            clock,
            losses: Arc::default(),
            _home: home,
        }
    }

    pub(crate) async fn with_stream(program: Program) -> Self {
        let rig = Self::start(program).await;
        rig.bus.apply_streams().await.expect("the stream is made");
        rig
    }

    /// Stores events in one transaction.
    pub(crate) async fn enqueue(&self, numbers: impl IntoIterator<Item = u32>) {
        let mut tx = self.outbox.begin().await.expect("begin");
        for n in numbers {
            tx.publish(placed(n)).await.expect("enqueue");
        }
        tx.commit().await.expect("commit");
    }

    /// A relay that waits little between attempts.
    pub(crate) fn relay(&self) -> Running {
        self.relay_over(&self.bus, |relay| relay)
    }

    /// A relay that publishes with another connection, or has other options.
    pub(crate) fn relay_over(&self, bus: &EventBus, say: impl Fn(Relay) -> Relay) -> Running {
        let losses = Arc::clone(&self.losses);
        let outbox = Outbox::new(self.pool.clone(), bus.clone());
        let relay = outbox
            .relay()
            .idle_poll(Duration::from_millis(20))
            .retry(Retry::steps([Duration::from_millis(50)]).max_attempts(3))
            .on_stream_loss(move |loss| {
                let mut losses = losses.lock().unwrap_or_else(PoisonError::into_inner);
                losses.push(loss.clone());
            });
        Running::new(say(relay))
    }

    /// What was reported.
    pub(crate) fn losses(&self) -> Vec<StreamLoss> {
        let losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        losses.clone()
    }

    pub(crate) async fn wait_for_marks(&self, rows: i64) {
        wait_until("the rows are marked", async || {
            let count = "select count(*) from event_outbox where state = 2";
            let marked: i64 = sqlx::query_scalar(count)
                .fetch_one(&self.pool)
                .await
                .expect("a count");
            marked == rows
        })
        .await;
    }

    /// Waits until the stream has these events, in this order.
    pub(crate) async fn wait_for(&self, numbers: impl IntoIterator<Item = u32>) {
        wait_for_in(&self.bus, numbers).await;
    }

    /// A consumer that writes an invoice for each order, once.
    pub(crate) async fn billing(&self) -> (Consumer<OrderPlaced>, Inbox<Sqlite>) {
        sqlx::query("create table if not exists invoices (n integer primary key)")
            .execute(&self.pool)
            .await
            .expect("a table");
        let inbox = Inbox::builder(self.pool.clone()).build();
        let consumer = self
            .bus
            .consumer::<OrderPlaced>("billing")
            .handled_by(inbox.effects(Billing));
        (consumer, inbox)
    }

    pub(crate) async fn wait_for_invoices(&self, numbers: impl IntoIterator<Item = u32>) {
        let wanted: Vec<i64> = numbers.into_iter().map(i64::from).collect();
        wait_until("each order has its invoice", async || {
            let select = "select n from invoices order by n";
            let invoices: Vec<i64> = sqlx::query_scalar(select)
                .fetch_all(&self.pool)
                .await
                .expect("invoices");
            invoices == wanted
        })
        .await;
    }
}

pub(crate) fn placed(n: u32) -> OrderPlaced {
    OrderPlaced {
        customer: "ada".to_owned(),
        n,
    }
}

pub(crate) fn options(server: &Server) -> NatsOptions {
    let (first, longest) = (Duration::from_millis(20), Duration::from_millis(200));
    Nats::options(server.url()).reconnect_delay(first, longest)
}

pub(crate) async fn bus(options: NatsOptions, clock: &ShiftedClock) -> EventBus {
    let nats = Nats::connect(options).await.expect("a connection");
    EventBus::builder()
        .clock(Arc::new(clock.clone()))
        .stream(StreamSpec::new(STREAM).subject("orders.>"))
        .transport(nats)
        .expect("a bus")
}

/// Deletes a stream with a client of its own.
pub(crate) async fn delete_stream(server: &Server, stream: &str) {
    let client = async_nats::connect(server.url())
        .await
        .expect("a connection");
    let call = format!("$JS.API.STREAM.DELETE.{stream}");
    let answer = client.request(call, "".into()).await.expect("an answer");
    assert!(
        !answer.payload.windows(7).any(|part| part == b"\"error\""),
        "{answer:?}"
    );
}

/// The events of the stream, in order.
pub(crate) async fn stored(bus: &EventBus) -> Vec<u32> {
    let mut numbers = Vec::new();
    let Ok(mut history) = bus.history::<OrderPlaced>().await else {
        return numbers;
    };
    while let Some(Ok(event)) = history.next().await {
        numbers.push(event.decode().expect("an order").n);
    }
    numbers
}

pub(crate) async fn wait_for_in(bus: &EventBus, numbers: impl IntoIterator<Item = u32>) {
    let wanted: Vec<_> = numbers.into_iter().collect();
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let stored = stored(bus).await;
        if stored == wanted {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "the stream has {stored:?} instead of {wanted:?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Polls until the condition holds; fails after a minute.
pub(crate) async fn wait_until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A relay in a task of its own.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<RelayReport, StoreError>>,
}

impl Running {
    fn new(relay: Relay) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(relay.run_until(async {
            drop(stopped.await);
        }));
        Self { stop, task }
    }

    pub(crate) async fn stop(self) -> RelayReport {
        drop(self.stop);
        self.task.await.expect("no panic").expect("a report")
    }

    /// Drops it wherever it is, and lets its leases end at once.
    pub(crate) async fn kill(self, rig: &Rig) {
        self.task.abort();
        drop(self.task.await);
        sqlx::query("update event_outbox_shards set until = 1")
            .execute(&rig.pool)
            .await
            .expect("the leases end");
    }
}

/// Writes an invoice. A second one of the same order fails, so that a doubled effect is seen.
struct Billing;

impl EffectOf<OrderPlaced, Sqlite> for Billing {
    async fn apply(&self, placed: OrderPlaced, tx: &mut EffectTx<Sqlite>) -> Result<(), Failure> {
        sqlx::query("insert into invoices (n) values ($1)")
            .bind(i64::from(placed.n))
            .execute(&mut **tx)
            .await?;
        Ok(())
    }
}

/// A clock that runs like the real one, and whose time of day can be set forward.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShiftedClock {
    inner: TokioClock,
    millis: Arc<AtomicI64>,
}

impl ShiftedClock {
    pub(crate) fn forward(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).expect("a few days");
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        let shift = self.millis.load(Ordering::SeqCst);
        self.inner.now() + jiff::SignedDuration::from_millis(shift)
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        self.inner.sleep_until(deadline)
    }
}
