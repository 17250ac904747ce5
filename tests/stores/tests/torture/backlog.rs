//! A long backlog, most of it of one key, made by `insert … select`; writers, a held snapshot and the
//! cleaner beside it: the rows of other keys pass, batches take the same time, and memory stays flat.
//!
//! `cargo xtask long torture` publishes all rows of a longer backlog, beside more writers: a tenth of them
//! before that, by a relay alone, whose rate is the measure.

mod published;

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use event_sdk::stream::StreamConfig;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::{Event, EventBus};
use event_sdk_sql::{Outbox, Postgres, Relay, RelayReport, Sqlite, Store};
use event_sdk_store::outbox::{OutboxStore, ShardPosition};
use event_sdk_test_servers::Postgres as Server;
use event_sdk_test_stores::service::ServiceDatabase;
use event_sdk_test_stores::sqlite_pool;
use event_sdk_testing::intercept::Intercepted;
use serde::{Deserialize, Serialize};
use sqlx::Pool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use published::Published;

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

fn bus(published: &Published) -> EventBus {
    // The stream keeps few messages and ids, so that the memory is that of the relay.
    let subjects = vec![event_sdk::subject!("events.lines.>")];
    let mut lines = StreamConfig::new("LINES", subjects);
    lines.deduplication.window = WINDOW;
    lines.limits.messages = NonZeroU64::new(1_000);
    let memory = MemoryTransport::builder().stream(lines).build().unwrap();
    let transport = Intercepted::new(memory, published.clone());
    EventBus::builder().transport(transport).unwrap()
}

/// The duplicate window, after which the cleaner deletes rows.
const WINDOW: Duration = Duration::from_millis(1_500);

fn relay<DB: Store>(outbox: &Outbox<DB>) -> Relay {
    let relay = outbox.relay().lease(Duration::from_secs(1));
    let relay = relay.publish_timeout(Duration::from_millis(400));
    relay.duplicate_window(WINDOW).keep_published(WINDOW)
}

/// A relay in a task of its own.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<RelayReport, event_sdk_sql::StoreError>>,
}

impl Running {
    fn new(relay: Relay) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(relay.run_until(async {
            drop(stopped.await);
        }));
        Self { stop, task }
    }

    async fn stop(self) -> RelayReport {
        drop(self.stop);
        self.task.await.unwrap().unwrap()
    }
}

/// Rows a second.
fn rate(rows: u64, took: Duration) -> f64 {
    f64::from(u32::try_from(rows).unwrap()) / took.as_secs_f64()
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
        let (from, floor) = (0, i64::MIN);
        let positions = shards.map(|shard| ShardPosition { shard, from, floor });
        let begun = Instant::now();
        let found = store.fetch(positions.collect(), 500).await.unwrap();
        shortest = shortest.min(begun.elapsed());
        assert_eq!(found.len(), 500);
    }
    shortest
}

/// Rows a second: of all rows, and of the slowest tenth of them.
struct Rates {
    mean: f64,
    slowest: f64,
}

