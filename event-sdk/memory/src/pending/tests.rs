//! Unsettled deliveries: single cases, and a comparison with a map of deadlines.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// The only connection.
const ME: ConnectionId = ConnectionId(1);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn expired(pending: &mut Pending, now: u64) -> Vec<u64> {
    let mut sequences = Vec::new();
    while let Some(expired) = pending.next_expired(seconds(now)) {
        pending.make_due(expired.sequence);
        sequences.push(expired.sequence);
    }
    sequences
}

#[test]
fn a_delivery_is_due_when_its_wait_has_ended() {
    let mut pending = Pending::new();
    pending.deliver(1, seconds(10), ME);
    pending.deliver(2, seconds(20), ME);
    assert_eq!(pending.next_alarm(), Some(seconds(10)));
    assert!(expired(&mut pending, 9).is_empty());
    assert_eq!(expired(&mut pending, 10), [1]);
    assert_eq!(pending.next_alarm(), Some(seconds(20)));
    assert_eq!(pending.next_due(), Some((1, 2)));
    pending.redelivered(1, seconds(15), ME);
    assert_eq!(pending.next_due(), None);
    assert_eq!(expired(&mut pending, 20), [1, 2]);
    assert_eq!(pending.next_due(), Some((1, 3)));
    assert_eq!(pending.next_due(), Some((2, 2)));
}

#[test]
fn what_is_settled_while_it_is_due_does_not_come() {
    let mut pending = Pending::new();
    pending.deliver(1, seconds(1), ME);
    pending.deliver(2, seconds(1), ME);
    assert_eq!(expired(&mut pending, 1), [1, 2]);
    pending.settle(1);
    pending.extend(2, seconds(5));
    assert_eq!(pending.next_due(), None);
    assert_eq!(expired(&mut pending, 5), [2]);
}

#[test]
fn a_dropped_message_is_lost_at_once_unless_a_handler_has_it() {
    let mut pending = Pending::new();
    for sequence in 1..=4 {
        pending.deliver(sequence, seconds(10), ME);
    }
    pending.rest(2, seconds(20));
    pending.make_due(3);
    pending.settle(4);
    let lost: Vec<u64> = (1..=4).filter(|n| pending.message_dropped(*n)).collect();
    assert_eq!(lost, [2, 3]);
    assert_eq!((pending.len(), pending.dropped), (1, 1));
    let expired = pending.next_expired(seconds(10)).unwrap();
    assert_eq!((expired.sequence, expired.dropped), (1, true));
    pending.settle(1);
    assert_eq!((pending.len(), pending.dropped), (0, 0));
}

#[test]
fn handlers_that_never_settle_hold_a_bounded_number_of_dropped_messages() {
    let mut pending = Pending::new();
    let many = MAX_DROPPED as u64 + 1000;
    let mut lost = 0;
    for sequence in 1..=many {
        pending.deliver(sequence, seconds(30), ME);
        lost += u64::from(pending.message_dropped(sequence));
    }
    assert_eq!(lost, 1000);
    assert_eq!(pending.len(), MAX_DROPPED);
}

#[test]
fn what_became_of_deliveries_in_hand_is_counted() {
    let mut pending = Pending::new();
    for sequence in 1..=7 {
        pending.deliver(sequence, seconds(10 * sequence), ME);
    }
    pending.settle(7);
    pending.count_anew(ME);
    assert!(pending.settle(6));
    assert!(!pending.settle(6));
    pending.rest(5, seconds(90));
    pending.make_due(5);
    assert_eq!(expired(&mut pending, 10), [1]);
    assert!(pending.settle(1));
    assert!(pending.settle(2));
    assert_eq!(pending.in_hands_of(ME), [3, 4]);
    // Put back, and outstanding again.
    pending.make_due(4);
    pending.extend(4, seconds(95));
    assert_eq!(pending.held_by(ME), 2);
    let counts = Counts {
        settled: 4,
        lapsed: 1,
    };
    assert_eq!(pending.forget(ME), counts);
    pending.settle(3);
    assert_eq!(
        (pending.held_by(ME), pending.forget(ME)),
        (0, Counts::default())
    );
}

