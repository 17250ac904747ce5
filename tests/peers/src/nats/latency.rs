//! From before an event is published until it is decoded, at ten events a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::{BY_HAND, OURS, RUSTSTREAM, Setting, Side};
use crate::Sample as _;
use crate::events::BookingMade;

const SIDES: [Side; 3] = [OURS, BY_HAND, RUSTSTREAM];

/// How many events each side gets: those of ten seconds.
const EVENTS: usize = 100;
/// Events before, which do not count.
const WARM_UP: usize = 10;
const EVERY: Duration = Duration::from_millis(100);

pub(crate) fn run(runtime: &Runtime, setting: &Setting) {
    let latencies = runtime.block_on(measure(setting));
    println!("\n| latency at 10 events a second | p50, µs | p99, µs | longest, µs |");
    println!("|---|---:|---:|---:|");
    for (side, mut latencies) in SIDES.iter().zip(latencies) {
        latencies.sort_unstable();
        let at = |percent: usize| latencies[(latencies.len() * percent).div_ceil(100) - 1];
        println!(
            "| {} | {} | {} | {} |",
            side.name,
            at(50).as_micros(),
            at(99).as_micros(),
            at(100).as_micros()
        );
    }
}

/// The sides take turns, each with its stream; one publisher publishes to all of them.
async fn measure(setting: &Setting) -> [Vec<Duration>; SIDES.len()] {
    let mut streams = Vec::new();
    let mut subscriptions = Vec::new();
    for number in 0..SIDES.len() {
        streams.push(setting.stream(&format!("LATENCY{number}"), 0).await);
    }
    for (side, stream) in SIDES.iter().zip(&streams) {
        let (decoded, receive) = mpsc::unbounded_channel();
        let handled = move || {
            // It is closed only when all is measured.
            let _ = decoded.send(Instant::now());
        };
        let stop = (side.start)(setting, stream, "bench", Arc::new(handled)).await;
        subscriptions.push((stop, stream.publishing.publisher::<BookingMade>(), receive));
    }
    let mut latencies: [Vec<Duration>; SIDES.len()] = Default::default();
    let turns = u32::try_from(SIDES.len()).expect("they are few");
    let mut tick = tokio::time::interval(EVERY / turns);
    for number in 0..WARM_UP + EVENTS {
        for ((_, publisher, receive), latencies) in subscriptions.iter_mut().zip(&mut latencies) {
            tick.tick().await;
            let start = Instant::now();
            let published = publisher.publish(BookingMade::sample()).await;
            published.expect("it is stored");
            let decoded = receive.recv().await.expect("the consumer goes on");
            if number >= WARM_UP {
                latencies.push(decoded.saturating_duration_since(start));
            }
        }
    }
    for (stop, ..) in subscriptions {
        stop().await;
    }
    latencies
}
