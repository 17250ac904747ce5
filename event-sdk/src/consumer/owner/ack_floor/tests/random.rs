//! Random histories: a consumer at a server whose acknowledgements settle everything before them, the
//! late acknowledgements of its previous owner, and the gate and the ack floor of the new one.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use proptest::prelude::*;

use super::super::{AckFloor, Ends};
use crate::consumer::owner::gate::{Arrival, Baseline, BaselineTicket, Gate, Passage};

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
    /// Everything that is on its way to the new owner is lost, with the connection.
    LoseDeliveries,
    /// The new owner has handled a message.
    Handle(usize),
    /// It gives a message back.
    Nak(usize),
    /// It sends an acknowledgement.
    Ack,
    /// The server receives the oldest one.
    AckArrives,
    /// The oldest one is lost.
    LoseAck,
    /// A late acknowledgement of the previous owner arrives at the server.
    LateAck,
    /// The server answers the question for its position; the answer is on its way.
    Answer,
    /// The answer arrives.
    Answered,
    /// The server tells its ack floor.
    Floor,
}

fn event() -> impl Strategy<Value = Event> {
    let any = 0_usize..64;
    prop_oneof![
        4 => Just(Event::Deliver),
        1 => Just(Event::Steal),
        4 => any.clone().prop_map(Event::Redeliver),
        1 => any.clone().prop_map(Event::StealAgain),
        8 => Just(Event::Receive),
        1 => Just(Event::LoseDeliveries),
        6 => any.clone().prop_map(Event::Handle),
        1 => any.prop_map(Event::Nak),
        4 => Just(Event::Ack),
        4 => Just(Event::AckArrives),
        1 => Just(Event::LoseAck),
        1 => Just(Event::LateAck),
        3 => Just(Event::Answer),
        3 => Just(Event::Answered),
        1 => Just(Event::Floor),
    ]
}

struct World {
    /// Unsettled at the server.
    pending: BTreeSet<u64>,
    /// The server's ack floor.
    floor_at_server: u64,
    delivered: u64,
    deliveries: u64,
    /// Handled by an owner, once at least.
    handled: BTreeSet<u64>,
    on_their_way: VecDeque<Arrival>,
    gate: Gate<()>,
    floor: AckFloor<()>,
    asked: Option<BaselineTicket>,
    answer: Option<(BaselineTicket, Baseline, u64)>,
    /// With the new owner, and not handled.
    passed: BTreeSet<u64>,
    /// Acknowledgements on their way.
    acks: VecDeque<u64>,
    /// Those of the previous owner.
    late_acks: VecDeque<u64>,
    now: Duration,
}

