//! Benchmark: allocations per event, published and received.
//!
//! `cargo xtask bench allocations`. It counts; it does not measure time.

use std::alloc::System;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use event_sdk::stream::StreamSpec;
use event_sdk::transport::AckPolicy;
use event_sdk::{Event, EventBus, EventSet, Incoming};
use serde::{Deserialize, Serialize};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::sync::Notify;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const EVENTS: usize = 10_000;

/// A temperature was measured: nothing in it needs memory of its own.
#[derive(Event, Serialize, Deserialize)]
#[event(domain = "weather")]
struct TemperatureMeasured {
    station: u32,
    celsius: f64,
}

#[derive(EventSet)]
#[allow(dead_code, reason = "the value is taken and not looked into")]
enum Shared {
    Measured(Arc<TemperatureMeasured>),
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("| | allocations | of these made larger | bytes |\n|---|---:|---:|---:|");
    count::<TemperatureMeasured>("JSON", false).await;
    count::<Shared>("handed over", true).await;
    println!();
    stalled().await;
    consumed().await;
}

/// What a million events through a consumer leave in memory.
async fn consumed() {
    let stream = StreamSpec::new("WEATHER")
        .subject("weather.>")
        .max_messages(10_000);
    let bus = EventBus::builder().source("bench").stream(stream);
    let bus = bus.memory().unwrap();
    let (handled, stop) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
    let (count, stopped) = (Arc::clone(&handled), Arc::clone(&stop));
    let consumer = bus.consumer::<TemperatureMeasured>("averages");
    let consumer = consumer
        .concurrency(8)
        .on(move |_: TemperatureMeasured, _| {
            count.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Ok(()))
        });
    let running = tokio::spawn(async move { consumer.run_until(stopped.notified()).await });
    let publisher = bus.publisher::<TemperatureMeasured>();
    let region = Region::new(ALLOCATOR);
    let mut marks = Vec::new();
    for events in 1..=1_000_000_u32 {
        let event = TemperatureMeasured {
            station: events,
            celsius: 21.5,
        };
        publisher.publish(event).await.unwrap();
        // Fewer than the stream keeps are ahead.
        while events - handled.load(Ordering::Relaxed) > 5_000 {
            tokio::task::yield_now().await;
        }
        if [20_000, 200_000, 1_000_000].contains(&events) {
            let stats = region.change();
            let in_use = (stats.bytes_allocated - stats.bytes_deallocated) / 1024;
            marks.push(format!("{in_use} KiB after {events}"));
        }
    }
    stop.notify_one();
    let report = running.await.unwrap().unwrap();
    println!(
        "in use beside a consumer, 10,000 kept: {}; {report}",
        marks.join(", ")
    );
}

/// What a million events beside a subscriber that does not read leave in memory.
async fn stalled() {
    let stream = StreamSpec::new("WEATHER")
        .subject("weather.>")
        .max_messages(10_000);
    let bus = EventBus::builder()
        .source("bench")
        .stream(stream)
        .memory()
        .unwrap();
    let publisher = bus.publisher::<TemperatureMeasured>();
    let mut subscriber = bus.subscribe::<TemperatureMeasured>().await.unwrap();
    let first = subscriber.next_incoming();
    let region = Region::new(ALLOCATOR);
    let in_use = || {
        let stats = region.change();
        (stats.bytes_allocated - stats.bytes_deallocated) / 1024
    };
    let mut marks = Vec::new();
    for events in 1..=1_000_000_u32 {
        publisher
            .publish(TemperatureMeasured {
                station: events,
                celsius: 21.5,
            })
            .await
            .unwrap();
        if [20_000, 200_000, 1_000_000].contains(&events) {
            marks.push(format!("{} KiB after {events}", in_use()));
        }
    }
    println!(
        "in use beside a subscriber that does not read, 10,000 kept: {}",
        marks.join(", ")
    );
    let Incoming::Notice(gap) = first.await.unwrap().unwrap() else {
        panic!("the gap comes first");
    };
    println!("and when it reads: {gap}");
}

async fn count<S: EventSet>(what: &str, hand_over: bool) {
    let bus = EventBus::builder()
        .source("bench")
        .memory_with(|memory| memory.hand_over(hand_over))
        .unwrap();
    let publisher = bus.publisher::<TemperatureMeasured>();
    let mut subscriber = bus
        .subscribe::<S>()
        .ack_policy(AckPolicy::None)
        .await
        .unwrap();
    // The first events make what is made once: rings and tables.
    for warm in [true, false] {
        let region = Region::new(ALLOCATOR);
        for station in 0..EVENTS {
            let station = u32::try_from(station).unwrap();
            publisher
                .publish(TemperatureMeasured {
                    station,
                    celsius: 21.5,
                })
                .await
                .unwrap();
        }
        if !warm {
            report(&format!("{what}, published"), &region);
        }
        let region = Region::new(ALLOCATOR);
        for _ in 0..EVENTS {
            let delivery = subscriber.next().await.unwrap().unwrap();
            assert!(delivery.decode().is_ok());
        }
        if !warm {
            report(&format!("{what}, received and decoded"), &region);
        }
    }
}

/// What was asked for since `region` began, per event.
#[allow(clippy::cast_precision_loss, reason = "a few per event")]
fn report(what: &str, region: &Region<'_, System>) {
    let stats = region.change();
    let each = |count: usize| count as f64 / EVENTS as f64;
    println!(
        "| {what} | {:.2} | {:.2} | {:.0} |",
        each(stats.allocations),
        each(stats.reallocations),
        each(stats.bytes_allocated)
    );
}
