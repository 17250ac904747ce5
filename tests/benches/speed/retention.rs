//! Publishing past a retention limit, against publishing before it.

use std::time::{Duration, Instant};

use event_sdk::stream::StreamSpec;
use event_sdk::{EventBus, Publisher};

use crate::events::{BookingMade, booking};
use crate::measure::{Goal, Row};

const LIMIT: u32 = 10_000;
const EVENTS: u32 = 9_000;

pub(crate) fn run() -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let publish = |publisher: &Publisher<BookingMade>, events: u32| {
        let event = booking();
        let start = Instant::now();
        runtime.block_on(async {
            for _ in 0..events {
                publisher.publish(event.clone()).await.unwrap();
            }
        });
        start.elapsed()
    };
    let before = || publish(&bus().publisher(), EVENTS);
    let publisher = bus().publisher();
    publish(&publisher, LIMIT * 2);
    let past = || publish(&publisher, EVENTS);

    let deep = bus().publisher();
    publish(&deep, LIMIT * 100);
    let long_past = || publish(&deep, EVENTS);
    vec![
        Row::compare(
            "publish past a limit of 10,000 / before it",
            Goal::TimeAtMost(1.2),
            EVENTS,
            past,
            before,
        ),
        Row::compare(
            "publish a million past the limit / before it",
            Goal::TimeAtMost(1.2),
            EVENTS,
            long_past,
            before,
        ),
    ]
}

fn bus() -> EventBus {
    let stream = StreamSpec::new("TRAVEL")
        .subject("travel.>")
        .max_messages(u64::from(LIMIT));
    // Remembering ids is the same on both sides, and is bounded like the stream.
    let stream = stream
        .duplicate_capacity(LIMIT as usize)
        .duplicate_window(Duration::from_mins(2));
    EventBus::builder()
        .source("bench")
        .stream(stream)
        .memory()
        .unwrap()
}
