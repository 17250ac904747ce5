//! Work-queue and interest retention: messages kept until acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use event_sdk::ErrorKind;
use event_sdk::stream::Retention;
use event_sdk::transport::{
    AckPolicy, ConsumerConfig, DeliverPolicy, Expectations, Incoming, Received, RollUp,
    SubscribeRequest,
};
use proptest::prelude::*;

use crate::support::*;

fn queue() -> Rig {
    Rig::of(|stream| stream.retention(Retention::WorkQueue))
}

fn by_interest() -> Rig {
    Rig::of(|stream| stream.retention(Retention::Interest))
}

fn for_subject(name: &str, filter: &str) -> ConsumerConfig {
    let mut config = durable(name);
    config.filters = vec![pattern(filter)];
    config
}

#[test]
fn the_last_of_a_subject_is_the_last_that_is_left() {
    let rig = queue();
    let mut sub = rig.subscribe(durable("d"));
    rig.publish_many("a", 5);
    rig.publish("b");
    let got: Vec<Received> = (0..5).map(|_| sub.message()).collect();
    let expecting = |last| {
        let mut expect = Expectations::none();
        expect.last_subject_sequence = Some(last);
        expect
    };
    for (acked, last) in [(1, 5), (4, 4), (3, 3), (2, 1), (0, 0)] {
        got[acked].ack();
        let error = rig.publish_expecting("a", expecting(77)).unwrap_err();
        let found = ErrorKind::WrongLastSequence { last: Some(last) };
        assert_eq!(error.kind(), &found, "after number {acked}");
    }
    assert_eq!(rig.state().messages, 1);
    let stored = rig.publish_expecting("a", expecting(0)).unwrap();
    assert_eq!(stored.sequence, Some(7));
}

#[test]
fn what_was_acknowledged_is_no_gap_for_who_comes_later() {
    let rig = by_interest();
    let mut one = rig.subscribe(durable("one"));
    rig.publish_many("a", 3);
    assert_eq!(one.drain(), [1, 2, 3]);
    let mut config = durable("two");
    config.deliver = DeliverPolicy::ByStartSequence(1);
    let mut two = rig.subscribe(config);
    rig.publish("a");
    assert_eq!(two.drain(), [4]);
}

#[test]
fn what_a_limit_drops_is_a_gap_for_who_has_not_acknowledged_it() {
    let rig = Rig::of(|stream| stream.retention(Retention::Interest).max_messages(2));
    let (mut one, mut two) = (rig.subscribe(durable("one")), rig.subscribe(durable("two")));
    rig.publish_many("a", 2);
    assert_eq!(one.drain(), [1, 2]);
    rig.publish_many("a", 2);
    assert_eq!(rig.state().messages, 2);
    assert_eq!(two.gap(), exactly(1, 2, 2));
    assert_eq!((one.drain(), two.drain()), (vec![3, 4], vec![3, 4]));
    assert_eq!(rig.state().messages, 0);
}

#[test]
fn what_nobody_wants_drops_nothing() {
    let rig = Rig::of(|stream| stream.retention(Retention::Interest).max_messages(2));
    let mut sub = rig.subscribe(for_subject("d", "a"));
    rig.publish_many("a", 2);
    rig.publish_many("b", 5);
    let state = rig.state();
    assert_eq!((state.messages, state.last_sequence), (2, 7));
    assert_eq!(sub.drain(), [1, 2]);
}

#[test]
fn what_nobody_wants_rolls_up_all_the_same() {
    for (earlier, left) in [(RollUp::Subject, 3), (RollUp::Stream, 0)] {
        let rig = Rig::of(|stream| stream.retention(Retention::Interest).allow_rollup(true));
        let _sub = rig.subscribe(for_subject("d", "a"));
        rig.publish_many("a", 3);
        let stored = rig.try_publish("b", |message| message.roll_up = Some(earlier));
        assert_eq!(stored.unwrap().sequence, Some(4));
        let state = rig.state();
        assert_eq!((state.messages, state.last_sequence), (left, 4));
    }
}

#[test]
fn what_nobody_wants_is_known_as_a_duplicate() {
    let rig = by_interest();
    assert_eq!(rig.publish_id("a", "x").sequence, Some(1));
    let again = rig.publish_id("a", "x");
    assert_eq!((again.sequence, again.duplicate), (Some(1), true));
    assert_eq!(rig.publish("a"), 2);
}

#[test]
fn a_message_that_ran_out_of_deliveries_goes_with_its_consumer() {
    let rig = by_interest();
    let mut config = durable("d");
    config.max_deliver = some(1);
    let mut sub = rig.subscribe(config);
    rig.publish("a");
    sub.message().nak(std::time::Duration::ZERO);
    assert_eq!(sub.exhausted().sequence, 1);
    assert_eq!(rig.state().messages, 1);
    rig.delete("d").unwrap();
    assert_eq!(rig.state().messages, 0);
}

