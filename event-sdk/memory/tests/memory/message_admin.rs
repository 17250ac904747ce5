//! Deleting and purging: the state of the stream and of its consumers after it, in streams of
//! every kind, and many messages at once.

use event_sdk::stream::Retention;
use event_sdk::transport::{
    Deletion, Incoming, LostCount, PurgeRequest, TransportExt as _, WhichMessage,
};
use proptest::prelude::*;

use crate::support::*;

impl Rig {
    fn delete_message(&self, sequence: u64) -> bool {
        now(self
            .transport
            .delete_message("S", sequence, Deletion::Remove))
        .unwrap()
    }

    fn purge(&self, say: impl FnOnce(&mut PurgeRequest)) -> u64 {
        let mut request = PurgeRequest::all("S");
        say(&mut request);
        now(self.transport.purge_messages(request)).unwrap()
    }

    fn last_under(&self, filter: &str) -> Option<u64> {
        let which = WhichMessage::LastUnder(pattern(filter));
        let found = now(self.transport.get_message("S", which)).unwrap();
        found.map(|found| found.sequence)
    }
}

#[test]
fn a_waiting_subscription_hears_of_what_is_deleted() {
    let rig = Rig::plain();
    let mut sub = rig.subscribe(durable("d"));
    rig.publish_many("a", 3);
    assert!(rig.delete_message(2));
    assert!(rig.delete_message(3));
    // It is one gap until it is told, and told first.
    let Some(Incoming::Notice(notice)) = sub.try_next() else {
        panic!("a gap is due");
    };
    let gap = notice.gap().unwrap();
    assert_eq!((gap.from, gap.to), (2, 3));
    assert_eq!(sub.seq(), (1, 1));
    assert!(sub.try_next().is_none());
    rig.publish("a");
    assert!(sub.take_woken());
    assert_eq!(sub.seq(), (4, 1));
}

#[test]
fn what_is_in_hand_is_a_gap_when_it_would_come_again() {
    let rig = Rig::plain();
    let mut sub = rig.subscribe(durable("d"));
    rig.publish_many("a", 2);
    let (first, second) = (sub.message(), sub.message());
    assert_eq!(rig.purge(|_| {}), 2);
    first.ack();
    second.nak(std::time::Duration::ZERO);
    let Some(Incoming::Notice(notice)) = sub.try_next() else {
        panic!("a gap is due");
    };
    let gap = notice.gap().unwrap();
    assert_eq!((gap.from, gap.to), (2, 2));
    assert!(sub.try_next().is_none());
}

#[test]
fn a_long_purge_is_done_in_pieces() {
    let rig = Rig::plain();
    for number in 0..20_000_u64 {
        rig.publish(if number % 10 == 0 { "a" } else { "b" });
    }
    assert_eq!(
        rig.purge(|request| request.filter = Some(pattern("a"))),
        2_000
    );
    assert_eq!(rig.purge(|request| request.keep = Some(17_000)), 1_000);
    assert_eq!(
        rig.purge(|request| request.before = Some(10_000)),
        8_000 - 1
    );
    assert_eq!(rig.purge(|_| {}), 9_000 + 1);
    let state = rig.state();
    assert_eq!((state.messages, state.bytes), (0, 0));
    assert_eq!(
        (state.first_sequence, state.last_sequence),
        (20_001, 20_000)
    );
}

#[derive(Debug, Clone)]
enum Step {
    Publish(u8),
    Delete(u64),
    PurgeUnder(u8),
    PurgeBefore(u64),
    Keep(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0_u8..4).prop_map(Step::Publish),
        4 => (0_u64..40).prop_map(Step::Delete),
        1 => (0_u8..4).prop_map(Step::PurgeUnder),
        1 => (0_u64..40).prop_map(Step::PurgeBefore),
        1 => (0_u64..8).prop_map(Step::Keep),
    ];
    prop::collection::vec(step, 0..60)
}

fn subject(number: u8) -> String {
    format!("s{number}.x")
}

proptest! {
    /// Against a list, with and without the sequences of each subject being kept, and read by a
    /// consumer of one subject, which hears of all that it does not get.
    #[test]
    fn messages_are_a_list(steps in steps(), kind in 0_u8..3) {
        let rig = Rig::of(|stream| match kind {
            0 => stream,
            1 => stream.max_messages_per_subject(1_000),
            _ => stream.retention(Retention::WorkQueue),
        });
        let mut config = durable("d");
        config.filters = vec![pattern("s1.>")];
        let mut sub = rig.subscribe(config);
        let (mut list, mut last): (Vec<(u64, u8)>, u64) = (Vec::new(), 0);
        let mut own = 0;
        for step in steps {
            match step {
                Step::Publish(number) => {
                    last += 1;
                    own += u64::from(number == 1);
                    prop_assert_eq!(rig.publish(&subject(number)), last);
                    list.push((last, number));
                }
                Step::Delete(sequence) => {
                    let there = list.iter().position(|(there, _)| *there == sequence);
                    prop_assert_eq!(rig.delete_message(sequence), there.is_some());
                    there.map(|place| list.remove(place));
                }
                Step::PurgeUnder(number) => {
                    let before = list.len();
                    list.retain(|(_, other)| *other != number);
                    let filter = Some(pattern(&format!("s{number}.*")));
                    let purged = rig.purge(|request| request.filter = filter);
                    prop_assert_eq!(purged, (before - list.len()) as u64);
                }
                Step::PurgeBefore(end) => {
                    let before = list.len();
                    list.retain(|(sequence, _)| *sequence >= end);
                    let purged = rig.purge(|request| request.before = Some(end));
                    prop_assert_eq!(purged, (before - list.len()) as u64);
                }
                Step::Keep(keep) => {
                    let excess = list.len().saturating_sub(usize::try_from(keep).unwrap());
                    list.drain(..excess);
                    let purged = rig.purge(|request| request.keep = Some(keep));
                    prop_assert_eq!(purged, excess as u64);
                }
            }
            let state = rig.state();
            prop_assert_eq!((state.messages, state.last_sequence), (list.len() as u64, last));
            for number in 0..4 {
                let newest = list.iter().rev().find(|(_, other)| *other == number);
                let newest = newest.map(|(sequence, _)| *sequence);
                prop_assert_eq!(rig.last_under(&subject(number)), newest);
                prop_assert_eq!(rig.last_under(&format!("s{number}.>")), newest);
            }
        }
        let (mut came, mut lost) = (Vec::new(), 0);
        while let Some(item) = sub.try_next() {
            match item {
                Incoming::Message(message) => came.push(message.info.sequence.unwrap()),
                Incoming::Notice(notice) => match notice.gap().unwrap().lost {
                    LostCount::Exactly(messages) => lost += messages,
                    other @ LostCount::AtMost(_) => prop_assert!(false, "{:?}", other),
                },
            }
        }
        let wanted: Vec<u64> = list.iter().filter(|(_, number)| *number == 1).map(|(sequence, _)| *sequence).collect();
        prop_assert_eq!(lost, own - wanted.len() as u64);
        prop_assert_eq!(came, wanted);
    }
}
