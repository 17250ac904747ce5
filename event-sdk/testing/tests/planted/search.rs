//! Finds the planted fault of a scenario, and replays it.

use event_sdk_testing::{Explore, Failure, Rates};

use crate::database::Database;

/// Every fault, and crashes at random.
pub(crate) fn all_faults() -> Rates {
    Rates::all(0.15)
}

/// The fault that is found; its seed replays it exactly.
pub(crate) fn found(scenario: impl Fn() -> Explore<Database>) -> Failure {
    let explored = scenario().run();
    let Some(failure) = explored.failure() else {
        panic!("nothing was found in {} runs", explored.runs());
    };
    for _ in 0..2 {
        let seed = failure.seed.to_string().parse().unwrap();
        let replayed = scenario().replay(seed).run();
        assert_eq!(replayed.runs(), 1);
        assert_eq!(replayed.failure(), Some(failure));
    }
    let text = failure.to_string();
    assert!(
        text.contains(&format!("EVENT_SDK_REPLAY={}", failure.seed)),
        "{text}"
    );
    failure.clone()
}

/// The corrected service: nothing is found.
pub(crate) fn holds(scenario: &Explore<Database>) {
    let explored = scenario.run();
    explored.assert_holds();
    let (runs, points) = (explored.runs(), explored.points().len());
    assert!(points > 10 && runs > points, "{runs} runs, {points} points");
}
