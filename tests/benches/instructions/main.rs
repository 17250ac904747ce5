//! Benchmark: instructions for each event, counted by valgrind's callgrind.
//!
//! `cargo xtask bench instructions` runs each case in a process of its own with N events and with 2 N,
//! and prints the difference divided by N, so that the start of the program does not count. Counts do
//! not depend on the load of the machine, and do not show waits for memory.

mod callgrind;
mod cases;
mod consume;
#[path = "../speed/events.rs"]
#[expect(dead_code, reason = "the other benchmark uses the rest")]
mod events;

use cases::CASES;

/// The N.
const EVENTS: u64 = 2_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, name, events] = &words[..]
        && flag == callgrind::RUN
    {
        let case = CASES.iter().find(|(known, _)| known == name);
        let (_, run) = case.expect("the name is one of the cases");
        run(events.parse().expect("a number of events"));
        return;
    }
    println!("| what | instructions an event |");
    println!("|---|---:|");
    let mut counts = Vec::new();
    for (name, _) in CASES {
        let count = callgrind::per_event(name, EVENTS);
        println!("| {name} | {count} |");
        counts.push(count);
    }
    for (what, more, less) in cases::DIFFERENCES {
        let count = |name: &str| {
            let place = CASES.iter().position(|(known, _)| *known == name);
            counts[place.expect("a difference is one of cases")]
        };
        println!("| {what} | {} |", count(more).saturating_sub(count(less)));
    }
}
