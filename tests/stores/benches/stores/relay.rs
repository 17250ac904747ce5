//! Relay: rows from the table to NATS, of many keys and of one.

use std::time::{Duration, Instant};

use event_sdk_sql::Outbox;

use crate::database::{BenchDatabase, Home};
use crate::measure::{Goal, Row};
use crate::raw;
use crate::setting::{IN_FLIGHT, KEYS, Setting};

const ROWS: u32 = 100_000;
const ROWS_OF_A_KEY: u32 = 5_000;
/// The batch of the relay, and of the loop.
const BATCH: u32 = 500;

pub(crate) async fn run<DB: BenchDatabase>(setting: &Setting, home: &Home<DB>) {
    for (rows, keys, goal, what) in [
        (ROWS, KEYS, Goal::RateAtLeast(1.0), "relay"),
        (ROWS_OF_A_KEY, 1, Goal::None, "relay of one key"),
    ] {
        let rows = setting.events(rows);
        let ours = || relay(setting, home, rows, keys);
        let raw = || by_loop(setting, home, rows, keys);
        let what = format!("{}: {what}, {rows} rows / loop", DB::TITLE);
        println!(
            "{}",
            Row::compare(what, goal, (setting.rounds, rows), ours, raw).await
        );
    }
}

async fn relay<DB: BenchDatabase>(
    setting: &Setting,
    home: &Home<DB>,
    rows: u32,
    keys: u64,
) -> Duration {
    let (bus, stream) = setting.bus().await;
    DB::clear(&home.pool).await;
    DB::fill(&home.pool, bus.prefix(), rows, keys).await;
    let outbox = Outbox::<DB>::new(home.pool.clone(), bus).named_statements();
    let relay = outbox.relay().batch(BATCH).max_in_flight(IN_FLIGHT);
    let begun = Instant::now();
    let mut took = Duration::ZERO;
    let report = relay
        .run_until(async {
            // The database is asked last: a question beside the relay takes its time.
            while setting.messages(&stream).await < u64::from(rows) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            while DB::has_unpublished(&home.pool).await {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            took = begun.elapsed();
        })
        .await
        .unwrap();
    assert_eq!((report.published, report.parked), (u64::from(rows), 0));
    assert_eq!(setting.messages(&stream).await, u64::from(rows));
    setting.remove(&stream).await;
    took
}

async fn by_loop<DB: BenchDatabase>(
    setting: &Setting,
    home: &Home<DB>,
    rows: u32,
    keys: u64,
) -> Duration {
    let (bus, stream) = setting.bus().await;
    DB::clear(&home.pool).await;
    DB::fill(&home.pool, bus.prefix(), rows, keys).await;
    let begun = Instant::now();
    let at_once = (i64::from(BATCH), IN_FLIGHT);
    raw::publish_all(&home.pool, &setting.jetstream, &stream, at_once).await;
    let took = begun.elapsed();
    assert_eq!(setting.messages(&stream).await, u64::from(rows));
    setting.remove(&stream).await;
    took
}
