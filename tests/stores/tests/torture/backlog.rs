//! A long backlog, most of it of one key, made by `insert … select`; writers, a held snapshot and the
//! cleaner beside it: the rows of other keys pass, batches take the same time, and memory stays flat.
//!
//! `cargo xtask long torture` publishes all rows of a longer backlog, beside more writers, and prints rates.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event_sdk::stream::StreamConfig;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{Completion, Confirmation, Error, PublishRequest, Transport};
use event_sdk::{Event, EventBus};
use event_sdk_sql::{Outbox, Postgres, Relay, Sqlite, Store};
use event_sdk_store::outbox::{OutboxStore, ShardPosition};
use event_sdk_test_servers::Postgres as Server;
use event_sdk_test_stores::service::ServiceDatabase;
use event_sdk_test_stores::sqlite_pool;
use event_sdk_testing::intercept::{Intercept, Intercepted};
use serde::{Deserialize, Serialize};
use sqlx::Pool;
use sqlx::postgres::PgPoolOptions;

/// A line was written.
#[derive(Event, Serialize, Deserialize)]
#[event(domain = "lines")]
struct LineWritten {
    #[event(key)]
    key: String,
}

/// What differs between the databases.
struct Statements {
    /// Inserts `$rows` rows.
    fill: &'static str,
    /// Makes a transaction hold a snapshot.
    snapshot: &'static [&'static str],
}

const POSTGRES: Statements = Statements {
    snapshot: &[
        "set transaction isolation level repeatable read",
        "select count(*) from event_outbox",
    ],
    fill: "
    insert into event_outbox (key, subject, message_id, body)
    select case when n % 10 <> 0 then 'hot' else 'k' || (n % 999) end,
        'events.lines.line.written', 'row-' || n, decode(repeat('7b', 300), 'hex')
    from generate_series(1, $rows) as n",
};

const SQLITE: Statements = Statements {
    snapshot: &["select count(*) from event_outbox"],
    fill: "
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < $rows)
    insert into event_outbox (key, subject, message_id, body)
    select case when n % 10 <> 0 then 'hot' else 'k' || (n % 999) end,
        'events.lines.line.written', 'row-' || n, zeroblob(300)
    from numbers",
};

/// How long a wait may take: machines are loaded.
fn patience(rows: u64) -> Duration {
    Duration::from_mins(3).max(Duration::from_millis(rows))
}

/// A number of the environment, for the long form.
fn number(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| text.parse().expect(name))
}

/// What was published first of the rows that the statements insert, and each one that came behind a later
/// one of its key.
#[derive(Debug, Clone, Default)]
struct Published(Arc<Mutex<Order>>);

#[derive(Debug, Default)]
struct Order {
    latest: HashMap<u64, u64>,
    seen: HashSet<u64>,
    reordered: Vec<u64>,
}

impl Published {
    /// Checks the order in each key. A row that is published again, as after a lease that ended, counts
    /// once.
    fn note(&self, row: u64) {
        // As in the statements.
        let is_hot = !row.is_multiple_of(10);
        let key = if is_hot { 1_000 } else { row % 999 };
        let order = &mut *self.0.lock().unwrap();
        if order.seen.insert(row) {
            let latest = order.latest.entry(key).or_default();
            if row < *latest {
                order.reordered.push(row);
            }
            *latest = row.max(*latest);
        }
    }

    /// How many rows were published, and those that came late.
    fn result(&self) -> (usize, Vec<u64>) {
        let order = self.0.lock().unwrap();
        (order.seen.len(), order.reordered.clone())
    }
}

impl Intercept for Published {
    fn publish(
        &self,
        inner: &dyn Transport,
        message: PublishRequest<'_>,
    ) -> Completion<Result<Confirmation, Error>> {
        let id = message.message_id.as_ref().map(ToString::to_string);
        if let Some(row) = id.as_deref().and_then(|id| id.strip_prefix("row-")) {
            self.note(row.parse().unwrap());
        }
        inner.publish(message)
    }
}

fn bus(published: &Published) -> EventBus {
    // The stream keeps few messages, so that the memory is that of the relay.
    let subjects = vec![event_sdk::subject!("events.lines.>")];
    let mut lines = StreamConfig::new("LINES", subjects);
    lines.limits.messages = std::num::NonZeroU64::new(1_000);
    let memory = MemoryTransport::builder().stream(lines).build().unwrap();
    let transport = Intercepted::new(memory, published.clone());
    EventBus::builder().transport(transport).unwrap()
}

fn relay<DB: Store>(outbox: &Outbox<DB>) -> Relay {
    let relay = outbox.relay().lease(Duration::from_secs(1));
    let relay = relay.publish_timeout(Duration::from_millis(400));
    let window = Duration::from_millis(1_500);
    relay.duplicate_window(window).keep_published(window)
}

/// The memory of this process in bytes, where `/proc` tells it.
fn memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0_u64) * 4_096
}

async fn number_of<DB: ServiceDatabase>(pool: &Pool<DB>, sql: String) -> i64 {
    let mut connection = pool.acquire().await.unwrap();
    DB::number(&mut connection, sql).await.unwrap()
}

