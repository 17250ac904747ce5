//! Tests of the gate: each rule by an example, and random histories of a consumer at a server.

mod random;

use super::*;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The position of a consumer whose deliveries are as many as the sequences delivered.
fn position(ack_pending: u64, delivered: u64) -> Baseline {
    Baseline {
        ack_pending,
        delivered,
        deliveries: Some(delivered),
    }
}

fn taken_over(ack_pending: u64, delivered: u64) -> Gate<&'static str> {
    let baseline = position(ack_pending, delivered);
    Gate::taken_over(baseline, secs(30), secs(60), secs(0))
}

fn arrival(sequence: u64, number: u64, redelivered: bool) -> Arrival {
    Arrival {
        sequence,
        number: Some(number),
        redelivered,
    }
}

fn new(gate: &mut Gate<&'static str>, sequence: u64, number: u64) -> Passage<&'static str> {
    gate.delivered(arrival(sequence, number, false), "new", secs(1))
}

fn again(gate: &mut Gate<&'static str>, sequence: u64, number: u64) -> Passage<&'static str> {
    gate.delivered(arrival(sequence, number, true), "again", secs(1))
}

fn released(gate: &mut Gate<&'static str>, now: Duration) -> Option<Vec<u64>> {
    Some(gate.release(now)?.items.into_keys().collect())
}

#[test]
fn it_is_open_where_nothing_was_unsettled() {
    let mut gate = taken_over(0, 5);
    assert!(gate.is_open());
    assert_eq!(new(&mut gate, 6, 6), Passage::Pass("new"));
    assert_eq!(gate.next_time(), None);
}

#[test]
fn it_opens_when_everything_that_was_unsettled_has_come_and_keeps_the_order() {
    let mut gate = taken_over(2, 5);
    assert_eq!(new(&mut gate, 6, 6), Passage::Held(None));
    assert_eq!(again(&mut gate, 5, 7), Passage::Held(None));
    // Once more, and no other one.
    assert_eq!(again(&mut gate, 5, 8), Passage::Held(Some("again")));
    assert_eq!(released(&mut gate, secs(2)), None);
    assert_eq!(again(&mut gate, 3, 9), Passage::Held(None));
    assert_eq!(released(&mut gate, secs(2)), Some(vec![3, 5, 6]));
    assert!(gate.is_open());
    assert_eq!(new(&mut gate, 7, 10), Passage::Pass("new"));
    assert_eq!(again(&mut gate, 7, 11), Passage::Repeated("again"));
}

#[test]
fn a_message_that_cannot_be_read_counts_and_is_never_held() {
    let mut gate = taken_over(2, 5);
    assert!(!gate.unreadable(arrival(4, 6, true), secs(1)));
    assert_eq!(again(&mut gate, 5, 7), Passage::Held(None));
    assert_eq!(released(&mut gate, secs(2)), Some(vec![5]));
    // The next number follows its own.
    assert!(gate.unreadable(arrival(6, 8, false), secs(2)));
    assert_eq!(new(&mut gate, 7, 9), Passage::Pass("new"));
}

#[test]
fn what_arrives_before_the_released_ones_are_taken_does_not_overtake_them() {
    let mut gate = taken_over(1, 5);
    new(&mut gate, 6, 6);
    again(&mut gate, 5, 7);
    assert_eq!(new(&mut gate, 7, 8), Passage::Held(None));
    assert_eq!(released(&mut gate, secs(2)), Some(vec![5, 6, 7]));
}

#[test]
fn a_late_acknowledgement_of_the_previous_owner_does_not_hide_a_missing_message() {
    // 1 and 2 were unsettled; 1 comes, and is then settled by the previous owner.
    let mut gate = taken_over(2, 2);
    again(&mut gate, 1, 3);
    new(&mut gate, 3, 4);
    // The server counts two unsettled messages, and two are here. It is not even asked.
    assert_eq!(gate.asks(secs(1)), None);
    assert_eq!(released(&mut gate, secs(1)), None);
    again(&mut gate, 2, 5);
    assert_eq!(released(&mut gate, secs(1)), Some(vec![1, 2, 3]));
}

#[test]
fn a_late_acknowledgement_of_the_last_missing_message_is_found_by_asking() {
    let mut gate = taken_over(1, 1);
    new(&mut gate, 2, 2);
    let ticket = gate.asks(secs(1)).unwrap();
    assert_eq!(gate.asks(secs(1)), None);
    assert_eq!(gate.next_time(), Some(Duration::from_millis(1_020)));
    gate.answered(ticket, position(1, 2));
    assert_eq!(released(&mut gate, secs(1)), Some(vec![2]));
}

#[test]
fn a_missing_number_closes_it_until_everything_unsettled_is_here() {
    let mut gate = taken_over(0, 5);
    new(&mut gate, 6, 6);
    // The seventh delivery went to an open pull of the previous owner.
    assert_eq!(new(&mut gate, 8, 8), Passage::Held(None));
    let ticket = gate.asks(secs(1)).unwrap();
    gate.answered(ticket, position(3, 8));
    assert_eq!(released(&mut gate, secs(1)), None);
    assert_eq!(again(&mut gate, 7, 9), Passage::Held(None));
    assert_eq!(released(&mut gate, secs(31)), Some(vec![7, 8]));
}

#[test]
fn a_baseline_that_was_asked_for_before_a_missing_number_is_ignored() {
    let mut gate = taken_over(1, 5);
    let ticket = gate.asks(secs(0)).unwrap();
    new(&mut gate, 7, 7);
    gate.answered(ticket, position(0, 5));
    assert_eq!(released(&mut gate, secs(1)), None);
}

#[test]
fn a_delivery_that_was_on_its_way_counts_only_if_it_was_not_settled_from_here() {
    let mut gate = taken_over(0, 5);
    new(&mut gate, 6, 6);
    gate.settled(6);
    new(&mut gate, 8, 8);
    let ticket = gate.asks(secs(1)).unwrap();
    // 7 and 8 are unsettled; 6 was delivered once more before it was settled.
    let baseline = Baseline {
        ack_pending: 2,
        delivered: 8,
        deliveries: Some(9),
    };
    gate.answered(ticket, baseline);
    again(&mut gate, 6, 9);
    assert_eq!(released(&mut gate, secs(1)), None);
    again(&mut gate, 7, 10);
    assert_eq!(released(&mut gate, secs(1)), Some(vec![6, 7, 8]));
}

#[test]
fn it_opens_at_the_latest_after_the_ack_wait_and_the_longest_delay() {
    let mut gate = taken_over(2, 5);
    again(&mut gate, 4, 6);
    assert_eq!(gate.next_time(), Some(secs(90)));
    assert_eq!(gate.release(secs(89)), None);
    let forced = gate.release(secs(90)).unwrap();
    assert_eq!(forced.opened, Opened::TimeOver(Some(1)));
    assert!(forced.items.into_keys().eq([4]));
    // A message that is missing later waits for the ack wait only.
    gate.delivered(arrival(8, 8, false), "new", secs(100));
    assert_eq!(gate.next_time(), Some(secs(130)));
    assert_eq!(
        gate.release(secs(130)).unwrap().opened,
        Opened::TimeOver(None)
    );
}

#[test]
fn a_message_that_was_delayed_from_here_passes_again_and_is_not_missing() {
    let mut gate = taken_over(0, 5);
    new(&mut gate, 6, 6);
    gate.delayed(6);
    new(&mut gate, 8, 8);
    let ticket = gate.asks(secs(1)).unwrap();
    gate.answered(ticket, position(2, 8));
    assert_eq!(released(&mut gate, secs(1)), Some(vec![8]));
    assert_eq!(again(&mut gate, 6, 9), Passage::Pass("again"));
}

#[test]
fn without_numbers_the_takeover_alone_closes_it() {
    let baseline = Baseline {
        deliveries: None,
        ..position(1, 1)
    };
    let mut gate = Gate::taken_over(baseline, secs(30), secs(0), secs(0));
    let unnumbered = |sequence, redelivered| Arrival {
        sequence,
        number: None,
        redelivered,
    };
    gate.delivered(unnumbered(2, false), "new", secs(1));
    gate.delivered(unnumbered(1, true), "again", secs(1));
    assert_eq!(released(&mut gate, secs(1)), Some(vec![1, 2]));
    let passes = gate.delivered(unnumbered(9, false), "new", secs(1));
    assert_eq!(passes, Passage::Pass("new"));
}

#[test]
fn a_question_while_deliveries_are_on_their_way_does_not_delay_a_takeover() {
    let mut gate = taken_over(2, 5);
    let ticket = gate.asks(secs(0)).unwrap();
    // The server has sent 4 again when it answers, and it has not come yet.
    let asked = Baseline {
        ack_pending: 2,
        delivered: 5,
        deliveries: Some(6),
    };
    gate.answered(ticket, asked);
    assert_eq!(again(&mut gate, 4, 6), Passage::Held(None));
    assert_eq!(again(&mut gate, 5, 7), Passage::Held(None));
    assert_eq!(released(&mut gate, secs(2)), Some(vec![4, 5]));
}