#[test]
fn the_last_delivery_may_be_acknowledged_when_its_time_is_over() {
    for rig in [queue(), by_interest()] {
        let mut config = durable("d");
        config.max_deliver = some(1);
        config.ack_wait = SECOND;
        let mut sub = rig.subscribe(config);
        rig.publish("a");
        let slow = sub.message();
        rig.step(2 * SECOND);
        assert_eq!(sub.exhausted().sequence, 1);
        assert_eq!(rig.state().messages, 1);
        slow.ack();
        slow.ack();
        assert_eq!(rig.state().messages, 0);
    }
}

#[test]
fn what_a_deleted_consumer_had_taken_is_waited_for_no_more() {
    let rig = by_interest();
    let mut config = durable("d");
    config.ack = AckPolicy::None;
    let mut sub = rig.subscribe(config.clone());
    let mut other = rig.subscribe(durable("other"));
    rig.publish_many("a", 5);
    assert_eq!((sub.seq(), other.seq()), ((1, 1), (1, 1)));
    rig.delete("d").unwrap();
    assert_eq!(rig.state().messages, 5);
    rig.delete("other").unwrap();
    assert_eq!(rig.state().messages, 0);
    // One of the same name begins with what there is, whoever had the old one.
    let mut again = rig.subscribe(config);
    rig.publish("a");
    drop(sub);
    assert_eq!(again.drain(), [6]);
}

#[test]
fn many_messages_go_with_the_last_consumer() {
    let rig = by_interest();
    let sub = rig.subscribe(ephemeral());
    rig.publish_many("a", 2_000);
    drop(sub);
    // Some of them go with each use of the stream.
    assert_eq!(rig.publish("a"), 2_001);
    let state = rig.state();
    assert_eq!((state.messages, state.first_sequence), (0, 2_002));
}

#[test]
fn who_begins_later_makes_no_room() {
    let rig = Rig::of(|stream| stream.retention(Retention::Interest).max_messages(2));
    let mut sub = rig.subscribe(for_subject("d", "a"));
    let mut later = for_subject("later", "b");
    later.deliver = DeliverPolicy::ByStartSequence(100);
    let mut later = rig.subscribe(later);
    rig.publish_many("a", 2);
    rig.publish_many("b", 96);
    assert_eq!(sub.drain(), [1, 2]);
    later.nothing();
    rig.publish_many("b", 2);
    assert_eq!(later.drain(), [100]);
}

#[test]
fn a_consumer_that_ends_with_its_subscription_is_waited_for_no_more() {
    let rig = by_interest();
    let mut sub = rig.subscribe(ephemeral());
    rig.publish_many("a", 3);
    let _in_hand = sub.message();
    drop(sub);
    assert_eq!((rig.state().consumers, rig.state().messages), (0, 0));
}

#[test]
fn what_was_taken_ahead_and_not_handed_out_is_kept() {
    let rig = by_interest();
    let mut config = durable("d");
    config.ack = AckPolicy::None;
    let mut sub = rig.subscribe(config.clone());
    rig.publish_many("a", 5);
    assert_eq!((sub.seq(), sub.seq()), ((1, 1), (2, 1)));
    drop(sub);
    assert_eq!(rig.state().messages, 3);
    assert_eq!(rig.subscribe(config).drain(), [3, 4, 5]);
    assert_eq!(rig.state().messages, 0);
}

#[test]
fn a_work_queue_says_what_it_refuses() {
    let rig = queue();
    rig.subscribe(for_subject("orders", "orders.*"));
    let refused = |config| {
        let error = rig.try_subscribe(request("S", config)).err().unwrap();
        assert_eq!(error.kind(), &ErrorKind::InvalidOption);
        assert_eq!(error.stream(), Some("S"));
        error.to_string()
    };
    let overlaps = refused(for_subject("all", ">"));
    assert!(
        overlaps.contains("> overlaps orders.* of consumer orders"),
        "{overlaps}"
    );
    let mut new = for_subject("new", "bills.*");
    new.deliver = DeliverPolicy::New;
    assert!(refused(new.clone()).contains("delivers all"));
    new.ack = AckPolicy::None;
    assert!(refused(new).contains("explicitly, not None"));
}

