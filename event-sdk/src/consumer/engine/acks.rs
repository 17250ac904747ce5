//! Acknowledgements that settle everything before them: events that are done wait here until all
//! before them are done, and are settled by one acknowledgement.
//!
//! An event that waits here keeps its place in `max_ack_pending`, is kept alive, and no longer blocks
//! its key. One acknowledgement is sent when the engine has nothing else to do, or other tasks have
//! their turn.

use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{DeliveryInfo, Error, Settlement, Settler};

use super::Engine;
use crate::consumer::attempts::Known;
use crate::consumer::held::Held;
use crate::consumer::owner::ack_floor::{AckFloor, Ends};
use crate::subscribe::End;

/// Pause after an acknowledgement that failed.
const SEND_AGAIN: Duration = Duration::from_secs(1);

/// An event that is done, or a message that cannot be read.
pub(super) struct Done {
    what: What,
    since: Duration,
    alive_at: Duration,
}

enum What {
    Event(Event),
    /// It is acknowledged by this, if the transport gave it.
    Unreadable(Option<Settler>),
}

struct Event {
    held: Arc<Held>,
    settlement: Settlement,
    known: Option<Box<Known>>,
}

impl Done {
    fn settler(&self) -> Option<&Settler> {
        match &self.what {
            What::Event(event) => event.held.delivery().settler(),
            What::Unreadable(settler) => settler.as_ref(),
        }
    }

    fn is_event(&self) -> bool {
        matches!(self.what, What::Event(_))
    }

    fn settlement(&self) -> &Settlement {
        match &self.what {
            What::Event(event) => &event.settlement,
            What::Unreadable(_) => &Settlement::Ack,
        }
    }

    /// It is settled at the server. Returns what its record says, which is needed no more.
    fn settled(self) -> Option<Box<Known>> {
        let What::Event(event) = self.what else {
            return None;
        };
        event.held.delivery().settled(End::of(&event.settlement));
        event.known
    }

    fn ends(&self) -> Ends {
        match self.settlement() {
            _ if self.settler().is_none() => Ends::Never,
            Settlement::Ack => Ends::Perhaps,
            // A term has a reason of its own, and a confirmation is awaited.
            _ => Ends::Always,
        }
    }
}

impl Engine {
    /// Lets a done event wait until everything before it is done. Returns the settlement where each
    /// event is settled by itself.
    pub(super) fn wait_for_earlier(
        &mut self,
        id: usize,
        settlement: Settlement,
    ) -> Option<Settlement> {
        if matches!(settlement, Settlement::Nak(_) | Settlement::InProgress) {
            return Some(settlement);
        }
        let Some(entry) = self.held.get_mut(id) else {
            return Some(settlement);
        };
        let (owned, info) = (self.ownership.as_mut(), entry.held.delivery().info());
        if owned.and_then(|owned| owned.floor_of(info)).is_none() {
            return Some(settlement);
        }
        let event = Event {
            held: Arc::clone(&entry.held),
            settlement,
            known: entry.known.take(),
        };
        let (since, alive_at) = (entry.since, entry.alive_at);
        self.is_done(event, since, alive_at);
        self.forget(id);
        None
    }

    /// The same of an event that was handled and is not held. Returns it where each is settled by
    /// itself.
    pub(super) fn wait_for_earlier_unheld(&mut self, held: Arc<Held>) -> Option<Arc<Held>> {
        let (owned, info) = (self.ownership.as_mut(), held.delivery().info());
        if owned.and_then(|owned| owned.floor_of(info)).is_none() {
            return Some(held);
        }
        let event = Event {
            held,
            settlement: Settlement::Ack,
            known: None,
        };
        // Its ack wait may run since then, while it was prefetched.
        let alive_at = self.unreceived_since.unwrap_or(self.now);
        self.wake_by(alive_at.saturating_add(self.keep_alive));
        self.is_done(event, self.now, alive_at);
        None
    }

    fn is_done(&mut self, event: Event, since: Duration, alive_at: Duration) {
        let held = Arc::clone(&event.held);
        let info = held.delivery().info();
        let owned = self.ownership.as_mut();
        let Some((sequence, floor)) = owned.and_then(|owned| owned.floor_of(info)) else {
            return;
        };
        let done = Done {
            what: What::Event(event),
            since,
            alive_at,
        };
        if let (Some(settled), Some(stream)) = (floor.done(sequence, done), &info.stream) {
            // The server has settled it already.
            self.are_settled(stream, vec![(sequence, settled)]);
        }
    }

    /// Sends the acknowledgements that are due. Returns whether there was one.
    pub(super) fn send_acks(&mut self) -> bool {
        let Some(owned) = &mut self.ownership else {
            return false;
        };
        if !self.options.ack_all || self.now < owned.no_acks_before || owned.is_over() {
            return false;
        }
        let mut sent = Vec::new();
        for (stream, gate) in &mut owned.gates {
            let next = gate.acks.as_mut().and_then(|acks| acks.next(Done::ends));
            if let Some((_, last)) = next
                && let Some(settler) = last.settler()
            {
                sent.push((stream.clone(), settler.settle(last.settlement().clone())));
            }
        }
        let any = !sent.is_empty();
        for (stream, answer) in sent {
            match answer.try_into_ready() {
                Ok(answer) => self.acks_sent(&stream, answer),
                Err(answer) => self.settling.push_acks(stream, answer),
            }
        }
        any
    }

