//! Whatever handlers do in whatever order, nothing is settled that they have not
//! settled, and in the end everything is.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk_core::Subject;
use event_sdk_core::headers::Headers;
use event_sdk_core::time::{Clock, Sleep};
use event_sdk_core::transport::{
    Answer, Body, ConsumerConfig, ConsumerName, Error, ErrorKind, Info, Received, Settle,
    Settlement, Settler,
};
use futures_util::FutureExt;
use jiff::Timestamp;
use proptest::prelude::*;

use super::{Arrival, InOrder};

/// A clock that is set.
#[derive(Debug, Default)]
struct Set(Mutex<Duration>);

impl Clock for Set {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn sleep_until(&self, _: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }
}

/// A transport for which each settlement is one of everything before it.
#[derive(Debug, Default)]
struct Wire {
    /// Up to which sequence it was told that everything is settled.
    through: Mutex<u64>,
    told: Mutex<usize>,
}

impl Settle for Wire {
    fn settle(&self, sequence: u64, settlement: Settlement) -> Answer<Result<(), Error>> {
        if !matches!(settlement, Settlement::Nak(_) | Settlement::InProgress) {
            *self.told.lock().unwrap() += 1;
            let mut through = self.through.lock().unwrap();
            *through = sequence.max(*through);
        }
        Answer::ready(Ok(()))
    }
}

struct Rig {
    wire: Arc<Wire>,
    clock: Arc<Set>,
    order: Arc<InOrder>,
}

impl Rig {
    fn new() -> Self {
        let clock = Arc::new(Set::default());
        let config = ConsumerConfig::new(ConsumerName::Ephemeral, Vec::new());
        Self {
            wire: Arc::default(),
            order: Arc::new(InOrder::new("S".into(), clock.clone(), &config)),
            clock,
        }
    }

    /// A message comes; how it is settled, unless it was before.
    fn arrives(&self, sequence: u64, attempt: u32) -> Result<Option<Settler>, Error> {
        let received = Received {
            subject: Subject::parse("events.a").unwrap(),
            headers: Headers::new(),
            body: Body::Encoded(bytes::Bytes::new()),
            info: Info {
                stream: Some("S".into()),
                sequence: Some(sequence),
                attempt,
                stored_at: None,
                pending: None,
            },
            settler: Some(Settler::new(self.wire.clone(), sequence)),
        };
        Ok(match self.order.arrived(received)? {
            Arrival::New(received) => received.settler,
            Arrival::Known(_) => None,
        })
    }

    fn through(&self) -> u64 {
        *self.wire.through.lock().unwrap()
    }
}

fn settle(settler: &Settler, settlement: Settlement) -> Result<(), Error> {
    settler.settle(settlement).now_or_never().unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    /// The next message comes.
    Next,
    /// One that is not settled on the wire comes again.
    Again(usize),
    /// A handler does this with one that it has.
    Settle(usize, Settlement),
    /// A handler drops one that it has.
    Drop(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let settlement = prop_oneof![
        4 => Just(Settlement::Ack),
        1 => Just(Settlement::AckConfirmed),
        1 => Just(Settlement::Term("no".into())),
        1 => Just(Settlement::Nak(Duration::ZERO)),
        1 => Just(Settlement::InProgress),
    ];
    prop_oneof![
        3 => Just(Step::Next),
        1 => any::<usize>().prop_map(Step::Again),
        4 => (any::<usize>(), settlement).prop_map(|(which, how)| Step::Settle(which, how)),
        1 => any::<usize>().prop_map(Step::Drop),
    ]
}

proptest! {
    #[test]
    fn nothing_is_settled_unhandled_and_in_the_end_everything_is(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let rig = Rig::new();
        let (mut last, mut in_hand, mut handled) = (0, Vec::new(), BTreeSet::new());
        for step in steps {
            match step {
                Step::Next => {
                    // Sequences have holes: other subjects of the stream.
                    last += 2;
                    in_hand.extend(rig.arrives(last, 1).unwrap().map(|settler| (last, settler)));
                }
                Step::Again(which) if last > rig.through() => {
                    let open = (last - rig.through()) / 2;
                    let sequence = last - 2 * (which as u64 % open);
                    match rig.arrives(sequence, 2).unwrap() {
                        Some(settler) => in_hand.push((sequence, settler)),
                        None => prop_assert!(handled.contains(&sequence)),
                    }
                }
                Step::Settle(which, how) if !in_hand.is_empty() => {
                    let (sequence, settler) = &in_hand[which % in_hand.len()];
                    let told = settle(settler, how.clone());
                    let is_last_word =
                        !matches!(how, Settlement::Nak(_) | Settlement::InProgress);
                    if is_last_word && told.is_ok() {
                        handled.insert(*sequence);
                    }
                }
                Step::Drop(which) if !in_hand.is_empty() => {
                    drop(in_hand.swap_remove(which % in_hand.len()));
                }
                _ => {}
            }
            for sequence in (2..=rig.through()).step_by(2) {
                prop_assert!(handled.contains(&sequence), "{sequence} was settled unhandled");
            }
        }
        // All that is not settled comes again at last, and is acknowledged.
        for sequence in (rig.through() + 2..=last).step_by(2) {
            if let Some(settler) = rig.arrives(sequence, 3).unwrap() {
                settle(&settler, Settlement::Ack).unwrap();
            }
        }
        prop_assert_eq!(rig.through(), last);
    }
}

#[test]
fn of_several_the_transport_is_told_the_last() {
    let rig = Rig::new();
    let settlers: Vec<_> = (1..=100)
        .map(|sequence| rig.arrives(sequence, 1).unwrap().unwrap())
        .collect();
    for settler in settlers.iter().rev() {
        settle(settler, Settlement::Ack).unwrap();
    }
    assert_eq!((rig.through(), *rig.wire.told.lock().unwrap()), (100, 1));
}

#[test]
fn an_early_confirmation_is_refused_and_changes_nothing() {
    let rig = Rig::new();
    let first = rig.arrives(1, 1).unwrap().unwrap();
    let second = rig.arrives(2, 1).unwrap().unwrap();
    let error = settle(&second, Settlement::AckConfirmed).unwrap_err();
    assert_eq!(
        *error.kind(),
        ErrorKind::EarlierUnsettled { sequence: 1 },
        "{error}"
    );
    settle(&first, Settlement::Ack).unwrap();
    assert_eq!(rig.through(), 1);
    settle(&second, Settlement::AckConfirmed).unwrap();
    assert_eq!(rig.through(), 2);
}

#[test]
fn what_never_comes_again_is_an_error_and_no_silent_stop() {
    let rig = Rig::new();
    drop(rig.arrives(1, 1).unwrap());
    let second = rig.arrives(2, 1).unwrap().unwrap();
    settle(&second, Settlement::Ack).unwrap();
    assert_eq!(rig.through(), 0);
    *rig.clock.0.lock().unwrap() = Duration::from_mins(1);
    assert!(rig.arrives(2, 2).unwrap().is_none());
    *rig.clock.0.lock().unwrap() = Duration::from_secs(61);
    let error = rig.arrives(2, 3).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout);
    assert!(
        error.to_string().contains("sequence 1 was put back"),
        "{error}"
    );
}
