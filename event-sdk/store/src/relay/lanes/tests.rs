//! Tests of `Lanes`: order in a key, one row in flight, and which rows are known.

use std::time::Duration;

use super::{BegunRefill, LaneId, Lanes};
use crate::outbox::{Ahead, OutboxRow, ShardPosition};

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

fn late(id: i64, key: &str) -> OutboxRow {
    let mut row = row(id, Some(key));
    row.ahead = Ahead::Unpublished;
    row
}

/// A lane of key `a` that is alive because row 5 waits for its mark.
fn sent_5(room: usize) -> (Lanes, LaneId) {
    let mut lanes = Lanes::new(room);
    lanes.push(row(5, Some("a")));
    let (a, _) = next(&mut lanes).expect("a row");
    lanes.confirmed(&a);
    (lanes, a)
}

#[test]
fn a_row_behind_one_that_may_not_be_known_waits_until_the_key_is_read() {
    let (mut lanes, a) = sent_5(8);
    // Row 10 was committed late, below the position; row 60 after it.
    lanes.push(late(60, "a"));
    assert_eq!(next_id(&mut lanes), None);
    let BegunRefill { keys, known, .. } = lanes.begin_refill(8);
    assert_eq!((keys.len(), known), (1, vec![5]));
    // What comes meanwhile waits too.
    lanes.push(row(70, Some("a")));
    lanes.refill(&a, vec![row(10, Some("a")), row(60, Some("a"))], false);
    assert_eq!(next_id(&mut lanes), Some(10));
    lanes.push(row(80, Some("a")));
    let BegunRefill { keys, known, .. } = lanes.begin_refill(8);
    assert_eq!((keys.len(), known), (1, vec![60, 5, 10]));
    lanes.refill(&a, vec![row(70, Some("a")), row(80, Some("a"))], false);
    assert_eq!(lanes.begin_refill(8).keys.len(), 0);
    for id in [60, 70, 80] {
        lanes.confirmed(&a);
        assert_eq!(next_id(&mut lanes), Some(id));
    }
}

#[test]
fn rows_are_not_dropped_while_the_rest_of_their_key_is_read() {
    let (mut lanes, a) = sent_5(8);
    lanes.push(row(6, Some("a")));
    lanes.push(row(7, Some("a")));
    lanes.push(late(60, "a"));
    assert_eq!(next_id(&mut lanes), Some(6));
    lanes.push_always(row(8, Some("a")));
    assert_eq!(lanes.begin_refill(8).keys.len(), 1);
    lanes.trim();
    assert_eq!(lanes.queued(), 2);
    lanes.refill(&a, vec![row(60, Some("a"))], true);
    lanes.trim();
    assert_eq!(lanes.queued(), 1);
    lanes.confirmed(&a);
    assert_eq!(next_id(&mut lanes), Some(7));
}

#[test]
fn a_read_of_a_rest_that_was_forgotten_is_ignored() {
    let (mut lanes, a) = sent_5(8);
    lanes.push(late(60, "a"));
    assert_eq!(lanes.begin_refill(8).keys.len(), 1);
    lanes.forget_unsent(None);
    lanes.push(late(61, "a"));
    lanes.refill(&a, vec![row(60, Some("a"))], false);
    assert_eq!(next_id(&mut lanes), None);
    assert_eq!(lanes.begin_refill(8).keys.len(), 1);
}

#[test]
fn keys_are_read_in_turn() {
    let mut lanes = Lanes::new(1);
    for (id, key) in [(1, "a"), (2, "b"), (3, "c"), (4, "a"), (5, "b"), (6, "c")] {
        lanes.push(row(id, Some(key)));
    }
    while next(&mut lanes).is_some() {}
    let mut turns = Vec::new();
    for _ in 0..6 {
        let keys = lanes.begin_refill(1).keys;
        let (shard, key, _) = keys.into_iter().next().expect("a key");
        turns.push(key.to_string());
        let id = LaneId::Key(shard, key);
        lanes.refill(&id, Vec::new(), true);
    }
    assert_eq!(turns, ["a", "b", "c", "a", "b", "c"]);
}

#[test]
fn a_row_that_an_outage_holds_is_not_passed() {
    let mut lanes = Lanes::new(8);
    lanes.push(row(50, Some("a")));
    lanes.hold(row(10, Some("a")));
    assert_eq!(next_id(&mut lanes), Some(10));
}

#[test]
fn a_forgotten_key_is_not_held() {
    let mut lanes = Lanes::new(8);
    lanes.hold(row(10, Some("a")));
    assert!(lanes.holds());
    lanes.forget_unsent(Some(0));
    assert!(!lanes.holds());
}

const SHARD: ShardPosition = ShardPosition {
    shard: 0,
    from: 0,
    floor: i64::MIN,
};