    /// The transport has taken an acknowledgement, or has not: the next one settles the same events
    /// then.
    pub(super) fn acks_sent(&mut self, stream: &Text, answer: Result<(), Error>) {
        let Some(owned) = &mut self.ownership else {
            return;
        };
        let Some(gate) = owned.gates.get_mut(stream) else {
            return;
        };
        let Some(acks) = &mut gate.acks else {
            return;
        };
        for (sequence, done) in acks.sent(answer.is_ok()) {
            gate.gate.settled(sequence);
            if let Some(known) = done.settled() {
                self.recorder.delete(known);
            }
        }
        if let Err(error) = answer {
            self.report.settlements_failed += 1;
            tracing::warn!(
                target: crate::TRACING_TARGET,
                consumer = %self.shared.name,
                stream = %stream,
                "the acknowledgement is sent again in {SEND_AGAIN:?}: {error}"
            );
            let again = self.now.saturating_add(SEND_AGAIN);
            owned.no_acks_before = again;
            self.wake_by(again);
            self.kept_alive(&Err(error));
        }
    }

    /// These are settled at the server.
    pub(super) fn are_settled(&mut self, stream: &Text, settled: Vec<(u64, Done)>) {
        let owned = self.ownership.as_mut();
        let Some(gate) = owned.and_then(|owned| owned.gates.get_mut(stream)) else {
            return;
        };
        for (sequence, done) in settled {
            gate.gate.settled(sequence);
            if let Some(known) = done.settled() {
                self.recorder.delete(known);
            }
        }
    }

    /// A message that cannot be read is done, and settled with everything before it.
    pub(super) fn is_unreadable(&mut self, info: &DeliveryInfo, settler: Option<Settler>) {
        let now = self.now;
        if let Some((sequence, acks)) = self.unreadable_at_gate(info) {
            let done = Done {
                what: What::Unreadable(settler),
                since: now,
                alive_at: now,
            };
            acks.done(sequence, done);
        }
    }

    /// Restarts the ack wait of events that wait for earlier ones. Returns when this is due again.
    pub(super) fn keep_done_alive(&mut self, now: Duration) -> Duration {
        let mut next = Duration::MAX;
        let (keep_alive, most) = (self.keep_alive, self.options.keep_alive_for);
        let Some(owned) = &mut self.ownership else {
            return next;
        };
        let mut answers = Vec::new();
        for gate in owned.gates.values_mut() {
            for (_, done) in gate.acks.iter_mut().flat_map(AckFloor::waiting) {
                let until = done.alive_at.saturating_add(keep_alive);
                if until > now {
                    next = next.min(until);
                    continue;
                }
                // The event before it may be gone from the stream, and never come.
                gate.asks_for_floor = true;
                done.alive_at = now;
                next = next.min(now.saturating_add(keep_alive));
                if done.since.saturating_add(most) > now {
                    answers.extend(done.settler().map(|s| s.settle(Settlement::InProgress)));
                }
            }
        }
        for answer in answers {
            match answer.try_into_ready() {
                Ok(answer) => self.kept_alive(&answer),
                Err(answer) => self.settling.push_in_progress(answer),
            }
        }
        next
    }

    /// Gives back the events that wait for an earlier one, which was given back: at the end, so that
    /// the next owner gets all of them at once. Returns whether there were any.
    pub(super) fn give_back_done(&mut self) -> bool {
        let Some(owned) = &mut self.ownership else {
            return false;
        };
        let acks = owned
            .gates
            .values_mut()
            .filter_map(|gate| gate.acks.as_mut());
        let done: Vec<_> = acks.flat_map(AckFloor::take_waiting).collect();
        if done.is_empty() || owned.is_over() {
            return false;
        }
        let handled = done.iter().filter(|(_, done)| done.is_event()).count();
        tracing::warn!(
            target: crate::TRACING_TARGET,
            consumer = %self.shared.name,
            events = handled,
            "events that were handled are delivered again, since an earlier one was given back"
        );
        self.report.repeated += handled as u64;
        for (_, done) in done {
            let Some(settler) = done.settler() else {
                continue;
            };
            let given_back = settler.settle(Settlement::Nak(Duration::ZERO));
            if let Err(answer) = given_back.try_into_ready() {
                self.settling.push_in_progress(answer);
            }
        }
        true
    }

    /// How many events have a place at the server: they are held here, or wait for earlier ones.
    pub(super) fn unsettled(&self) -> usize {
        if !self.options.ack_all {
            return self.held.len();
        }
        let gates = self.ownership.iter().flat_map(|owned| owned.gates.values());
        let acks = gates.filter_map(|gate| gate.acks.as_ref());
        self.held.len().max(acks.map(AckFloor::len).sum())
    }

    /// Whether an acknowledgement is on its way.
    pub(super) fn acks_are_on_their_way(&self) -> bool {
        let mut gates = self.ownership.iter().flat_map(|owned| owned.gates.values());
        gates.any(|gate| gate.acks.as_ref().is_some_and(AckFloor::is_sending))
    }
}
