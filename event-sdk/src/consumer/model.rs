//! The model: the real lease, gate and attempt records, in every order of events.
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
use owners::{Action, Handler, Owners};
use search::{shortest, visit};
use world::Faults;

/// No faults: processes are frozen at any point all the same.
const NONE: Faults = Faults {
    timeouts: 0,
    releases: 0,
    late_records: 0,
};

/// The lease alone, with slow requests and an answer that is lost.
const LEASE: Owners = Owners {
    ticks: 5,
    messages: 0,
    keys: 1,
    handlers: &[],
    max_attempts: 1,
    deliveries: 0,
    faults: Faults {
        timeouts: 1,
        ..NONE
    },
    prompt_store: false,
    prompt_server: false,
    begins_with: &[],
    mistake: None,
};

/// The gate: messages of one key, and requests to the bucket that are answered at once.
const ORDER: Owners = Owners {
    ticks: 4,
    messages: 2,
    deliveries: 2,
    faults: NONE,
    prompt_store: true,
    ..LEASE
};

/// A handler that ends the process beside one that succeeds, of another key, with attempt records.
const KILLER: Owners = Owners {
    ticks: 3,
    keys: 2,
    handlers: &[Handler::EndsTheProcess],
    prompt_server: true,
    ..ORDER
};

/// Process 0 takes over again and again: the first message ends it at its first start, which is not
/// recorded, and at its second one.
const KILLED_TWICE: &[Action] = &[
    // The lease is free.
    Action::Lease(0),
    Action::Lease(0),
    Action::Ask(0),
    Action::Serve(0),
    Action::Deliver(0),
    Action::Receive(0),
    Action::Start(0, 1),
    Action::Finish(0, 1),
    // The lease of its former life has to end.
    Action::Lease(0),
    Action::Tick,
    Action::Tick,
    Action::Tick,
    Action::Tick,
    Action::Lease(0),
    Action::Ask(0),
    Action::Serve(0),
    Action::Redeliver(0, 1),
    Action::Receive(0),
    Action::Start(0, 1),
    Action::Start(0, 1),
    Action::Finish(0, 1),
];

/// The same, and process 1 was the owner in between, when its record of a start was late.
const LATE_RECORD: &[Action] = &[
    Action::Lease(0),
    Action::Lease(0),
    Action::Ask(0),
    Action::Serve(0),
    Action::Deliver(0),
    Action::Receive(0),
    Action::Start(0, 1),
    Action::Finish(0, 1),
    Action::Lease(1),
    Action::Tick,
    Action::Tick,
    Action::Tick,
    Action::Tick,
    Action::Lease(1),
    Action::Ask(1),
    Action::Serve(1),
    Action::Redeliver(1, 1),
    Action::Receive(1),
    Action::SendRecord(1, 1),
    // It is frozen, and the other one takes over.
    Action::Lease(0),
    Action::Tick,
    Action::Tick,
    Action::Tick,
    Action::Tick,
    Action::Lease(0),
    Action::Ask(0),
    Action::Serve(0),
    Action::Redeliver(0, 1),
    Action::Receive(0),
    Action::Start(0, 1),
    Action::Start(0, 1),
    Action::Finish(0, 1),
    Action::Lease(0),
    Action::Tick,
    Action::Tick,
    Action::Tick,
    Action::Tick,
    Action::Lease(0),
    Action::Ask(0),
    Action::Serve(0),
    Action::Redeliver(0, 1),
    Action::Receive(0),
    Action::Start(0, 1),
];

/// A handler that has ended its process twice.
const SUSPECT: Owners = Owners {
    ticks: 8,
    deliveries: 3,
    begins_with: KILLED_TWICE,
    ..KILLER
};

/// A record of a start that comes late, when the next owner has recorded its own starts.
const LATE: Owners = Owners {
    ticks: 16,
    messages: 1,
    deliveries: 6,
    faults: Faults {
        late_records: 1,
        ..NONE
    },
    begins_with: LATE_RECORD,
    ..KILLER
};

/// A handler that always fails, before an event of the same key.
const FAILING: Owners = Owners {
    keys: 1,
    handlers: &[Handler::Fails],
    max_attempts: 2,
    ..KILLER
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
fn a_killer_and_its_neighbour_keep_their_promises_in_all_states() {
    let small = Owners { ticks: 2, ..KILLER };
    holds("killer", small, Owners { ticks: 6, ..KILLER });
}

#[test]
fn a_killer_that_ended_its_process_twice_keeps_the_promises_in_all_states() {
    let small = Owners {
        ticks: 8,
        ..SUSPECT
    };
    holds(
        "suspect",
        small,
        Owners {
            ticks: 10,
            ..SUSPECT
        },
    );
}

#[test]
fn a_late_record_of_a_killer_keeps_the_promises_in_all_states() {
    let small = Owners { ticks: 15, ..LATE };
    holds("late record", small, Owners { ticks: 17, ..LATE });
}

#[test]
fn a_failing_event_holds_its_key_in_all_states() {
    let small = Owners {
        ticks: 1,
        ..FAILING
    };
    holds(
        "failing",
        small,
        Owners {
            ticks: 6,
            ..FAILING
        },
    );
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
    finds_in(&model, "starts 3 before");
}

#[test]
fn finds_a_redelivery_that_starts_without_a_record() {
    let mistake = Some(Mistake::StartsUnrecorded);
    finds_in(&Owners { mistake, ..KILLER }, "is started");
}

#[test]
fn finds_an_interrupted_start_that_counts_as_failed() {
    let mistake = Some(Mistake::InterruptedIsFailed);
    finds_in(&Owners { mistake, ..KILLER }, "is blamed for another");
}

#[test]
fn finds_handlers_beside_a_suspect() {
    let mistake = Some(Mistake::OthersStartBesideSuspect);
    finds_in(&Owners { mistake, ..SUSPECT }, "beside another handler");
}

#[test]
fn finds_a_late_record_that_overwrites() {
    let mistake = Some(Mistake::RecordOverwritten);
    finds_in(&Owners { mistake, ..LATE }, "is started");
}

#[test]
fn finds_a_record_that_is_deleted_before_the_letter() {
    let mistake = Some(Mistake::ForgottenBeforeLetter);
    finds_in(&Owners { mistake, ..FAILING }, "is started");
}

#[test]
fn finds_a_dead_event_without_a_letter() {
    let mistake = Some(Mistake::DeadWithoutLetter);
    finds_in(&Owners { mistake, ..FAILING }, "was not handled");
}

/// Searches for a planted mistake depth first: breadth first, these worlds need too much memory.
fn finds_in(model: &Owners, promise: &str) {
    let Err(broken) = visit(model) else {
        panic!("{:?} is not found", model.mistake);
    };
    eprintln!("{:?}: {} states", model.mistake, broken.states);
    assert!(broken.promise.contains(promise), "{broken}");
}