/// What is done to a stream that is kept by interest, and to whom of its consumers.
#[derive(Debug, Clone)]
enum Step {
    Publish(&'static str),
    Join {
        filter: &'static str,
        acks: bool,
        twice: bool,
    },
    Read(usize),
    Ack(usize, usize),
    Nak(usize, usize),
    Leave(usize),
    Delete(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let subject = prop::sample::select(vec!["a", "b"]);
    let filter = prop::sample::select(vec!["a", "b", ">"]);
    let number = || any::<usize>();
    prop_oneof![
        4 => subject.prop_map(Step::Publish),
        1 => (filter, any::<(bool, bool)>()).prop_map(|(filter, (acks, twice))| {
            Step::Join { filter, acks, twice }
        }),
        5 => number().prop_map(Step::Read),
        4 => (number(), number()).prop_map(|(who, which)| Step::Ack(who, which)),
        1 => (number(), number()).prop_map(|(who, which)| Step::Nak(who, which)),
        1 => number().prop_map(Step::Leave),
        1 => number().prop_map(Step::Delete),
    ]
}

/// A consumer, and what it was given.
struct Member {
    request: SubscribeRequest,
    sub: Option<Subscriber>,
    in_hand: Vec<Received>,
    /// What it was given last, where nothing is acknowledged.
    given: Option<u64>,
}

impl Member {
    fn new(number: usize, filter: &str, acks: bool, twice: bool) -> Self {
        let mut config = for_subject(&format!("c{number}"), filter);
        if !acks {
            config.ack = AckPolicy::None;
        } else if twice {
            config.max_deliver = some(2);
        }
        let mut request = request("S", config);
        request.prefetch = 1.into();
        Self {
            request,
            sub: None,
            in_hand: Vec::new(),
            given: None,
        }
    }

    fn wants(&self, subject: &str) -> bool {
        let mut filters = self.request.config.filters.iter();
        filters.any(|filter| filter.as_str() == ">" || filter.as_str() == subject)
    }
}

/// Which messages there have to be, and for whom.
#[derive(Default)]
struct Model(BTreeMap<u64, (&'static str, BTreeSet<usize>)>);

impl Model {
    fn settled(&mut self, sequence: u64, by: usize) {
        if let Some((_, owing)) = self.0.get_mut(&sequence) {
            owing.remove(&by);
        }
        self.0.retain(|_, (_, owing)| !owing.is_empty());
    }

    fn left(&mut self, by: usize) {
        for (_, owing) in self.0.values_mut() {
            owing.remove(&by);
        }
        self.0.retain(|_, (_, owing)| !owing.is_empty());
    }
}

proptest! {
    #[test]
    fn a_message_is_there_as_long_as_somebody_owes_it(steps in prop::collection::vec(step(), 1..120)) {
        let rig = by_interest();
        let mut members: BTreeMap<usize, Member> = BTreeMap::new();
        let mut model = Model::default();
        for (number, step) in steps.into_iter().enumerate() {
            let chosen = |who: usize| members.keys().nth(who % members.len().max(1)).copied();
            let who = match step {
                Step::Read(who) | Step::Ack(who, _) | Step::Nak(who, _) | Step::Leave(who)
                | Step::Delete(who) => chosen(who),
                Step::Publish(_) | Step::Join { .. } => Some(number),
            };
            let Some(who) = who else { continue };
            match step {
                Step::Publish(subject) => {
                    let sequence = rig.publish(subject);
                    let wanting = members.iter().filter(|(_, member)| member.wants(subject));
                    let owing: BTreeSet<usize> = wanting.map(|(who, _)| *who).collect();
                    if !owing.is_empty() {
                        model.0.insert(sequence, (subject, owing));
                    }
                }
                Step::Join { filter, acks, twice } => {
                    let mut member = Member::new(number, filter, acks, twice);
                    member.sub = Some(rig.try_subscribe(member.request.clone()).unwrap());
                    for (subject, owing) in model.0.values_mut() {
                        if member.wants(subject) {
                            owing.insert(who);
                        }
                    }
                    members.insert(who, member);
                }
                Step::Read(_) => {
                    let member = members.get_mut(&who).unwrap();
                    let request = member.request.clone();
                    let sub = member.sub.get_or_insert_with(|| rig.try_subscribe(request).unwrap());
                    let item = sub.try_next();
                    if let Some(sequence) = member.given.take() {
                        model.settled(sequence, who);
                    }
                    match item {
                        Some(Incoming::Message(message)) => {
                            let sequence = message.info.sequence.unwrap();
                            let owing = model.0.get(&sequence).map(|(_, owing)| owing.contains(&who));
                            prop_assert_eq!(owing, Some(true), "{} came to {}", sequence, who);
                            match &message.settler {
                                Some(_) => member.in_hand.push(message),
                                None => member.given = Some(sequence),
                            }
                        }
                        // What ran out of deliveries is owed until it is acknowledged.
                        Some(Incoming::Notice(notice)) => {
                            prop_assert!(notice.exhausted().is_some(), "{:?} came", notice);
                        }
                        None => {}
                    }
                }
                Step::Ack(_, which) | Step::Nak(_, which) => {
                    let in_hand = &mut members.get_mut(&who).unwrap().in_hand;
                    if in_hand.is_empty() {
                        continue;
                    }
                    let which = which % in_hand.len();
                    if let Step::Nak(..) = step {
                        // It may be acknowledged all the same, later.
                        in_hand[which].nak(std::time::Duration::ZERO);
                    } else {
                        let message = in_hand.swap_remove(which);
                        message.ack();
                        model.settled(message.info.sequence.unwrap(), who);
                    }
                }
                Step::Leave(_) => {
                    let member = members.get_mut(&who).unwrap();
                    member.sub = None;
                    if let Some(sequence) = member.given.take() {
                        model.settled(sequence, who);
                    }
                }
                Step::Delete(_) => {
                    let name = format!("c{who}");
                    rig.delete(&name).unwrap();
                    members.remove(&who);
                    model.left(who);
                }
            }
            let state = rig.state();
            prop_assert_eq!(state.messages, model.0.len() as u64);
            if let Some(first) = model.0.keys().next() {
                prop_assert_eq!(state.first_sequence, *first);
            }
        }
    }
}
