//! Rig of the tests: an event, a database in a folder of its own, a bus, and relays that a test stops or
//! kills.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use event_sdk::transport::memory::MemoryTransport;
use event_sdk::{Event, EventBus};
use event_sdk_sql::{Outbox, Relay, RelayReport, StoreError};
use event_sdk_testing::intercept::Intercepted;
use serde::{Deserialize, Serialize};
use sqlx::Pool;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::ShiftedClock;
use crate::database::{self, Db, Home};
use crate::script::Script;

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) order: String,
    pub(crate) n: u32,
}

pub(crate) fn placed(order: &str, n: u32) -> OrderPlaced {
    let order = order.to_owned();
    OrderPlaced { order, n }
}

/// A note was taken. It has no key.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(domain = "notes")]
pub(crate) struct NoteTaken {
    pub(crate) n: u32,
}

/// Long enough for a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Rig {
    /// Keeps the database.
    _home: Home,
    pub(crate) pool: Pool<Db>,
    pub(crate) bus: EventBus,
    pub(crate) outbox: Outbox<Db>,
    pub(crate) script: Script,
    pub(crate) clock: ShiftedClock,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let rig = Self::without_tables().await;
        rig.outbox.migrate().await.expect("migrate");
        rig
    }

    pub(crate) async fn without_tables() -> Self {
        let (home, pool) = database::open().await;
        Self::over(home, pool)
    }

    pub(crate) fn over(home: Home, pool: Pool<Db>) -> Self {
        let (script, clock) = (Script::pass(), ShiftedClock::default());
        let bus = bus(&script, &clock);
        Self {
            outbox: Outbox::new(pool.clone(), bus.clone()),
            _home: home,
            pool,
            bus,
            script,
            clock,
        }
    }

    /// Stores events, all in one transaction.
    pub(crate) async fn enqueue(&self, events: impl IntoIterator<Item = OrderPlaced>) {
        let mut tx = self.outbox.begin().await.expect("begin");
        for event in events {
            let enqueued = self.outbox.enqueue(&mut tx, event).await;
            enqueued.expect("enqueue");
        }
        tx.commit().await.expect("commit");
    }

    /// The events of the stream, by key, in order.
    pub(crate) async fn stored(&self) -> BTreeMap<String, Vec<u32>> {
        stored(&self.bus).await
    }

    /// Waits until the stream has these events of each key, in this order.
    pub(crate) async fn wait_for(&self, expected: &[(&str, Vec<u32>)]) {
        let expected: BTreeMap<_, _> = expected
            .iter()
            .map(|(key, events)| ((*key).to_owned(), events.clone()))
            .collect();
        wait_until("the stream has the events", async || {
            self.stored().await == expected
        })
        .await;
    }

    /// Waits until this many rows are marked as published.
    pub(crate) async fn wait_for_marks(&self, rows: i64) {
        wait_until("the rows are marked", async || {
            self.count("state = 2").await == rows
        })
        .await;
    }

    /// The rows of the outbox that meet a condition.
    pub(crate) async fn count(&self, condition: &str) -> i64 {
        let count = format!("select count(*) from event_outbox where {condition}");
        let mut tx = self.pool.begin().await.expect("begin");
        let count = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .persistent(false)
            .fetch_one(&mut *tx)
            .await
            .expect("a count");
        tx.commit().await.expect("commit");
        count
    }

    pub(crate) async fn execute(&self, sql: &'static str) {
        let done = sqlx::raw_sql(sql).execute(&self.pool).await;
        done.expect("the statement of a test");
    }

    pub(crate) fn start(&self) -> Running {
        Running::new(self.relay())
    }

    /// A relay that waits little between attempts.
    pub(crate) fn relay(&self) -> Relay {
        self.outbox
            .relay()
            .idle_poll(Duration::from_millis(20))
            .retry(event_sdk::consumer::Retry::steps([Duration::from_millis(5)]).max_attempts(3))
    }
}

pub(crate) fn bus(script: &Script, clock: &ShiftedClock) -> EventBus {
    let memory = MemoryTransport::builder()
        .clock(std::sync::Arc::new(clock.clone()))
        .stream(event_sdk::stream::StreamConfig::new(
            "ALL",
            vec![event_sdk::subject!("events.>")],
        ))
        .build()
        .expect("a memory transport");
    EventBus::builder()
        .clock(std::sync::Arc::new(clock.clone()))
        .simulated_process()
        .transport(Intercepted::new(memory, script.clone()))
        .expect("a bus")
}

pub(crate) async fn stored(bus: &EventBus) -> BTreeMap<String, Vec<u32>> {
    let mut events: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut history = bus.history::<OrderPlaced>().await.expect("history");
    while let Some(event) = history.next().await {
        let event = event.expect("an event").decode().expect("an order");
        events.entry(event.order).or_default().push(event.n);
    }
    events
}

/// Polls until the condition holds; fails after a minute.
pub(crate) async fn wait_until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A relay in a task of its own.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<RelayReport, StoreError>>,
}

impl Running {
    pub(crate) fn new(relay: Relay) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(relay.run_until(async {
            drop(stopped.await);
        }));
        Self { stop, task }
    }

    /// Stops it cleanly.
    pub(crate) async fn stop(self) -> RelayReport {
        drop(self.stop);
        self.task.await.expect("no panic").expect("a report")
    }

    /// Drops it wherever it is.
    pub(crate) async fn kill(self) {
        self.task.abort();
        drop(self.task.await);
    }

    /// Waits for the error that ends it.
    pub(crate) async fn failure(self) -> StoreError {
        self.task.await.expect("no panic").expect_err("an error")
    }
}