fn settle(lanes: &mut Lanes, settled: i64) {
    let doubts = lanes.doubts();
    lanes.begin_look();
    lanes.settle(&[SHARD], settled, doubts);
}

/// Sends all rows, and returns from where on the rest of the only key is read then.
fn rest_from(lanes: &mut Lanes) -> Option<i64> {
    while let Some((id, _)) = next(lanes) {
        lanes.confirmed(&id);
    }
    lanes.begin_refill(8).keys.first().map(|(_, _, from)| *from)
}

#[test]
fn a_rest_is_read_where_its_last_read_has_ended_but_not_above_the_floor() {
    let mut lanes = Lanes::new(2);
    settle(&mut lanes, 100);
    for id in [1, 2, 3, 4] {
        lanes.push(row(id, Some("a")));
    }
    let a = LaneId::Key(0, "a".into());
    assert_eq!(rest_from(&mut lanes), Some(3));
    lanes.refill(&a, vec![row(3, Some("a")), row(4, Some("a"))], true);
    assert_eq!(rest_from(&mut lanes), Some(5));
    lanes.refill(&a, vec![row(205, Some("a")), row(206, Some("a"))], true);
    // A row with a lower id may have been committed since.
    assert_eq!(rest_from(&mut lanes), Some(100));
    lanes.push(row(300, Some("a")));
    lanes.refill(&a, Vec::new(), false);
    assert_eq!(rest_from(&mut lanes), Some(100));
}

#[test]
fn a_rest_is_read_from_the_start_after_a_doubt() {
    let mut lanes = Lanes::new(2);
    settle(&mut lanes, 100);
    for id in [1, 2, 3] {
        lanes.push(row(id, Some("a")));
    }
    lanes.doubt();
    assert_eq!(lanes.floor(0), i64::MIN);
    assert_eq!(rest_from(&mut lanes), Some(i64::MIN));
    lanes.doubt();
    let a = LaneId::Key(0, "a".into());
    lanes.refill(&a, vec![row(3, Some("a"))], true);
    assert_eq!(rest_from(&mut lanes), Some(i64::MIN));
}

#[test]
fn the_floor_is_not_above_that_of_a_rest_that_has_ended() {
    let mut lanes = Lanes::new(2);
    settle(&mut lanes, 100);
    for id in [1, 2, 3] {
        lanes.push(row(id, Some("a")));
    }
    assert_eq!(rest_from(&mut lanes), Some(3));
    // These looks pass over the key. One ends before its rest, and one after it.
    settle(&mut lanes, 200);
    assert_eq!(lanes.floor(0), 200);
    let doubts = lanes.doubts();
    lanes.begin_look();
    lanes.refill(&LaneId::Key(0, "a".into()), Vec::new(), false);
    assert_eq!(lanes.floor(0), 100);
    lanes.settle(&[SHARD], 300, doubts);
    assert_eq!(lanes.floor(0), 100);
    settle(&mut lanes, 300);
    assert_eq!(lanes.floor(0), 300);
}

#[test]
fn a_look_that_began_before_a_doubt_sets_no_floor() {
    let mut lanes = Lanes::new(2);
    let doubts = lanes.doubts();
    lanes.push(row(1, Some("a")));
    lanes.forget_unsent(None);
    lanes.settle(&[SHARD], 100, doubts);
    assert_eq!(lanes.floor(0), i64::MIN);
}

#[test]
fn a_key_whose_rows_are_sent_is_read_in_larger_portions_and_before_its_queue_is_empty() {
    let mut lanes = Lanes::new(4);
    settle(&mut lanes, 1_000);
    for id in 1..=5 {
        lanes.push(row(id, Some("a")));
    }
    let (mut last, mut portions) = (4, Vec::new());
    while portions.len() < 6 {
        let (a, sent) = next(&mut lanes).expect("no key waits for a read");
        let begun = lanes.begin_refill(20);
        if let Some((_, key, from)) = begun.keys.into_iter().next() {
            assert_eq!((key.as_str(), from), ("a", last + 1));
            portions.push(begun.of_each);
            let rows = last + 1..=last + i64::try_from(begun.of_each).expect("it is small");
            last = *rows.end();
            lanes.refill(&a, rows.map(|id| row(id, Some("a"))).collect(), true);
        }
        lanes.confirmed(&a);
        lanes.settled(&a, sent.id);
    }
    assert_eq!(portions, [4, 8, 16, 20, 20, 20]);
    // Two keys share what is read.
    let mut lanes = Lanes::new(4);
    for (id, key) in (1..).zip(["a", "b"].into_iter().cycle().take(12)) {
        lanes.push(row(id, Some(key)));
    }
    for _ in 0..6 {
        let (id, sent) = next(&mut lanes).expect("a row");
        lanes.confirmed(&id);
        lanes.settled(&id, sent.id);
    }
    let begun = lanes.begin_refill(6);
    assert_eq!((begun.keys.len(), begun.of_each), (2, 3));
}
