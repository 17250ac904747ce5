//! Random histories: a consumer at a server, its previous owner, and the gate of the new one.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;

use super::super::{Arrival, Baseline, BaselineTicket, Gate, Passage};

/// One event of a history. A number chooses among what is possible at that time.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// The server delivers the next new message to the new owner.
    Deliver,
    /// It delivers the next new message elsewhere.
    Steal,
    /// It delivers an unsettled message again.
    Redeliver(usize),
    /// It delivers an unsettled message again, elsewhere.
    StealAgain(usize),
    /// The new owner receives the next delivery.
    Receive,
    /// It settles a message that passed.
    Settle(usize),
    /// The server receives a settlement of the new owner.
    Settled(usize),
    /// A late acknowledgement of the previous owner arrives at the server.
    LateAck(usize),
    /// The server answers the question for its position; the answer is on its way.
    Answer,
    /// The answer arrives.
    Answered,
}

fn event() -> impl Strategy<Value = Event> {
    let any = 0_usize..64;
    prop_oneof![
        4 => Just(Event::Deliver),
        1 => Just(Event::Steal),
        4 => any.clone().prop_map(Event::Redeliver),
        1 => any.clone().prop_map(Event::StealAgain),
        8 => Just(Event::Receive),
        3 => any.clone().prop_map(Event::Settle),
        3 => any.clone().prop_map(Event::Settled),
        1 => any.prop_map(Event::LateAck),
        3 => Just(Event::Answer),
        3 => Just(Event::Answered),
    ]
}

struct World {
    /// Unsettled at the server.
    pending: BTreeSet<u64>,
    /// Unsettled at the takeover: the previous owner may have handled them.
    before: BTreeSet<u64>,
    delivered: u64,
    deliveries: u64,
    on_their_way: VecDeque<Arrival>,
    gate: Gate<()>,
    asked: Option<BaselineTicket>,
    answer: Option<(BaselineTicket, Baseline)>,
    /// Passed and not settled.
    passed: BTreeSet<u64>,
    /// Settlements on their way.
    settling: BTreeSet<u64>,
    now: Duration,
}

impl World {
    fn new(pending: BTreeSet<u64>, delivered: u64) -> Self {
        let baseline = Baseline {
            ack_pending: pending.len() as u64,
            delivered,
            deliveries: Some(delivered),
        };
        let hour = Duration::from_secs(3_600);
        Self {
            gate: Gate::taken_over(baseline, hour, hour, Duration::ZERO),
            before: pending.clone(),
            pending,
            delivered,
            deliveries: delivered,
            on_their_way: VecDeque::new(),
            asked: None,
            answer: None,
            passed: BTreeSet::new(),
            settling: BTreeSet::new(),
            now: Duration::ZERO,
        }
    }

    fn deliver(&mut self, sequence: u64, redelivered: bool, here: bool) {
        self.deliveries += 1;
        if here {
            self.on_their_way.push_back(Arrival {
                sequence,
                number: Some(self.deliveries),
                redelivered,
            });
        }
    }

    fn step(&mut self, event: Event) {
        self.now += Duration::from_secs(1);
        match event {
            Event::Deliver | Event::Steal => {
                self.delivered += 1;
                self.pending.insert(self.delivered);
                self.deliver(self.delivered, false, matches!(event, Event::Deliver));
            }
            Event::Redeliver(which) | Event::StealAgain(which) => {
                if let Some(sequence) = nth(&self.pending, which) {
                    self.deliver(sequence, true, matches!(event, Event::Redeliver(_)));
                }
            }
            Event::Receive => {
                if let Some(arrival) = self.on_their_way.pop_front() {
                    let passage = self.gate.delivered(arrival, (), self.now);
                    if passage == Passage::Pass(()) {
                        self.pass(arrival.sequence);
                    }
                }
            }
            Event::Settle(which) => {
                if let Some(sequence) = nth(&self.passed, which) {
                    self.passed.remove(&sequence);
                    self.settling.insert(sequence);
                    self.gate.settled(sequence);
                }
            }
            Event::Settled(which) => {
                if let Some(sequence) = nth(&self.settling, which) {
                    self.settling.remove(&sequence);
                    self.pending.remove(&sequence);
                }
            }
            Event::LateAck(which) => {
                if let Some(sequence) = nth(&self.before, which) {
                    self.pending.remove(&sequence);
                }
            }
            Event::Answer => {
                let baseline = Baseline {
                    ack_pending: self.pending.len() as u64,
                    delivered: self.delivered,
                    deliveries: Some(self.deliveries),
                };
                self.answer = self.asked.take().map(|ticket| (ticket, baseline));
            }
            Event::Answered => {
                if let Some((ticket, baseline)) = self.answer.take() {
                    self.gate.answered(ticket, baseline);
                }
            }
        }
        if self.asked.is_none() && self.answer.is_none() {
            self.asked = self.gate.asks(self.now);
        }
        let released = self.gate.release(self.now);
        for sequence in released.map(|r| r.items).unwrap_or_default().into_keys() {
            self.pass(sequence);
        }
    }

    /// A message passes: every lower one that is unsettled at the server passed before it, or was
    /// settled from here.
    fn pass(&mut self, sequence: u64) {
        for lower in self.pending.range(..sequence) {
            let passed = self.passed.contains(lower) || self.settling.contains(lower);
            assert!(passed, "{sequence} passes before {lower}");
        }
        self.passed.insert(sequence);
    }

    /// Lets everything come without further faults: nothing is held for ever.
    fn finish(&mut self) {
        for _ in 0..3 {
            self.step(Event::Answer);
            self.step(Event::Answered);
            while !self.on_their_way.is_empty() {
                self.step(Event::Receive);
            }
            while !self.passed.is_empty() {
                self.step(Event::Settle(0));
            }
            while !self.settling.is_empty() {
                self.step(Event::Settled(0));
            }
            for sequence in self.pending.clone() {
                self.deliver(sequence, true, true);
            }
        }
        while !self.on_their_way.is_empty() {
            self.step(Event::Receive);
        }
        // Only where nothing is missing any more may the time be over.
        self.now += 2 * Duration::from_secs(3_600);
        self.step(Event::Receive);
        while !self.on_their_way.is_empty() {
            self.step(Event::Receive);
        }
        assert!(self.gate.is_open());
        let handled = |s: &u64| self.passed.contains(s) || self.settling.contains(s);
        assert!(self.pending.iter().all(handled));
    }
}

fn nth(of: &BTreeSet<u64>, which: usize) -> Option<u64> {
    of.iter().nth(which % of.len().max(1)).copied()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn nothing_passes_before_a_lower_sequence_that_is_unsettled(
        pending in proptest::collection::btree_set(1_u64..6, 0..5),
        events in proptest::collection::vec(event(), 0..60),
    ) {
        let mut world = World::new(pending, 5);
        for event in events {
            world.step(event);
        }
        world.finish();
    }
}
