//! Numbers of deliveries and of streams, and the gaps that follow from them.

mod looks;

use super::super::look::ConsumerLook;
use super::*;
use event_sdk_core::transport::BoundConsumer;

fn reply((number, sequence): (u64, u64)) -> Reply {
    Reply {
        attempt: 1,
        sequence,
        number,
        stored_at: Timestamp::UNIX_EPOCH,
        pending: 0,
    }
}

fn bound(found: bool, consumer_seq: u64, stream_seq: u64) -> Bound {
    let config = config("s.>");
    Bound {
        stream: "S".into(),
        name: "c".into(),
        consumer: if found {
            Box::new(BoundConsumer::found(config, Vec::new()))
        } else {
            Box::new(BoundConsumer::created(config))
        },
        created: None,
        next: stream_seq + 1,
        acknowledged: Delivered::default(),
        delivered: Delivered {
            consumer_seq,
            stream_seq,
        },
        found_idle: None,
        found_empty: false,
        must_exist: false,
        max_batch: None,
        max_expires: None,
    }
}

fn config(filter: &'static str) -> ConsumerConfig {
    let filter = Pattern::parse(filter).unwrap();
    ConsumerConfig::new(ConsumerName::Durable("c".into()), vec![filter])
}

fn stream(first: u64, last: u64, deleted: &[u64]) -> StreamLook {
    StreamLook {
        first,
        last,
        deleted: deleted.len() as u64,
        details: Some(deleted.to_vec()),
        rules: StreamRules {
            subjects: Some(vec![Pattern::parse("s.>").unwrap()]),
            keeps_read: true,
            per_subject: false,
            skips: false,
            copies: 1,
        },
    }
}

fn gap(from: u64, to: u64, lost: LostCount) -> Gap {
    Gap { from, to, lost }
}

fn exactly(from: u64, to: u64, lost: u64) -> Gap {
    gap(from, to, LostCount::Exactly(lost))
}

fn at_most(from: u64, to: u64, lost: u64) -> Gap {
    gap(from, to, LostCount::AtMost(lost))
}

/// A new consumer of a stream that is empty.
fn new(filter: &'static str) -> Tracker {
    let (tracker, gaps) = Tracker::begin(
        &config(filter),
        &bound(false, 0, 0),
        Some(&stream(1, 0, &[])),
    );
    assert_eq!(gaps, []);
    tracker
}

/// The gaps that deliveries tell, where the stream and the consumer are as they were.
fn delivers(tracker: &mut Tracker, deliveries: &[(u64, u64)]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for delivery in deliveries {
        match tracker.delivered(&reply(*delivery), false) {
            Found::Nothing => {}
            Found::Gap(gap) => gaps.push(gap),
            Found::Doubt => {
                let look = StreamLook {
                    rules: tracker.rules.clone(),
                    ..stream(1, delivery.1, &[])
                };
                let at = has(tracker, idle(delivery.0, delivery.1, 0));
                gaps.extend(tracker.looked(&look, Some(&at), false, true));
            }
        }
    }
    gaps
}

/// What a look tells; an answer of the consumer means that nothing came.
fn looked(tracker: &mut Tracker, look: &StreamLook, idle: Option<ConsumerLook>) -> Vec<Gap> {
    let at = idle.map(|at| has(tracker, at));
    tracker.looked(look, at.as_ref(), at.is_some(), false)
}

/// The consumer, with the filters that are known.
fn has(tracker: &Tracker, mut at: ConsumerLook) -> ConsumerLook {
    at.filters = Some(tracker.filters.clone());
    at
}

fn idle(consumer_seq: u64, stream_seq: u64, pending: u64) -> ConsumerLook {
    ConsumerLook {
        delivered: Delivered {
            consumer_seq,
            stream_seq,
        },
        filters: None,
        settled_to: 0,
        pending,
    }
}

#[test]
fn a_jump_of_a_consumer_of_everything_is_a_gap() {
    let mut tracker = new("s.>");
    let gaps = delivers(&mut tracker, &[(1, 1), (2, 2), (3, 10), (4, 11)]);
    assert_eq!(gaps, [exactly(3, 9, 7)]);
}

#[test]
fn deliveries_of_other_members_are_no_gap() {
    let mut tracker = new("s.>");
    assert_eq!(delivers(&mut tracker, &[(1, 1), (5, 5), (9, 9)]), []);
    assert!(!tracker.wants_look(false), "they read what was passed over");
    // Seven sequences, and three deliveries that went elsewhere.
    assert_eq!(delivers(&mut tracker, &[(13, 17)]), [at_most(10, 16, 7)]);
}

#[test]
fn more_deliveries_than_messages_may_hide_a_gap() {
    let mut tracker = new("s.>");
    assert_eq!(delivers(&mut tracker, &[(1, 1), (6, 5)]), []);
    assert!(tracker.wants_look(false), "one went again");
    assert_eq!(
        looked(&mut tracker, &stream(3, 5, &[]), None),
        [at_most(2, 2, 1)]
    );
    assert_eq!(delivers(&mut tracker, &[(8, 7)]), []);
    assert!(!tracker.wants_look(false));
    // Here one of the deliveries was no first one.
    let again = Reply {
        attempt: 2,
        ..reply((10, 8))
    };
    assert_eq!(tracker.delivered(&again, false), Found::Nothing);
    assert_eq!(delivers(&mut tracker, &[(11, 10)]), []);
    assert!(tracker.wants_look(false));
}

