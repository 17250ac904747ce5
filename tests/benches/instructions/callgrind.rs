//! Runs this program again under `valgrind --tool=callgrind`, and reads the count.

use std::process::Command;

/// The argument before the name of a case and the number of events.
pub(crate) const RUN: &str = "--run";

/// The instructions of one event of the case: of `2 * events` less those of `events`.
pub(crate) fn per_event(case: &str, events: u64) -> u64 {
    let twice = instructions(case, events * 2);
    twice.saturating_sub(instructions(case, events)) / events
}

fn instructions(case: &str, events: u64) -> u64 {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([RUN, case, &events.to_string()])
        .output()
        .expect("valgrind runs; install it (Debian: `apt-get install valgrind`)");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case}: {log}");
    let count = log
        .lines()
        .filter_map(|line| line.split_once("Collected : "))
        .find_map(|(_, count)| count.trim().parse().ok());
    count.unwrap_or_else(|| panic!("valgrind says no count: {log}"))
}