impl World {
    /// The previous owner has handled `by_previous` of the messages, and has sent acknowledgements as
    /// far as it could; none of them has arrived.
    fn new(delivered: u64, by_previous: BTreeSet<u64>) -> Self {
        let pending: BTreeSet<u64> = (1..=delivered).collect();
        let holes = pending.iter().filter(|at| !by_previous.contains(at));
        let hole = holes.min().copied().unwrap_or(delivered + 1);
        let baseline = Baseline {
            ack_pending: delivered,
            delivered,
            deliveries: Some(delivered),
        };
        let hour = Duration::from_secs(3_600);
        Self {
            gate: Gate::taken_over(baseline, hour, hour, Duration::ZERO).cumulative(),
            floor: AckFloor::new(),
            late_acks: (1..hole)
                .filter(|at| at % 2 == 0 || *at + 1 == hole)
                .collect(),
            handled: by_previous,
            pending,
            floor_at_server: 0,
            delivered,
            deliveries: delivered,
            on_their_way: VecDeque::new(),
            asked: None,
            answer: None,
            passed: BTreeSet::new(),
            acks: VecDeque::new(),
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

    /// The server settles everything up to a sequence.
    fn settle(&mut self, up_to: u64) {
        self.floor_at_server = self.floor_at_server.max(up_to);
        let above = self.pending.split_off(&(up_to + 1));
        let settled = std::mem::replace(&mut self.pending, above);
        let lost = settled.iter().find(|at| !self.handled.contains(at));
        assert_eq!(lost, None, "settled up to {up_to} without being handled");
    }

    fn receive(&mut self, arrival: Arrival) {
        let sequence = arrival.sequence;
        match self.gate.delivered(arrival, (), self.now) {
            Passage::Pass(()) => {
                self.floor.received(sequence);
                self.floor.know(sequence);
                self.passed.insert(sequence);
            }
            Passage::Held(None) => self.floor.received(sequence),
            Passage::Held(Some(())) | Passage::Repeated(()) => {}
        }
        self.release();
    }

    fn release(&mut self) {
        if let Some(open) = self.gate.release(self.now) {
            self.floor.know_all();
            self.passed.extend(open.items.into_keys());
        }
    }

    fn handle(&mut self, sequence: u64) {
        self.passed.remove(&sequence);
        self.handled.insert(sequence);
        self.floor.done(sequence, ());
    }

    fn ack(&mut self) {
        if let Some((up_to, ())) = self.floor.next(|()| Ends::Perhaps) {
            self.acks.push_back(up_to);
            for (sequence, ()) in self.floor.sent(true) {
                self.gate.settled(sequence);
            }
        }
    }

    fn answer(&mut self) {
        if self.asked.is_none() {
            self.asked = self.gate.asks(self.now);
        }
        if let Some(ticket) = self.asked.take() {
            let baseline = Baseline {
                ack_pending: self.pending.len() as u64,
                delivered: self.delivered,
                deliveries: Some(self.deliveries),
            };
            self.answer = Some((ticket, baseline, self.floor_at_server));
        }
    }

    fn answered(&mut self) {
        if let Some((ticket, baseline, floor)) = self.answer.take() {
            self.gate.answered_above(ticket, baseline, floor);
            self.release();
        }
    }

    /// Asked for while events that are done wait for one that may never come: it was given back when
    /// it was settled already.
    fn learn_floor(&mut self) {
        for (sequence, ()) in self.floor.settle(self.floor_at_server) {
            self.gate.settled(sequence);
        }
    }

    fn step(&mut self, event: Event) {
        self.now += Duration::from_secs(2);
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
                    self.receive(arrival);
                }
            }
            Event::LoseDeliveries => self.on_their_way.clear(),
            Event::Handle(which) => {
                if let Some(sequence) = nth(&self.passed, which) {
                    self.handle(sequence);
                }
            }
            Event::Nak(which) => {
                if let Some(sequence) = nth(&self.passed, which) {
                    self.passed.remove(&sequence);
                    self.gate.delayed(sequence);
                }
            }
            Event::Ack => self.ack(),
            Event::AckArrives => {
                if let Some(up_to) = self.acks.pop_front() {
                    self.settle(up_to);
                }
            }
            Event::LoseAck => drop(self.acks.pop_front()),
            Event::LateAck => {
                if let Some(up_to) = self.late_acks.pop_front() {
                    self.settle(up_to);
                }
            }
            Event::Answer => self.answer(),
            Event::Answered => self.answered(),
            Event::Floor => self.learn_floor(),
        }
    }

    /// From now on nothing is lost, and nothing goes elsewhere: everything is settled in the end.
    fn end(&mut self) {
        for _ in 0..8 {
            for sequence in self.pending.clone() {
                self.deliver(sequence, true, true);
            }
            while let Some(arrival) = self.on_their_way.pop_front() {
                self.receive(arrival);
            }
            self.now += Duration::from_secs(2);
            self.answer();
            self.answered();
            for sequence in self.passed.clone() {
                self.handle(sequence);
            }
            self.learn_floor();
            self.ack();
            while let Some(up_to) = self.acks.pop_front() {
                self.settle(up_to);
            }
        }
        assert_eq!(self.pending, BTreeSet::new(), "never settled");
    }
}

fn nth(all: &BTreeSet<u64>, which: usize) -> Option<u64> {
    let which = which.checked_rem(all.len())?;
    all.iter().nth(which).copied()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_is_settled_that_no_owner_has_handled(
        delivered in 0_u64..8,
        by_previous in prop::collection::btree_set(1_u64..8, 0..8),
        history in prop::collection::vec(event(), 0..120),
    ) {
        let by_previous = by_previous.into_iter().filter(|at| *at <= delivered).collect();
        let mut world = World::new(delivered, by_previous);
        for event in history {
            world.step(event);
        }
        world.end();
    }
}
