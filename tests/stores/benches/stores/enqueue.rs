//! Enqueue: one event in a transaction, by one and by many writers.

use std::time::{Duration, Instant};

use event_sdk::EventBus;
use event_sdk_sql::Outbox;
use futures_util::future::join_all;

use crate::database::{BenchDatabase, Home};
use crate::measure::{Goal, Row};
use crate::raw::RawEvent;
use crate::setting::{Setting, placed};

const EVENTS: u32 = 8_192;

pub(crate) async fn run<DB: BenchDatabase>(setting: &Setting, home: &Home<DB>) {
    let events = setting.events(EVENTS);
    let pool = &home.pool;
    let bus = EventBus::builder().source("bench").memory().unwrap();
    let unnamed = Outbox::<DB>::new(pool.clone(), bus);
    let named = unnamed.clone().named_statements();
    for (writers, outbox, goal, how) in [
        (1, &named, Goal::TimeAtMost(1.1), ""),
        (8, &named, Goal::TimeAtMost(1.1), ""),
        (64, &named, Goal::TimeAtMost(1.1), ""),
        (8, &unnamed, Goal::None, ", statements without names"),
    ] {
        DB::clear(pool).await;
        let ours = || {
            let outbox = outbox.clone();
            by_writers(writers, events, move |number| {
                let outbox = outbox.clone();
                async move {
                    let mut tx = outbox.begin().await.unwrap();
                    tx.publish(placed(number)).await.unwrap();
                    tx.commit().await.unwrap();
                }
            })
        };
        let raw = || {
            let pool = pool.clone();
            by_writers(writers, events, move |number| {
                let pool = pool.clone();
                async move { DB::insert_raw(&pool, &RawEvent::of(&placed(number))).await }
            })
        };
        let what = format!("{}: enqueue, {writers} writers{how} / insert", DB::TITLE);
        println!(
            "{}",
            Row::compare(what, goal, (setting.rounds, events), ours, raw).await
        );
    }
}

/// Calls `write` with each number, in tasks of so many writers.
async fn by_writers<F: Future<Output = ()> + Send + 'static>(
    writers: u32,
    events: u32,
    write: impl Fn(u64) -> F + Clone + Send + 'static,
) -> Duration {
    let begun = Instant::now();
    let writers = (0..writers).map(|writer| {
        let (share, write) = (events / writers, write.clone());
        tokio::spawn(async move {
            for number in 0..share {
                write(u64::from(writer * share + number)).await;
            }
        })
    });
    for ended in join_all(writers).await {
        ended.unwrap();
    }
    begun.elapsed()
}