/// Waits until so many rows of the backlog are published. Prints the rate and the memory of each tenth.
async fn until_published(published: &Published, to: u64) -> Rates {
    let (from, all, memory_before) = (published.count(), Instant::now(), memory());
    let mut slowest = f64::INFINITY;
    for tenth in 1..=10 {
        let (begun, count) = (Instant::now(), published.count());
        let rows = from + to.saturating_sub(from) * tenth / 10;
        while published.count() < rows {
            let waited = begun.elapsed();
            assert!(waited < patience(to), "waited in vain for row {rows}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let rate = rate(published.count() - count, begun.elapsed());
        let grown = memory().saturating_sub(memory_before) >> 10;
        println!("{rows} rows of the backlog: {rate:.0} a second, memory grew by {grown} KiB");
        slowest = slowest.min(rate);
    }
    let mean = rate(published.count() - from, all.elapsed());
    Rates { mean, slowest }
}

/// The rate of a relay alone, without writers, snapshot and cleaner, for a tenth of the backlog. Its first
/// reads are not measured.
async fn rate_alone<DB: Store>(outbox: &Outbox<DB>, published: &Published, rows: u64) -> f64 {
    let keep = Duration::from_hours(24);
    let running = Running::new(relay(outbox).keep_published(keep));
    while published.count() < rows / 50 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rates = until_published(published, rows / 10).await;
    assert_eq!(running.stop().await.cleaned, 0);
    println!("a relay alone publishes {:.0} rows a second", rates.mean);
    rates.mean
}

/// Writers, each of which commits one event at a time and pauses.
struct Writers {
    ended: Arc<AtomicBool>,
    /// How many events they have written.
    written: Arc<AtomicU64>,
    /// How many of them have written.
    begun: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
}

impl Writers {
    fn start<DB: Store>(outbox: &Outbox<DB>, number: u64, pause: Duration) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let (written, begun) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let tasks = (0..number).map(|writer| {
            let (outbox, ended) = (outbox.clone(), ended.clone());
            let (written, begun) = (written.clone(), begun.clone());
            tokio::spawn(async move {
                let mut is_first = true;
                while !ended.load(Ordering::Relaxed) {
                    let mut tx = outbox.begin().await.unwrap();
                    let key = format!("w{writer}");
                    tx.publish(LineWritten { key }).await.unwrap();
                    tx.commit().await.unwrap();
                    written.fetch_add(1, Ordering::Relaxed);
                    if std::mem::take(&mut is_first) {
                        begun.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::time::sleep(pause).await;
                }
            })
        });
        Self {
            tasks: tasks.collect(),
            ended,
            written,
            begun,
        }
    }

    /// Waits until each of them has written, so that all connections are open.
    async fn until_begun(&self) {
        let number = u64::try_from(self.tasks.len()).unwrap();
        while self.begun.load(Ordering::Relaxed) < number {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns how many events they have written.
    async fn stop(self) -> u64 {
        self.ended.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.written.load(Ordering::Relaxed)
    }
}

/// Publishes the rest of the backlog: all but a twentieth beside writers of ten events a second each, and
/// that beside writers that do not pause, which only the processors limit. Returns how many events they have
/// written.
async fn beside_writers(
    start: &impl Fn(u64) -> Writers,
    published: &Published,
    rows: u64,
    alone: f64,
) -> u64 {
    let mut written = 0;
    for (what, pause, to) in [
        ("that pause for 100 ms", 100, rows / 20 * 19),
        ("that do not pause", 0, rows),
    ] {
        let (writers, begun) = (start(pause), Instant::now());
        writers.until_begun().await;
        let rates = until_published(published, to).await;
        let took = begun.elapsed();
        let events = writers.stop().await;
        written += events;
        println!(
            "beside writers {what}, {:.0} events a second: {:.0} rows a second, {:.2} of a relay alone; \
            the slowest tenth {:.2}",
            rate(events, took),
            rates.mean,
            rates.mean / alone,
            rates.slowest / alone
        );
        if pause > 0 {
            assert!(rates.mean >= 0.7 * alone, "{:.0} of {alone:.0}", rates.mean);
            // Batches take the same time, however many rows were published.
            let slowest = rates.slowest;
            assert!(slowest >= 0.5 * rates.mean, "{slowest:.0} in a tenth");
        }
    }
    written
}

async fn torture<DB: ServiceDatabase>(pool: Pool<DB>, statements: &Statements) {
    let rows = number("TORTURE_ROWS", 200_000);
    let writers = number("TORTURE_WRITERS", 8);
    let is_long = std::env::var("TORTURE_ROWS").is_ok();
    let published = Published::new(rows);
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
    let begun = Instant::now();
    execute(insert(rows)).await;
    println!("inserting {rows} rows took {:?}", begun.elapsed());
    let after = batch_time(&**outbox.store()).await;
    println!("a batch takes {before:?} of 2,000 rows, and {after:?} of {rows}");
    assert!(after < before * 10 + Duration::from_millis(20));
    let count = "select coalesce(max(id), 0) from event_outbox".to_owned();
    let last = number_of(&pool, count).await;
    let first = last - i64::try_from(rows).unwrap() + 1;
    let mut alone = None;
    if is_long {
        alone = Some(rate_alone(&outbox, &published, rows).await);
    }

    // A snapshot that is held keeps the database from removing old versions of rows.
    let mut snapshot = pool.begin().await.unwrap();
    for statement in statements.snapshot {
        let statement = (*statement).to_owned();
        DB::execute(&mut snapshot, statement).await.unwrap();
    }
    let (begun, memory_before) = (Instant::now(), memory());
    let running = Running::new(relay(&outbox));
    let start = |pause| Writers::start(&outbox, writers, Duration::from_millis(pause));
    let mut written = 0;
    if let Some(alone) = alone {
        written += beside_writers(&start, &published, rows, alone).await;
    } else {
        let writers = start(5);
        // Rows between those of the long key, which are many times more than the relay keeps.
        let waits = format!(
            "select count(*) from event_outbox
            where id < {first} + 20000 and id >= {first} and state = 0 and key <> 'hot'"
        );
        until(&pool, rows, "the rows between the long key", waits).await;
        println!("2,000 rows between the long key took {:?}", begun.elapsed());
        written += writers.stop().await;
    }
    let took = begun.elapsed();
    // The cleaner has deleted what was published first.
    let cleaned = format!("select count(*) from event_outbox where id = {first}");
    until(&pool, rows, "the cleaner", cleaned).await;
    let grown = memory().saturating_sub(memory_before);
    let report = running.stop().await;
    snapshot.rollback().await.unwrap();
    println!(
        "{} rows published and {written} written in {took:?}, {} deleted, memory grew by {grown} bytes",
        report.published, report.cleaned
    );
    let count = published.count();
    assert!(count >= 2_000, "{count} rows published");
    let reordered = published.reordered();
    assert_eq!(reordered, [0; 0], "rows behind later ones of their keys");
    assert!(report.cleaned > 0, "{report:?}");
    assert_eq!((report.parked, report.unmarked), (0, 0));
    assert!(grown < 40 << 20, "memory grew by {grown} bytes");
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
    let pool = PgPoolOptions::new().max_connections(80);
    let pool = pool.acquire_timeout(Duration::from_mins(1));
    let pool = pool.connect(&database.url()).await.unwrap();
    torture::<Postgres>(pool, &POSTGRES).await;
}
