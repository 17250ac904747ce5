//! How fast each side consumes a stream that is full.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::{
    BY_HAND, OUR_CONSUMER, OUR_CONSUMER_ACK_ALL, OUR_CONSUMER_IN_BATCHES, OURS, OURS_IN_BATCHES,
    RUSTSTREAM, Setting, Side, Stream,
};

const SIDES: [Side; 7] = [
    OURS,
    BY_HAND,
    RUSTSTREAM,
    OURS_IN_BATCHES,
    OUR_CONSUMER,
    OUR_CONSUMER_ACK_ALL,
    OUR_CONSUMER_IN_BATCHES,
];

/// A goal: the rate of one side, by its place, is so many times that of another.
const GOALS: [(usize, usize, f64); 7] = [
    (0, 1, 1.1),
    (0, 2, 1.1),
    (3, 1, 1.3),
    // A time of at most 1.05.
    (4, 0, 0.95),
    (4, 2, 1.1),
    (5, 1, 1.6),
    (6, 1, 1.6),
];

const EVENTS: u64 = 50_000;
/// Odd, so that the median is one of the rounds.
const ROUNDS: usize = 21;

pub(crate) fn run(runtime: &Runtime, setting: &Setting) {
    let stream = runtime.block_on(setting.stream("RATES", events_as_usize(EVENTS)));
    let mut runs: [Vec<Run>; SIDES.len()] = Default::default();
    for round in 0..=ROUNDS {
        for at in 0..SIDES.len() {
            // None is always the first of a round, and the round before the first does not count.
            let at = (at + round) % SIDES.len();
            let run = runtime.block_on(consume(setting, &stream, &SIDES[at], EVENTS));
            if round > 0 {
                runs[at].push(run);
            }
        }
    }
    println!("| {EVENTS} events of a durable consumer | ns an event | this program's CPU time |");
    println!("|---|---:|---:|");
    for (side, runs) in SIDES.iter().zip(&runs) {
        let took = nanos(median(runs.iter().map(|run| run.took)));
        let busy = nanos(median(runs.iter().map(|run| run.busy)));
        println!("| {} | {took} | {busy} |", side.name);
    }
    println!("\n| rate | ratio of the medians | of each round | goal |");
    println!("|---|---:|---:|---:|");
    for (a, b, goal) in GOALS {
        let took = |at: usize| median(runs[at].iter().map(|run| run.took)).as_secs_f64();
        let ratio = took(b) / took(a);
        let mut ratios: Vec<f64> = (runs[a].iter().zip(&runs[b]))
            .map(|(a, b)| b.took.as_secs_f64() / a.took.as_secs_f64())
            .collect();
        ratios.sort_by(f64::total_cmp);
        let (low, high) = (ratios[0], ratios[ratios.len() - 1]);
        let (a, b) = (SIDES[a].name, SIDES[b].name);
        println!("| {a} / {b} | {ratio:.2} | {low:.2} to {high:.2} | {goal:.2} |");
    }
}

/// One side alone.
pub(crate) fn one(runtime: &Runtime, setting: &Setting, name: &str, events: u64) {
    let side = SIDES.iter().find(|side| side.name == name);
    let Some(side) = side else {
        panic!("there are {:?}", SIDES.map(|side| side.name));
    };
    let stream = runtime.block_on(setting.stream("SIDE", events_as_usize(events)));
    let run = runtime.block_on(consume(setting, &stream, side, events));
    println!("{:?}, CPU time {:?}", run.took, run.busy);
}

/// What a round took, from the first event that was handled until the server had the last
/// acknowledgement.
struct Run {
    took: Duration,
    /// The CPU time of this program, without that of the server.
    busy: Duration,
}

async fn consume(setting: &Setting, stream: &Stream, side: &Side, events: u64) -> Run {
    let seen = Arc::new(Seen::default());
    let handled = {
        let seen = Arc::clone(&seen);
        move || seen.event(events)
    };
    let stop = (side.start)(setting, stream, "bench", Arc::new(handled)).await;
    seen.all.notified().await;
    setting.acknowledged(stream).await;
    let &(start, busy) = seen.first.get().expect("there was a first one");
    let run = Run {
        took: start.elapsed(),
        busy: cpu_time().saturating_sub(busy),
    };
    stop().await;
    setting.remove_consumer(stream).await;
    run
}

#[derive(Default)]
struct Seen {
    first: OnceLock<(Instant, Duration)>,
    count: AtomicU64,
    all: Notify,
}

impl Seen {
    fn event(&self, events: u64) {
        match self.count.fetch_add(1, Ordering::Relaxed) + 1 {
            1 => {
                let _ = self.first.set((Instant::now(), cpu_time()));
            }
            count if count == events => self.all.notify_one(),
            _ => {}
        }
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("it is positive")
}

fn nanos(time: Duration) -> u128 {
    time.as_nanos() / u128::from(EVENTS)
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    crate::median(times.collect())
}

fn events_as_usize(events: u64) -> usize {
    usize::try_from(events).expect("it fits")
}
