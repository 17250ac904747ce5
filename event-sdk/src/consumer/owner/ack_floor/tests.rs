//! Tests of the ack floor: its rules one by one, and random histories with gate, server and a
//! previous owner.

mod random;

use super::{AckFloor, Ends};

fn received(sequences: impl IntoIterator<Item = u64>) -> AckFloor<&'static str> {
    let mut floor = AckFloor::new();
    for sequence in sequences {
        floor.received(sequence);
        floor.know(sequence);
    }
    floor
}

fn next(floor: &mut AckFloor<&'static str>) -> Option<u64> {
    let next = floor.next(|item| match *item {
        "term" => Ends::Always,
        "unreadable" => Ends::Never,
        _ => Ends::Perhaps,
    });
    next.map(|(sequence, _)| sequence)
}

#[test]
fn an_acknowledgement_ends_at_the_first_hole() {
    let mut floor = received([3, 5, 8, 13]);
    assert_eq!(next(&mut floor), None);
    for sequence in [13, 3, 5] {
        assert_eq!(floor.done(sequence, "ack"), None);
    }
    assert_eq!(next(&mut floor), Some(5));
    assert_eq!(
        floor.sent(true).collect::<Vec<_>>(),
        [(3, "ack"), (5, "ack")]
    );
    assert_eq!(next(&mut floor), None);
    assert_eq!(floor.done(8, "ack"), None);
    assert_eq!(next(&mut floor), Some(13));
    assert_eq!(
        floor.sent(true).collect::<Vec<_>>(),
        [(8, "ack"), (13, "ack")]
    );
    assert!(!floor.is_sending());
}

#[test]
fn an_event_that_is_delivered_again_stays_what_it_is() {
    let mut floor = received([1, 2]);
    floor.done(1, "ack");
    floor.received(1);
    assert_eq!(next(&mut floor), Some(1));
    // It was given back, and comes again: still a hole.
    floor.received(2);
    assert_eq!(floor.sent(true).collect::<Vec<_>>(), [(1, "ack")]);
    assert_eq!(next(&mut floor), None);
    // A lower one is a hole before it.
    floor.received(1);
    floor.done(2, "ack");
    assert_eq!(next(&mut floor), None);
}

#[test]
fn nothing_is_acknowledged_beyond_what_is_known() {
    let mut floor = received([1, 2]);
    for sequence in [5, 6] {
        floor.received(sequence);
    }
    for sequence in [1, 2, 5, 6] {
        floor.done(sequence, "ack");
    }
    assert_eq!(next(&mut floor), Some(2));
    drop(floor.sent(true));
    // An event between 2 and 5 may be elsewhere.
    assert_eq!(next(&mut floor), None);
    floor.received(4);
    floor.know_all();
    assert_eq!(next(&mut floor), None);
    floor.done(4, "ack");
    assert_eq!(next(&mut floor), Some(6));
}

#[test]
fn one_that_fails_is_sent_again_and_settles_what_was_done_meanwhile() {
    let mut floor = received([1, 2]);
    floor.done(1, "ack");
    assert_eq!(next(&mut floor), Some(1));
    floor.done(2, "ack");
    assert_eq!(next(&mut floor), None);
    assert!(floor.is_sending());
    assert_eq!(floor.sent(false).collect::<Vec<_>>(), []);
    assert_eq!(next(&mut floor), Some(2));
    assert_eq!(floor.sent(true).count(), 2);
}

#[test]
fn a_term_is_the_last_of_its_acknowledgement() {
    let mut floor = received([1, 2, 3]);
    floor.done(1, "ack");
    floor.done(2, "term");
    floor.done(3, "ack");
    assert_eq!(next(&mut floor), Some(2));
    assert_eq!(
        floor.sent(true).collect::<Vec<_>>(),
        [(1, "ack"), (2, "term")]
    );
    assert_eq!(next(&mut floor), Some(3));
}

#[test]
fn what_cannot_be_acknowledged_is_settled_with_a_later_one() {
    let mut floor = received([1, 2, 3]);
    floor.done(1, "unreadable");
    assert_eq!(next(&mut floor), None);
    floor.done(2, "ack");
    floor.done(3, "unreadable");
    assert_eq!(next(&mut floor), Some(2));
    assert_eq!(
        floor.sent(true).collect::<Vec<_>>(),
        [(1, "unreadable"), (2, "ack")]
    );
    assert_eq!(next(&mut floor), None);
}

#[test]
fn what_the_server_has_settled_is_no_hole() {
    let mut floor = received([1, 2, 3]);
    floor.done(2, "ack");
    assert_eq!(floor.settle(2).collect::<Vec<_>>(), [(2, "ack")]);
    assert_eq!(floor.done(1, "late"), Some("late"));
    floor.done(3, "ack");
    assert_eq!(floor.waiting().map(|(at, _)| at).collect::<Vec<_>>(), [3]);
    assert_eq!(floor.take_waiting(), [(3, "ack")]);
    assert_eq!(next(&mut floor), None);
}
