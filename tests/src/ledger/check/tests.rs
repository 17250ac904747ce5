//! The checker finds what was planted, and nothing else.

use super::Violation::{Lost, Malformed, OutOfOrder, TwoAtOnce, WrongEnd};
use super::*;

/// Two processes, one after the other, that handle three events of key 1 and two of key 2. Event 3 is
/// a dead letter.
const GOOD: [&str; 2] = [
    "10 started 1 1\n11 started 2 2\n12 completed 1 1\n13 completed 2 2\n14 started 3 1\n\
     15 failed 3 1\n16 started 3 1\n17 failed 3 1",
    "20 started 4 1\n21 started 5 2\n22 dropped 4 1\n23 completed 5 2\n24 started 4 1\n\
     25 completed 4 1",
];

fn process(text: &str) -> Process {
    let lines: Vec<_> = text
        .lines()
        .map(|line| Line::parse(line).unwrap())
        .collect();
    let shown: Vec<_> = lines.iter().map(ToString::to_string).collect();
    assert_eq!(shown, text.lines().collect::<Vec<_>>());
    Process {
        lines,
        ended: 100,
        stops: Vec::new(),
    }
}

fn expected() -> Expected {
    Expected {
        events: (1..=5).collect(),
        dead: BTreeSet::from([3]),
        has_to_be_dead: BTreeSet::from([3]),
    }
}

fn violations(texts: [&str; 2]) -> Vec<Violation> {
    check(&expected(), &texts.map(process)).violations
}

#[test]
fn a_good_ledger_has_no_violations() {
    let findings = check(&expected(), &GOOD.map(process));
    assert_eq!(
        findings,
        Findings {
            completed: 4,
            dead: 1,
            starts: 7,
            ..Findings::default()
        }
    );
}

#[test]
fn a_lost_event_is_found() {
    let [one, _] = GOOD;
    let other = "20 started 4 1\n22 dropped 4 1\n24 started 4 1\n25 completed 4 1";
    assert_eq!(violations([one, other]), [Lost(5)]);
    // One that was started only.
    let other = "20 started 4 1\n21 started 5 2\n22 failed 4 1\n23 completed 5 2";
    assert_eq!(violations([one, other]), [Lost(4)]);
}

#[test]
fn a_letter_too_many_or_too_few_is_found() {
    let mut wrong = expected();
    wrong.dead.insert(5);
    let found = check(&wrong, &GOOD.map(process)).violations;
    assert_eq!(found, [WrongEnd(5)]);
    let mut wrong = expected();
    wrong.dead.clear();
    let found = check(&wrong, &GOOD.map(process)).violations;
    assert_eq!(found, [Lost(3), WrongEnd(3)]);
}

#[test]
fn two_handlers_at_once_are_found_across_processes_and_within_one() {
    let [one, _] = GOOD;
    // Event 4 begins before the last attempt of 3 ends.
    let other = "16 started 4 1\n21 started 5 2\n23 completed 5 2\n25 completed 4 1";
    assert_eq!(
        violations([one, other]),
        [OutOfOrder(3, 4), TwoAtOnce(3, 4)]
    );
    // The same event twice.
    let twice =
        "20 started 4 1\n21 started 5 2\n22 started 4 1\n23 completed 5 2\n25 completed 4 1";
    assert_eq!(violations([one, twice]), [TwoAtOnce(4, 4)]);
    // A handler that its process never ended, and an end of the process that came too late.
    let one = format!("{one}\n18 started 1 1");
    let found = violations([&one, GOOD[1]]);
    assert!(found.contains(&TwoAtOnce(1, 4)), "{found:?}");
}

#[test]
fn an_event_that_overtakes_an_earlier_one_of_its_key_is_found() {
    let [one, _] = GOOD;
    let one = one
        .replace("10 started 1 1\n", "")
        .replace("12 completed 1 1\n", "");
    // Event 1 completes after 3 and 4.
    let other = format!("{}\n30 started 1 1\n31 completed 1 1", GOOD[1]);
    let found = violations([&one, &other]);
    assert_eq!(found, [OutOfOrder(1, 3), OutOfOrder(1, 4)]);
    // A start alone is too early, even if the completions are in order.
    let early = "5 started 4 1\n6 failed 4 1\n21 started 5 2\n23 completed 5 2\n24 started 4 1\n\
                 25 completed 4 1";
    let found = violations([GOOD[0], early]);
    assert_eq!(found, [OutOfOrder(3, 4)]);
}

#[test]
fn later_repeats_are_counted_and_are_no_violation() {
    let other = format!("{}\n30 started 1 1\n31 completed 1 1", GOOD[1]);
    let findings = check(&expected(), &[GOOD[0], &other].map(process));
    assert_eq!((findings.violations.len(), findings.repeated), (0, 1));
}

#[test]
fn a_handler_of_a_stopped_process_is_counted_apart() {
    let [one, other] = GOOD;
    // It ran when its process was stopped, and was dropped when it went on.
    let one = format!("{one}\n18 started 4 1\n40 dropped 4 1");
    let mut processes = [one.as_str(), other].map(process);
    assert_eq!(check(&expected(), &processes).violations, [TwoAtOnce(4, 4)]);
    processes[0].stops.push((19, 39));
    let findings = check(&expected(), &processes);
    assert_eq!(findings.violations, []);
    assert_eq!((findings.stopped, findings.beside_stopped), (1, 2 - 1));
    // One that started after its process went on is not excused.
    let one = format!("{one}\n41 started 5 2\n42 completed 5 2");
    let other = format!("{other}\n41 started 2 2\n43 completed 2 2");
    let mut processes = [one.as_str(), other.as_str()].map(process);
    processes[0].stops.push((19, 39));
    let found = check(&expected(), &processes).violations;
    assert_eq!(found, [TwoAtOnce(2, 5)]);
}

#[test]
fn an_end_without_a_start_and_an_event_that_nobody_published_are_found() {
    let other = format!("{}\n30 completed 1 1", GOOD[1]);
    assert_eq!(violations([GOOD[0], &other]), [Malformed(1)]);
    let other = format!("{}\n30 started 6 7\n31 completed 6 7", GOOD[1]);
    assert_eq!(violations([GOOD[0], &other]), [Malformed(6)]);
}
