//! A bus on memory, a database on SQLite, and a service that writes invoices.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use event_sdk::consumer::{Consumer, ConsumerReport, Failure, Retry};
use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::TransportExt as _;
use event_sdk::{Event, EventBus, Prepared};
use event_sdk_sql::{EffectOf, EffectTx, Inbox, Outbox};
use serde::{Deserialize, Serialize};
use sqlx::{Pool, Row as _};

use crate::database::{CREATE_INVOICES, Database, Db};

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) customer: String,
    pub(crate) order: i64,
}

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "billing")]
pub(crate) struct OrderBilled {
    pub(crate) order: i64,
}

/// What a test uses. A clone is the same.
#[derive(Clone)]
pub(crate) struct Rig {
    pub(crate) bus: EventBus,
    /// For the test itself.
    pub(crate) pool: Pool<Db>,
    /// For the service.
    pub(crate) service: Pool<Db>,
    pub(crate) inbox: Inbox<Db>,
    pub(crate) place: DeadLetterStream,
    pub(crate) database: Database,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        Self::over(Database::new().await).await
    }

    pub(crate) async fn over(database: Database) -> Self {
        let place = DeadLetterStream::new("DLQ");
        let bus = EventBus::builder()
            .stream(StreamSpec::new("EVENTS").subject(">"))
            .stream(place.spec())
            .stream(place.retry_spec())
            .memory()
            .unwrap();
        let pool = database.direct().await;
        let service = database.pool(5, Duration::from_secs(5)).await;
        let outbox = Outbox::new(service.clone(), bus.clone());
        let migration = Outbox::new(pool.clone(), bus.clone());
        migration.migrate().await.unwrap();
        sqlx::query(CREATE_INVOICES).execute(&pool).await.unwrap();
        let inbox = Inbox::builder(service.clone()).outbox(&outbox).build();
        Self {
            bus,
            pool,
            service,
            inbox,
            place,
            database,
        }
    }

    /// For a task of its own.
    pub(crate) fn share(&self) -> Self {
        self.clone()
    }

    pub(crate) async fn place_orders(&self, orders: impl IntoIterator<Item = i64>) {
        for order in orders {
            self.place_for("ada", order).await;
        }
    }

    pub(crate) async fn place_for(&self, customer: &str, order: i64) {
        self.bus
            .publisher()
            .publish(placed(customer, order))
            .await
            .unwrap();
    }

    /// Publishes an event so that it is stored twice, under two sequences.
    pub(crate) async fn place_twice(&self, order: i64) {
        let publisher = self.bus.publisher();
        let event: Prepared<OrderPlaced> = publisher.prepare(placed("ada", order));
        publisher.publish(&event).await.unwrap();
        let again = event.message_id(format!("{order} again"));
        publisher.publish(again).await.unwrap();
    }

    /// A consumer with a short ack wait and quick retries.
    pub(crate) fn consumer(&self) -> Consumer<OrderPlaced> {
        self.bus
            .consumer::<OrderPlaced>("billing")
            .ack_wait(Duration::from_millis(300))
            .retry(Retry::steps([Duration::from_millis(10)]).max_attempts(3))
    }

    /// Runs a consumer until nothing is left for it.
    pub(crate) async fn run(&self, consumer: Consumer<OrderPlaced>) -> ConsumerReport {
        consumer.run_until(self.settled()).await.unwrap()
    }

    /// Completes when the consumer has settled all events, those of the retry stream too.
    pub(crate) async fn settled(&self) {
        eventually("everything is settled", async || {
            for stream in ["EVENTS", self.place.retry_name()] {
                match self.bus.transport().consumer_info(stream, "billing").await {
                    Ok(info) if info.pending == 0 && info.ack_pending == 0 => {}
                    Err(_) if stream != "EVENTS" => {}
                    _ => return false,
                }
            }
            true
        })
        .await;
    }

    /// The orders that have an invoice.
    pub(crate) async fn invoices(&self) -> Vec<i64> {
        let select = "select order_id from invoices order by order_id";
        let rows = sqlx::query(select).fetch_all(&self.pool).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The outcomes of the records, by event: how many are done, how many dead.
    pub(crate) async fn records(&self) -> (u64, u64) {
        let status = self.inbox.status("billing").await.unwrap();
        (status.done, status.dead)
    }

    /// Executes statements of a test.
    pub(crate) async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&self.pool).await.unwrap();
    }

    /// The number of rows of a table that a condition selects.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query(sql).fetch_one(&self.pool).await.unwrap().get(0)
    }
}

pub(crate) fn placed(customer: &str, order: i64) -> OrderPlaced {
    OrderPlaced {
        customer: customer.to_owned(),
        order,
    }
}

/// Polls a condition until it holds, for a minute at most.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < Duration::from_mins(1), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Writes an invoice, and then does what the closure says.
pub(crate) struct Billing<F> {
    /// How often an effect was begun.
    pub(crate) begun: Arc<AtomicU32>,
    pub(crate) then: F,
}

impl<F> Billing<F> {
    pub(crate) fn new(then: F) -> Self {
        Self {
            begun: Arc::default(),
            then,
        }
    }
}

/// Writes an invoice and succeeds.
pub(crate) fn billing() -> Billing<impl Fn(i64, u32) -> Result<(), Failure> + Send + Sync + 'static>
{
    Billing::new(|_, _| Ok(()))
}

impl<F> EffectOf<OrderPlaced, Db> for Billing<F>
where
    F: Fn(i64, u32) -> Result<(), Failure> + Send + Sync + 'static,
{
    async fn apply(&self, placed: OrderPlaced, tx: &mut EffectTx<Db>) -> Result<(), Failure> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        write_invoice(tx, &placed).await?;
        (self.then)(placed.order, tx.ctx().attempt())
    }
}

/// Fails if the order has an invoice: a doubled effect is never overlooked.
pub(crate) async fn write_invoice(
    tx: &mut EffectTx<Db>,
    placed: &OrderPlaced,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into invoices (order_id, customer) values ($1, $2)")
        .bind(placed.order)
        .bind(&placed.customer)
        // Without a name: on PostgreSQL, a proxy gives each transaction another connection.
        .persistent(false)
        .execute(&mut **tx)
        .await
        .map(drop)
}
