//! Tests of `Lanes`: order in a key, one row in flight, and which rows are known.

use std::time::Duration;

use super::{LaneId, Lanes};
use crate::outbox::OutboxRow;

const NOW: Duration = Duration::from_secs(1);

fn row(id: i64, key: Option<&str>) -> OutboxRow {
    let mut row = OutboxRow::new(id, 0, Err("not read here".to_owned()));
    row.key = key.map(Into::into);
    row
}

fn next(lanes: &mut Lanes) -> Option<(LaneId, OutboxRow)> {
    lanes.next(NOW, |_| true)
}

fn next_id(lanes: &mut Lanes) -> Option<i64> {
    next(lanes).map(|(_, row)| row.id)
}

#[test]
fn a_key_has_one_row_in_flight_and_others_overtake_it() {
    let mut lanes = Lanes::new(8);
    for (id, key) in [
        (1, Some("a")),
        (2, Some("a")),
        (3, Some("b")),
        (4, None),
        (5, None),
    ] {
        lanes.push(row(id, key));
    }
    let (a, first) = next(&mut lanes).expect("a row");
    assert_eq!(first.id, 1);
    assert_eq!(next_id(&mut lanes), Some(3));
    assert_eq!(next_id(&mut lanes), Some(4));
    assert_eq!(next_id(&mut lanes), Some(5));
    assert_eq!(next_id(&mut lanes), None);
    lanes.confirmed(&a);
    assert_eq!(next_id(&mut lanes), Some(2));
}

#[test]
fn a_row_that_is_read_late_goes_before_the_newer_ones() {
    let mut lanes = Lanes::new(8);
    lanes.push(row(5, Some("a")));
    lanes.push(row(9, Some("a")));
    lanes.push(row(2, Some("a")));
    let (a, first) = next(&mut lanes).expect("a row");
    assert_eq!(first.id, 2);
    lanes.confirmed(&a);
    assert_eq!(next_id(&mut lanes), Some(5));
}

#[test]
fn a_row_is_known_until_its_mark_is_written() {
    let mut lanes = Lanes::new(8);
    lanes.push(row(1, Some("a")));
    let (a, _) = next(&mut lanes).expect("a row");
    lanes.push(row(1, Some("a")));
    lanes.confirmed(&a);
    lanes.push(row(1, Some("a")));
    assert_eq!(next_id(&mut lanes), None);
    assert!(lanes.has_lane_of(&row(2, Some("a"))));
    lanes.settled(&a, 1);
    assert!(!lanes.knows(1));
    assert!(!lanes.has_lane_of(&row(2, Some("a"))));
}

#[test]
fn a_retry_holds_its_key_until_its_time() {
    let mut lanes = Lanes::new(8);
    lanes.push(row(1, Some("a")));
    lanes.push(row(2, Some("a")));
    let (a, first) = next(&mut lanes).expect("a row");
    lanes.retry(&a, first, NOW * 2);
    assert_eq!(next_id(&mut lanes), None);
    assert_eq!(lanes.next_retry(), Some(NOW * 2));
    let again = lanes.next(NOW * 2, |_| true).map(|(_, row)| row.id);
    assert_eq!(again, Some(1));
    assert_eq!(lanes.next_retry(), None);
}

#[test]
fn a_parked_key_is_forgotten_except_for_what_waits_for_its_mark() {
    let mut lanes = Lanes::new(8);
    for id in 1..=4 {
        lanes.push(row(id, Some("a")));
    }
    let (a, _) = next(&mut lanes).expect("a row");
    lanes.confirmed(&a);
    let (_, second) = next(&mut lanes).expect("a row");
    lanes.parked(&a, second.id);
    assert_eq!(lanes.known(), [1]);
    assert_eq!(lanes.queued(), 0);
    assert_eq!(next_id(&mut lanes), None);
    lanes.settled(&a, 1);
    assert!(!lanes.has_lane_of(&row(5, Some("a"))));
}

#[test]
fn rows_of_a_lost_shard_are_forgotten() {
    let mut lanes = Lanes::new(8);
    lanes.push(row(1, Some("a")));
    lanes.push(row(2, Some("a")));
    lanes.push(row(3, None));
    let (a, _) = next(&mut lanes).expect("a row");
    lanes.forget_unsent(Some(7));
    assert_eq!(lanes.queued(), 2);
    lanes.forget_unsent(Some(0));
    assert_eq!(lanes.queued(), 0);
    assert_eq!(lanes.known(), [1]);
    lanes.confirmed(&a);
    assert_eq!(next_id(&mut lanes), None);
}

#[test]
fn a_lane_that_may_not_run_lets_others_pass() {
    let mut lanes = Lanes::new(8);
    lanes.push(row(1, Some("a")));
    lanes.push(row(2, Some("b")));
    let second = lanes.next(NOW, |row| row.id != 1).map(|(_, row)| row.id);
    assert_eq!(second, Some(2));
    assert_eq!(
        lanes.next(NOW, |row| row.id != 1).map(|(_, row)| row.id),
        None
    );
    assert_eq!(next_id(&mut lanes), Some(1));
}

#[test]
fn a_lane_that_was_forgotten_and_read_again_has_one_row_in_flight() {
    let mut lanes = Lanes::new(8);
    lanes.push(row(1, Some("a")));
    lanes.forget_unsent(None);
    lanes.push(row(1, Some("a")));
    lanes.push(row(2, Some("a")));
    assert_eq!(next_id(&mut lanes), Some(1));
    assert_eq!(next_id(&mut lanes), None);
}