#[derive(Debug, Clone)]
enum Step {
    Deliver(u64),
    Settle(u64),
    Rest(u64, u64),
    Extend(u64, u64),
    MakeDue(u64),
    Redeliver(u64),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (sequence, wait) = (0_u64..40, 1_u64..30);
    let step = prop_oneof![
        3 => wait.clone().prop_map(Step::Deliver),
        1 => sequence.clone().prop_map(Step::Settle),
        2 => (sequence.clone(), wait.clone()).prop_map(|(s, w)| Step::Rest(s, w)),
        2 => (sequence.clone(), wait.clone()).prop_map(|(s, w)| Step::Extend(s, w)),
        1 => sequence.prop_map(Step::MakeDue),
        2 => wait.clone().prop_map(Step::Redeliver),
        2 => wait.prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..300)
}

proptest! {
    /// Against a map from each sequence to when it is due; `None`: it is.
    #[test]
    fn it_is_a_map_of_deadlines(steps in steps()) {
        let mut pending = Pending::new();
        let mut map: BTreeMap<u64, Option<u64>> = BTreeMap::new();
        let (mut now, mut last) = (0, 0);
        let holders = [ME, ConnectionId(2)];
        for step in steps {
            match step {
                Step::Deliver(wait) => {
                    last += 1;
                    pending.deliver(last, seconds(now + wait), holders[usize::from(wait < 9)]);
                    map.insert(last, Some(now + wait));
                }
                Step::Settle(sequence) => {
                    let was_there = map.remove(&sequence).is_some();
                    prop_assert_eq!(pending.settle(sequence), was_there);
                }
                Step::Rest(sequence, wait) => {
                    pending.rest(sequence, seconds(now + wait));
                    map.entry(sequence).and_modify(|due| *due = Some(now + wait));
                }
                Step::Extend(sequence, wait) => {
                    pending.extend(sequence, seconds(now + wait));
                    map.entry(sequence).and_modify(|due| *due = Some(now + wait));
                }
                Step::MakeDue(sequence) => {
                    pending.make_due(sequence);
                    map.entry(sequence).and_modify(|due| *due = None);
                }
                Step::Redeliver(wait) => {
                    let due = pending.next_due();
                    prop_assert_eq!(due.is_some(), map.values().any(Option::is_none));
                    if let Some((sequence, _)) = due {
                        prop_assert_eq!(map.get(&sequence), Some(&None));
                        let holder = holders[usize::from(wait < 20)];
                        pending.redelivered(sequence, seconds(now + wait), holder);
                        map.insert(sequence, Some(now + wait));
                    }
                }
                Step::Wait(wait) => now += wait,
            }
            let mut found = expired(&mut pending, now);
            found.sort_unstable();
            let ended = |due: &&mut Option<u64>| due.is_some_and(|due| due <= now);
            let expected: Vec<u64> = map
                .iter()
                .filter(|(_, due)| due.is_some_and(|due| due <= now))
                .map(|(sequence, _)| *sequence)
                .collect();
            prop_assert_eq!(found, expected);
            map.values_mut().filter(ended).for_each(|due| *due = None);
            let first = map.values().flatten().min().map(|due| seconds(*due));
            let alarm = pending.next_alarm();
            prop_assert_eq!(alarm.is_some(), first.is_some());
            prop_assert!(alarm <= first && alarm.is_none_or(|alarm| alarm > seconds(now)));
            for holder in holders {
                prop_assert_eq!(pending.held_by(holder), pending.in_hands_of(holder).len());
            }
            prop_assert_eq!(pending.len(), map.len());
            prop_assert!(pending.alarms.len() <= 2 * map.len() + 64);
            prop_assert!(pending.due.len() <= 2 * map.len() + 64);
        }
    }
}