async fn until<DB: ServiceDatabase>(pool: &Pool<DB>, rows: u64, what: &str, count: String) {
    let begun = Instant::now();
    while number_of(pool, count.clone()).await > 0 {
        assert!(
            begun.elapsed() < patience(rows),
            "waited in vain for {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The shortest time in which a batch of 500 rows is read.
async fn batch_time(store: &dyn OutboxStore) -> Duration {
    let mut shortest = Duration::MAX;
    for _ in 0..7 {
        let shards = 0..store.shards();
        let positions = shards.map(|shard| ShardPosition { shard, from: 0 });
        let begun = Instant::now();
        let found = store.fetch(positions.collect(), 500).await.unwrap();
        shortest = shortest.min(begun.elapsed());
        assert_eq!(found.len(), 500);
    }
    shortest
}

async fn torture<DB: ServiceDatabase>(pool: Pool<DB>, statements: &Statements) {
    let rows = number("TORTURE_ROWS", 200_000);
    let writers = number("TORTURE_WRITERS", 8);
    let is_long = std::env::var("TORTURE_ROWS").is_ok();
    let published = Published::default();
    let outbox = Outbox::<DB>::new(pool.clone(), bus(&published));
    outbox.migrate().await.unwrap();
    let insert = |rows: u64| statements.fill.replace("$rows", &rows.to_string());
    let execute = async |sql: String| {
        let mut connection = pool.acquire().await.unwrap();
        DB::execute(&mut connection, sql).await.unwrap();
    };
    execute(insert(2_000)).await;
    let before = batch_time(&**outbox.store()).await;
    execute("delete from event_outbox".to_owned()).await;
    execute(insert(rows)).await;
    let after = batch_time(&**outbox.store()).await;
    println!("a batch takes {before:?} of 2,000 rows, and {after:?} of {rows}");
    assert!(after < before * 10 + Duration::from_millis(20));
    let count = "select coalesce(max(id), 0) from event_outbox".to_owned();
    let last = number_of(&pool, count).await;
    let first = last - i64::try_from(rows).unwrap() + 1;

    // A snapshot that is held keeps the database from removing old versions of rows.
    let mut snapshot = pool.begin().await.unwrap();
    for statement in statements.snapshot {
        let statement = (*statement).to_owned();
        DB::execute(&mut snapshot, statement).await.unwrap();
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let begun = Instant::now();
    let memory_before = memory();
    let running = tokio::spawn(relay(&outbox).run_until(async {
        drop(stopped.await);
    }));
    let (ended, written) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let writers = (0..writers).map(|writer| {
        let (outbox, ended, written) = (outbox.clone(), ended.clone(), written.clone());
        tokio::spawn(async move {
            while !ended.load(Ordering::Relaxed) {
                let mut tx = outbox.begin().await.unwrap();
                let key = format!("w{writer}");
                tx.publish(LineWritten { key }).await.unwrap();
                tx.commit().await.unwrap();
                written.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    // Rows between those of the long key, which are many times more than the relay keeps.
    let waits = format!(
        "select count(*) from event_outbox
        where id < {first} + 20000 and id >= {first} and state = 0 and key <> 'hot'"
    );
    until(&pool, rows, "the rows between the long key", waits).await;
    println!("2,000 rows between the long key took {:?}", begun.elapsed());
    if is_long {
        let waits = format!(
            "select count(*) from (select 1 from event_outbox where state = 0 and not_before is null and id <= {last} limit 1) a"
        );
        until(&pool, rows, "all rows", waits).await;
    }
    ended.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let took = begun.elapsed();
    // The cleaner has deleted what was published first.
    let cleaned = format!("select count(*) from event_outbox where id = {first}");
    until(&pool, rows, "the cleaner", cleaned).await;
    let grown = memory().saturating_sub(memory_before);
    drop(stop);
    let report = running.await.unwrap().unwrap();
    snapshot.rollback().await.unwrap();
    let written = written.load(Ordering::Relaxed);
    println!(
        "{} rows published and {written} written in {took:?}, {} deleted, memory grew by {grown} bytes",
        report.published, report.cleaned
    );
    let (count, reordered) = published.result();
    assert!(count >= 2_000, "{count} rows published");
    assert_eq!(reordered, [0; 0], "rows behind later ones of their keys");
    assert!(report.cleaned > 0, "{report:?}");
    assert_eq!((report.parked, report.unmarked), (0, 0));
    // The long form notes more rows, and the transport more message ids.
    let limit = if is_long { 200 << 20 } else { 40 << 20 };
    assert!(grown < limit, "memory grew by {grown} bytes");
    let all = i64::try_from(rows + written).unwrap();
    let rest = number_of(&pool, "select count(*) from event_outbox".to_owned()).await;
    let kept = all - i64::try_from(report.cleaned).unwrap();
    assert_eq!(rest, kept, "no row is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let pool = sqlite_pool(&folder.path().join("torture.db"))
        .await
        .unwrap();
    torture::<Sqlite>(pool, &SQLITE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let server = Server::shared().await.unwrap();
    let database = server.database().await.unwrap();
    let pool = PgPoolOptions::new().max_connections(20);
    let pool = pool.acquire_timeout(Duration::from_mins(1));
    let pool = pool.connect(&database.url()).await.unwrap();
    torture::<Postgres>(pool, &POSTGRES).await;
}
