//! Latency of one confirmed publish.

use std::time::{Duration, Instant};

use crate::events::{BookingMade, booking};
use crate::raw;
use crate::setting::Setting;

/// How many publishes a block has; blocks of both sides take turns.
const BLOCK: usize = 200;
const BLOCKS: usize = 25;

pub(crate) fn run(setting: &Setting) {
    let (bus, stream) = setting.bus();
    let publisher = bus.publisher::<BookingMade>();
    let event = booking();
    let subject = publisher.subject_of(&event).unwrap();
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    setting.runtime.block_on(async {
        // The first of each does not count.
        for block in 0..=BLOCKS {
            for _ in 0..BLOCK {
                let event = event.clone();
                let start = Instant::now();
                publisher.publish(event).await.unwrap();
                ours.push(start.elapsed());
            }
            for _ in 0..BLOCK {
                let start = Instant::now();
                raw::publish_one(setting, subject.as_str(), &event).await;
                raw.push(start.elapsed());
            }
            if block == 0 {
                ours.clear();
                raw.clear();
            }
        }
    });
    ours.sort_unstable();
    raw.sort_unstable();
    for (name, share) in [("p50", 0.50), ("p99", 0.99)] {
        let (a, b) = (at(&ours, share), at(&raw, share));
        println!(
            "| one confirmed publish, {name} / async-nats | {} | {} | {:.2} | time ≤ 1.10 |",
            a.as_nanos(),
            b.as_nanos(),
            a.as_secs_f64() / b.as_secs_f64()
        );
    }
    setting.remove(&stream);
}

fn at(sorted: &[Duration], share: f64) -> Duration {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into a few thousand values"
    )]
    let index = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[index]
}
