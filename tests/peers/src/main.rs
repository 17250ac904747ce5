//! Benchmark: JSON from publisher to handler in one process, each event acknowledged, beside RustStream.
//!
//! `cargo xtask bench peers` runs both sides in turn, and prints the medians of their times and the
//! ratio; `cargo xtask bench peers -- instructions` counts instructions instead.

#[path = "../../benches/instructions/callgrind.rs"]
mod callgrind;
#[path = "../../benches/speed/events.rs"]
#[expect(dead_code, reason = "the other benchmarks use the rest")]
mod events;
mod ours;
mod ruststream_memory;

use std::time::Duration;

use tokio::runtime::Runtime;

/// How often each side runs; odd, so that the median is one of the runs.
const ROUNDS: usize = 21;
/// How many events are on their way at the most: less than our stream keeps.
const BATCH: u64 = 8_000;
/// How many events a round has.
const EVENTS: u64 = 40_000;

/// One side: handles so many events, and says how long they took.
struct Side {
    name: &'static str,
    run: fn(&Runtime, u64) -> Duration,
}

/// The first is compared with each of the others.
const SIDES: [Side; 4] = [
    Side {
        name: "event-sdk",
        run: ours::acknowledged,
    },
    Side {
        name: "event-sdk, without acks",
        run: ours::unacknowledged,
    },
    Side {
        name: "RustStream 0.7.7, the event alone",
        run: ruststream_memory::event_alone,
    },
    Side {
        name: "RustStream 0.7.7, in an envelope by hand",
        run: ruststream_memory::in_an_envelope,
    },
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => times(),
        ["instructions"] => instructions(),
        [callgrind::RUN, name, events] => {
            let side = SIDES.iter().find(|side| side.name == name);
            let side = side.expect("the name is one of the sides");
            (side.run)(&one_thread(), events.parse().expect("a number of events"));
        }
        _ => {
            eprintln!("there is `instructions`, or nothing for times");
            std::process::exit(2);
        }
    }
}

fn times() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    let one_thread = one_thread();
    for (how, runtime) in [("two threads", &runtime), ("one thread", &one_thread)] {
        let mut runs: [Vec<Duration>; SIDES.len()] = Default::default();
        for round in 0..=ROUNDS {
            for at in 0..SIDES.len() {
                // None is always the first of a round, and the round before the first does not count.
                let at = (at + round) % SIDES.len();
                let took = (SIDES[at].run)(runtime, EVENTS);
                if round > 0 {
                    runs[at].push(took);
                }
            }
        }
        println!("\n| {how} | ns an event | event-sdk's time / this |");
        println!("|---|---:|---:|");
        let medians = runs.map(median);
        for (side, median) in SIDES.iter().zip(medians) {
            let nanos = median.as_nanos() / u128::from(EVENTS);
            let ratio = medians[0].as_secs_f64() / median.as_secs_f64();
            println!("| {} | {nanos} | {ratio:.2} |", side.name);
        }
    }
}

fn instructions() {
    println!("| one thread | instructions an event |");
    println!("|---|---:|");
    for side in &SIDES {
        println!(
            "| {} | {} |",
            side.name,
            callgrind::per_event(side.name, 4_000)
        );
    }
}

fn one_thread() -> Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime")
}

fn median(mut runs: Vec<Duration>) -> Duration {
    runs.sort();
    runs[runs.len() / 2]
}