#[test]
fn a_redelivery_is_no_gap() {
    let mut tracker = new("s.>");
    assert_eq!(delivers(&mut tracker, &[(1, 1), (2, 2)]), []);
    let again = Reply {
        attempt: 2,
        ..reply((3, 1))
    };
    assert_eq!(tracker.delivered(&again, false), Found::Nothing);
    assert_eq!(delivers(&mut tracker, &[(4, 3)]), []);
}

#[test]
fn a_server_that_forgot_some_deliveries_makes_no_gap() {
    let mut tracker = new("s.>");
    let deliveries = [(1, 1), (2, 2), (3, 3), (2, 2), (3, 3), (4, 4)];
    assert_eq!(delivers(&mut tracker, &deliveries), []);
}

#[test]
fn what_was_dropped_before_it_was_bound_is_told_once() {
    let (mut tracker, gaps) = Tracker::begin(
        &config("s.>"),
        &bound(true, 3, 3),
        Some(&stream(10, 20, &[15])),
    );
    assert_eq!(gaps, [exactly(4, 9, 6), at_most(15, 15, 1)]);
    assert_eq!(
        delivers(&mut tracker, &[(4, 10), (5, 14), (6, 16)]),
        [exactly(11, 13, 3)]
    );
}

#[test]
fn what_was_gone_before_a_consumer_was_created_is_no_gap() {
    let (mut tracker, gaps) = Tracker::begin(
        &config("s.>"),
        &bound(false, 0, 9),
        Some(&stream(10, 20, &[12, 13])),
    );
    assert_eq!(gaps, []);
    assert_eq!(delivers(&mut tracker, &[(1, 10), (2, 11), (3, 14)]), []);
}

#[test]
fn holes_that_are_too_many_are_counted() {
    let many = StreamLook {
        deleted: 50_000,
        details: None,
        ..stream(1, 90_000, &[])
    };
    let (mut tracker, gaps) = Tracker::begin(&config("s.>"), &bound(true, 2, 10), Some(&many));
    assert_eq!(gaps, [at_most(11, 90_000, 50_000)]);
    assert_eq!(delivers(&mut tracker, &[(3, 20), (4, 89_999)]), []);
    assert_eq!(
        delivers(&mut tracker, &[(5, 90_005)]),
        [exactly(90_001, 90_004, 4)]
    );
}

#[test]
fn a_start_behind_the_first_message_is_a_gap() {
    let mut config = config("s.>");
    config.deliver = DeliverPolicy::ByStartSequence(3);
    let look = stream(5, 9, &[7]);
    let (_, gaps) = Tracker::begin(&config, &bound(false, 0, 4), Some(&look));
    assert_eq!(gaps, [exactly(3, 4, 2), exactly(7, 7, 1)]);
}

#[test]
fn a_narrow_filter_asks_the_stream() {
    let mut tracker = new("s.a");
    assert_eq!(delivers(&mut tracker, &[(1, 3), (2, 20)]), []);
    assert!(tracker.wants_look(false));
    // Nothing was dropped, then some of what was passed over.
    assert_eq!(looked(&mut tracker, &stream(1, 30, &[]), None), []);
    assert_eq!(delivers(&mut tracker, &[(3, 40), (4, 50)]), []);
    let gaps = looked(&mut tracker, &stream(31, 60, &[45]), None);
    assert_eq!(gaps, [at_most(21, 45, 11)]);
    assert!(!tracker.wants_look(false));
}

#[test]
fn a_narrow_filter_that_waited_passes_over_the_others_messages() {
    let mut tracker = new("s.a");
    assert_eq!(delivers(&mut tracker, &[(1, 3)]), []);
    assert_eq!(
        looked(&mut tracker, &stream(1, 3, &[]), Some(idle(1, 3, 0))),
        []
    );
    assert!(!tracker.wants_look(true));
    assert_eq!(delivers(&mut tracker, &[(2, 1000)]), []);
    assert!(!tracker.wants_look(false));
    // Interrupted, it may have missed some.
    assert_eq!(
        looked(
            &mut tracker,
            &stream(900, 1000, &[]),
            Some(idle(2, 1000, 0))
        ),
        []
    );
    tracker.interrupted();
    assert_eq!(delivers(&mut tracker, &[(3, 2000)]), []);
    let gaps = looked(&mut tracker, &stream(1500, 2000, &[]), None);
    assert_eq!(gaps, [at_most(1001, 1499, 499)]);
}

#[test]
fn where_nothing_comes_what_is_gone_is_told() {
    let mut tracker = new("s.>");
    assert_eq!(delivers(&mut tracker, &[(1, 1)]), []);
    assert!(tracker.wants_look(true));
    let gaps = looked(&mut tracker, &stream(21, 20, &[]), Some(idle(1, 1, 0)));
    assert_eq!(gaps, [exactly(2, 20, 19)]);
    assert_eq!(delivers(&mut tracker, &[(2, 22)]), [exactly(21, 21, 1)]);
}

