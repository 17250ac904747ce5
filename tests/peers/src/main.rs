//! Benchmark: event-sdk beside RustStream, obix and async-nats by hand.
//!
//! `cargo xtask bench peers` runs the sides in turn, and prints the medians of their times and the
//! ratios: JSON from publisher to handler in one process, then consuming from a nats-server, then
//! relays of outboxes. With `-- memory`, `-- nats` or `-- outbox` it runs one of them, and
//! `-- instructions` counts the instructions of the first instead.

#[path = "../../benches/instructions/callgrind.rs"]
mod callgrind;
#[path = "../../benches/speed/events.rs"]
mod events;
mod nats;
mod ours;
mod outbox;
mod ruststream_memory;

use std::time::Duration;

use event_sdk::Event;
use tokio::runtime::Runtime;

use events::{BookingMade, PriceQuoted, booking, quote};

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

/// An event that is sent again and again.
trait Sample: Event + Clone + Sync {
    fn sample() -> Self;
}

impl Sample for BookingMade {
    fn sample() -> Self {
        booking()
    }
}

impl Sample for PriceQuoted {
    fn sample() -> Self {
        quote()
    }
}

/// The first is compared with each of the others.
type Sides = [Side; 4];

/// All sides with one event.
const fn sides<E: Sample>() -> Sides {
    [
        Side {
            name: "event-sdk",
            run: ours::acknowledged::<E>,
        },
        Side {
            name: "event-sdk, without acks",
            run: ours::unacknowledged::<E>,
        },
        Side {
            name: "RustStream 0.7.7, the event alone",
            run: ruststream_memory::event_alone::<E>,
        },
        Side {
            name: "RustStream 0.7.7, in an envelope by hand",
            run: ruststream_memory::in_an_envelope::<E>,
        },
    ]
}

const EVENTS_OF_BOTH_SIZES: [(&str, Sides); 2] = [
    ("600-byte event", sides::<BookingMade>()),
    ("small event", sides::<PriceQuoted>()),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            times();
            nats::run(&[]);
            outbox::run(&[]);
        }
        ["memory"] => times(),
        ["nats", ref what @ ..] => nats::run(what),
        ["outbox", ref what @ ..] => outbox::run(what),
        ["instructions"] => instructions(),
        [callgrind::RUN, case, events] => run(case, events.parse().expect("a number of events")),
        _ => {
            eprintln!(
                "there are `memory`, `nats`, `outbox` and `instructions`, or nothing for all times"
            );
            std::process::exit(2);
        }
    }
}

/// The name of one side with one event, for valgrind.
fn case(event: &str, side: &Side) -> String {
    format!("{event}: {}", side.name)
}

fn run(name: &str, events: u64) {
    for (event, sides) in &EVENTS_OF_BOTH_SIZES {
        for side in sides {
            if case(event, side) == name {
                (side.run)(&one_thread(), events);
                return;
            }
        }
    }
    panic!("there is no case {name:?}");
}

fn instructions() {
    println!("| one thread | instructions an event |");
    println!("|---|---:|");
    for (event, sides) in &EVENTS_OF_BOTH_SIZES {
        for side in sides {
            let name = case(event, side);
            println!("| {name} | {} |", callgrind::per_event(&name, 4_000));
        }
    }
}

fn times() {
    let two_threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime");
    let one_thread = one_thread();
    for (how, runtime) in [("two threads", &two_threads), ("one thread", &one_thread)] {
        for (event, sides) in &EVENTS_OF_BOTH_SIZES {
            println!("\n| {event}, {how} | ns an event | event-sdk's time / this |");
            println!("|---|---:|---:|");
            compare(runtime, sides);
        }
    }
}

fn compare(runtime: &Runtime, sides: &Sides) {
    let mut runs: [Vec<Duration>; 4] = Default::default();
    for round in 0..=ROUNDS {
        for at in 0..sides.len() {
            // None is always the first of a round, and the round before the first does not count.
            let at = (at + round) % sides.len();
            let took = (sides[at].run)(runtime, EVENTS);
            if round > 0 {
                runs[at].push(took);
            }
        }
    }
    let medians = runs.map(median);
    for (side, median) in sides.iter().zip(medians) {
        let nanos = median.as_nanos() / u128::from(EVENTS);
        let ratio = medians[0].as_secs_f64() / median.as_secs_f64();
        println!("| {} | {nanos} | {ratio:.2} |", side.name);
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
