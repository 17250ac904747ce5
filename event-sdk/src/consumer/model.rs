//! The model: the real state machines of the lease and the gate, in every order of events.
//!
//! `search` visits all reachable states of a small world; `owners` is the world's behaviour and
//! the promises that are checked, `world` its parts, and `mistake` the planted mistakes that the
//! search has to find.
//!
//! `cargo test` visits small worlds, `cargo xtask long model` larger ones, with optimizations.

mod mistake;
mod owners;
mod search;
mod world;

use std::time::Instant;

use mistake::Mistake;
use owners::Owners;
use search::{shortest, visit};
use world::Faults;

/// No faults: processes are stopped at any point all the same.
const NONE: Faults = Faults {
    timeouts: 0,
    releases: 0,
};

/// The lease alone, with slow requests and an answer that is lost.
const LEASE: Owners = Owners {
    ticks: 5,
    messages: 0,
    deliveries: 0,
    faults: Faults {
        timeouts: 1,
        ..NONE
    },
    prompt_store: false,
    mistake: None,
};

/// The gate: messages of one key, and requests to the bucket that are answered at once.
const ORDER: Owners = Owners {
    ticks: 4,
    messages: 2,
    deliveries: 2,
    faults: NONE,
    prompt_store: true,
    mistake: None,
};

/// Visits all states of a world. `small` is what `cargo test` visits instead.
fn holds(name: &str, small: Owners, full: Owners) {
    let (size, model) = if is_full() {
        ("full", full)
    } else {
        ("small", small)
    };
    let started = Instant::now();
    let visited = match visit(&model) {
        Ok(visited) => visited,
        Err(broken) => panic!("{name}: {broken}"),
    };
    eprintln!("{name}, {size}: {visited}, in {:.1?}", started.elapsed());
    // The search reached takeovers, and went on to their end.
    assert!(visited.states > 1_000 && visited.checked > 0, "{visited}");
}

fn is_full() -> bool {
    std::env::var("EVENT_SDK_MODEL").is_ok_and(|size| size == "full")
}

/// Searches for a planted mistake, and compares what it breaks.
fn finds(mistake: Mistake, promise: &str, model: Owners) {
    let model = Owners {
        mistake: Some(mistake),
        ..model
    };
    let broken = shortest(&model);
    let Some(broken) = broken else {
        panic!("{mistake:?} is not found");
    };
    eprintln!("{mistake:?}: {broken}");
    assert!(broken.promise.contains(promise), "{broken}");
}

#[test]
fn the_lease_keeps_its_promises_in_all_states() {
    let small = Owners {
        ticks: 4,
        faults: NONE,
        ..LEASE
    };
    holds("lease", small, LEASE);
}

#[test]
fn a_lease_that_is_released_keeps_its_promises_in_all_states() {
    let faults = Faults {
        releases: 1,
        ..NONE
    };
    let small = Owners {
        faults,
        ticks: 3,
        ..LEASE
    };
    let full = Owners { ticks: 5, ..small };
    holds("release", small, full);
}

#[test]
fn the_gate_keeps_its_promises_in_all_states() {
    let small = Owners {
        messages: 1,
        ..ORDER
    };
    holds("order", small, ORDER);
}

#[test]
fn the_gate_after_a_release_keeps_its_promises_in_all_states() {
    let faults = Faults {
        releases: 1,
        ..NONE
    };
    let small = Owners {
        ticks: 1,
        messages: 1,
        faults,
        ..ORDER
    };
    let full = Owners {
        ticks: 3,
        messages: 2,
        ..small
    };
    holds("order after a release", small, full);
}

#[test]
fn finds_a_write_without_its_revision() {
    finds(Mistake::AnyRevision, "is the owner", LEASE);
}

#[test]
fn finds_validity_that_counts_from_the_answer() {
    finds(Mistake::CountedFromAnswer, "is the owner", LEASE);
}

#[test]
fn finds_an_early_takeover() {
    finds(Mistake::TakesOverEarly, "is the owner", LEASE);
}

#[test]
fn finds_a_contender_that_counts_from_its_question() {
    finds(Mistake::SeenFromAsking, "is the owner", LEASE);
}

#[test]
fn finds_a_lost_answer_that_counts_as_success() {
    finds(Mistake::SilenceIsSuccess, "is the owner", LEASE);
}

#[test]
fn finds_a_missing_fence() {
    finds(Mistake::NoFence, "is the owner", ORDER);
}

#[test]
fn finds_a_handler_that_goes_on() {
    finds(Mistake::NoCancel, "after its lease", ORDER);
}

#[test]
fn finds_an_acquisition_beside_an_old_handler() {
    finds(Mistake::AcquiresUncleared, "two handlers", ORDER);
}

#[test]
fn finds_a_release_beside_a_handler() {
    let faults = Faults {
        releases: 1,
        ..NONE
    };
    finds(
        Mistake::ReleaseWhileRunning,
        "has not stopped",
        Owners { faults, ..ORDER },
    );
}

#[test]
fn finds_a_missing_gate() {
    finds(Mistake::NoGate, "starts 2 before 1", ORDER);
}

#[test]
fn finds_missing_numbers_that_are_ignored() {
    finds(Mistake::MissingNumbersIgnored, "starts 2 before 1", ORDER);
}

#[test]
fn finds_late_acknowledgements_that_are_ignored() {
    let model = Owners {
        messages: 3,
        mistake: Some(Mistake::LateAcksIgnored),
        ..ORDER
    };
    // Breadth first, this world needs too much memory.
    let Err(broken) = visit(&model) else {
        panic!("not found");
    };
    eprintln!("LateAcksIgnored: {broken}");
    assert!(broken.promise.contains("starts 3 before"), "{broken}");
}