#[test]
fn where_others_read_on_only_the_rest_is_told() {
    let mut tracker = new("s.>");
    assert_eq!(delivers(&mut tracker, &[(1, 1)]), []);
    let gaps = looked(&mut tracker, &stream(21, 30, &[]), Some(idle(8, 15, 10)));
    assert_eq!(gaps, [at_most(16, 20, 5)]);
    assert!(tracker.wants_look(true), "some are pending");
}

#[test]
fn other_consumers_acknowledgements_are_no_gap() {
    let mut look = stream(9, 20, &[12]);
    look.rules.keeps_read = false;
    let (mut tracker, gaps) = Tracker::begin(&config("s.a"), &bound(true, 1, 3), Some(&look));
    assert_eq!(gaps, []);
    assert_eq!(delivers(&mut tracker, &[(2, 10), (3, 20)]), []);
    assert!(!tracker.wants_look(true) && !tracker.wants_look(false));
}

#[test]
fn without_a_look_only_a_filter_of_everything_tells() {
    let unasked = Bound {
        next: 0,
        ..bound(true, 0, 0)
    };
    for (filter, wanted) in [(">", vec![at_most(103, 109, 7)]), ("s.>", vec![])] {
        let (mut tracker, gaps) = Tracker::begin(&config(filter), &unasked, None);
        assert_eq!(gaps, []);
        let deliveries = [(50, 101), (51, 102), (52, 110)];
        let gaps: Vec<_> = deliveries
            .iter()
            .filter_map(
                |delivery| match tracker.delivered(&reply(*delivery), true) {
                    Found::Gap(gap) => Some(gap),
                    Found::Nothing => None,
                    Found::Doubt => panic!("{delivery:?} is in doubt, and nobody can be asked"),
                },
            )
            .collect();
        assert_eq!(gaps, wanted, "{filter}");
    }
}

#[test]
fn a_start_at_a_time_to_come_passes_over_what_is_before_it() {
    let mut config = config("s.>");
    config.deliver = DeliverPolicy::ByStartTime(Timestamp::MAX);
    let (mut tracker, _) = Tracker::begin(&config, &bound(false, 0, 5), Some(&stream(1, 5, &[])));
    assert_eq!(
        delivers(&mut tracker, &[(1, 9), (2, 12)]),
        [exactly(10, 11, 2)]
    );
}

#[test]
fn a_consumer_of_the_last_of_each_subject_that_is_made_again_passes_over_the_others() {
    let mut config = config("s.>");
    config.deliver = DeliverPolicy::LastPerSubject;
    let look = stream(1, 5, &[]);
    let (mut tracker, gaps) = Tracker::begin(&config, &bound(false, 0, 4), Some(&look));
    assert_eq!(gaps, []);
    tracker.remade(&bound(false, 0, 7));
    assert_eq!(delivers(&mut tracker, &[(1, 9), (2, 12)]), []);
    assert_eq!(
        looked(&mut tracker, &stream(1, 12, &[]), Some(idle(2, 12, 0))),
        []
    );
    assert_eq!(delivers(&mut tracker, &[(3, 15)]), [exactly(13, 14, 2)]);
}

#[test]
fn a_consumer_that_cannot_be_asked_waits_where_nothing_was_dropped() {
    let mut tracker = new("s.a");
    assert_eq!(delivers(&mut tracker, &[(1, 1)]), []);
    tracker.waits(&stream(3, 9, &[]));
    assert!(tracker.wants_look(true), "2 may have been for it");
    tracker.waits(&stream(2, 9, &[]));
    assert!(!tracker.wants_look(true));
}

#[test]
fn many_jumps_are_remembered_in_little_space() {
    let mut tracker = new("s.a");
    for number in 1..=10_000 {
        assert_eq!(delivers(&mut tracker, &[(number, number * 10)]), []);
    }
    assert!(tracker.jumps.len() <= MOST_JUMPS);
    let gaps = looked(&mut tracker, &stream(50_001, 100_000, &[]), None);
    let [only] = gaps.as_slice() else {
        panic!("{gaps:?}");
    };
    let LostCount::AtMost(lost) = only.lost else {
        panic!("{only:?}");
    };
    assert!(
        (45_000..=50_000).contains(&lost) && only.from == 1,
        "{only:?}"
    );
}

#[test]
fn a_stream_that_did_not_answer_at_first_is_learnt_later() {
    let (mut tracker, gaps) = Tracker::begin(&config("s.>"), &bound(true, 1, 1), None);
    assert_eq!(gaps, []);
    // Nothing is known of the stream yet, so that nothing is said of what is missing.
    assert_eq!(delivers(&mut tracker, &[(2, 5)]), []);
    assert!(tracker.wants_look(false));
    assert_eq!(looked(&mut tracker, &stream(5, 6, &[]), None), []);
    assert!(!tracker.wants_look(false));
    assert_eq!(
        delivers(&mut tracker, &[(3, 6), (4, 10)]),
        [exactly(7, 9, 3)]
    );
}
