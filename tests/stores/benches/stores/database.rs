//! `BenchDatabase`: what the benchmark does with a database by hand-written SQL.

mod postgres;
mod sqlite;

use std::any::Any;
use std::future::Future;

use event_sdk_sql::InboxDatabase;
use sqlx::Pool;

use crate::raw::RawEvent;

/// A database of the benchmark, with what keeps it.
pub(crate) struct Home<DB: BenchDatabase> {
    pub(crate) pool: Pool<DB>,
    /// Ends after the pool.
    _home: Box<dyn Any + Send + Sync>,
}

/// A row that a loop publishes.
pub(crate) struct Ready {
    pub(crate) id: i64,
    pub(crate) key: String,
    pub(crate) subject: String,
    pub(crate) message_id: String,
    pub(crate) body: Vec<u8>,
}

/// What a loop marks: id, and sequence in the stream.
pub(crate) type Marks = Vec<(i64, i64)>;

/// The statements of hand-written code. Its table has the columns and indexes that the same promises
/// need: order in a key, and rows that are kept with their place in the stream.
pub(crate) trait BenchDatabase: InboxDatabase {
    const TITLE: &'static str;

    fn open() -> impl Future<Output = Home<Self>> + Send;

    /// Empties all tables.
    fn clear(pool: &Pool<Self>) -> impl Future<Output = ()> + Send;

    /// Fills the table of the SDK, and that of the loop, with the same rows: events of so many keys.
    fn fill(
        pool: &Pool<Self>,
        prefix: &str,
        rows: u32,
        keys: u64,
    ) -> impl Future<Output = ()> + Send;

    /// One transaction with one event.
    fn insert_raw(pool: &Pool<Self>, event: &RawEvent) -> impl Future<Output = ()> + Send;

    /// The next rows that no loop has published, by id.
    fn ready(pool: &Pool<Self>, after: i64, limit: i64) -> impl Future<Output = Vec<Ready>> + Send;

    /// Marks rows as published.
    fn mark(pool: &Pool<Self>, stream: &str, marks: Marks) -> impl Future<Output = ()> + Send;

    /// Whether the SDK has rows that are not published: one probe of an index, since it is asked beside
    /// the relay. A count would read all published rows each time.
    fn has_unpublished(pool: &Pool<Self>) -> impl Future<Output = bool> + Send;

    /// The effect of one order.
    fn effect(
        connection: &mut Self::Connection,
        order: i64,
        customer: String,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// The effects of orders in one transaction, without an inbox.
    fn bare_effects(
        pool: &Pool<Self>,
        orders: std::ops::Range<u64>,
    ) -> impl Future<Output = ()> + Send;
}

/// Without types, as programs in a hurry write it.
const EFFECT: &str = "insert into bench_invoices (order_id, customer) values ($1, $2)";

/// In the order of the index of ready rows.
const UNPUBLISHED: &str = "select id from event_outbox
    where state = 0 and not_before is null order by shard, id limit 1";
