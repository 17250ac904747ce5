//! `Ownership`: the fence and the gates of a consumer with one owner, in its engine.
//!
//! The engine starts nothing when the fence is closed for starts, and ends at once when the
//! ownership is over: handlers are dropped, and nothing is settled any more. Each stream has a gate
//! of its own, since sequences and deliveries are counted per stream.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::time::Clock;
use event_sdk_core::transport::{
    Completion, ConsumerInfo, DeliveryInfo, Error, Settlement, TransportExt as _,
};
use futures_util::FutureExt as _;

use super::acks::Done;
use super::places::{Places, PlacesTaken};
use super::{Boxed, Engine};
use crate::consumer::owner::ack_floor::AckFloor;
use crate::consumer::owner::fence::{Fence, lease_time};
use crate::consumer::owner::gate::{Arrival, Baseline, BaselineTicket, Gate, Opened, Passage};
use crate::partition::Partition;
use crate::raw::Untyped;
use crate::subscribe::Delivery;

/// What an engine knows of its ownership.
pub(in crate::consumer) struct Ownership {
    guard: Guard,
    /// The durable, in each stream.
    durable: Text,
    /// The partition, if there are any.
    partition: Option<Partition>,
    /// Acknowledgements of events of other partitions that the transport has not taken.
    pub(super) leaving: usize,
    /// Completes when the ownership ends, or has to be given up.
    ends: Boxed<()>,
    pub(super) gates: BTreeMap<Text, StreamGate>,
    /// No acknowledgement is sent before: the last one failed.
    pub(super) no_acks_before: Duration,
    /// Whether the ownership is over.
    lost: bool,
}

/// An ownership that was acquired.
pub(in crate::consumer) struct Acquired {
    pub(in crate::consumer) fence: Arc<Fence>,
    pub(in crate::consumer) gates: BTreeMap<Text, StreamGate>,
    /// Completes when it ends, or has to be given up.
    pub(in crate::consumer) ends: Boxed<()>,
    /// The durable, in each stream.
    pub(in crate::consumer) durable: Text,
    /// The partition, if there are any.
    pub(in crate::consumer) partition: Option<Partition>,
    /// The places of handlers that the partitions of the instance share.
    pub(in crate::consumer) places: Option<Places>,
}

/// The gate of one stream.
pub(in crate::consumer) struct StreamGate {
    pub(super) gate: Gate<usize>,
    /// Where an acknowledgement settles everything before it.
    pub(super) acks: Option<AckFloor<Done>>,
    /// Whether the ack floor of the server is asked for.
    pub(super) asks_for_floor: bool,
    /// A question for the position; without a ticket, for the ack floor only.
    question: Option<Question>,
}

/// What is asked, and its answer.
type Question = (
    Option<BaselineTicket>,
    Completion<Result<ConsumerInfo, Error>>,
);

/// Tells whether an ownership is over.
#[derive(Clone)]
pub(super) struct Guard {
    fence: Arc<Fence>,
    clock: Arc<dyn Clock>,
}

impl Guard {
    /// Whether handlers have to be cancelled.
    pub(super) fn is_over(&self) -> bool {
        self.fence.must_cancel(lease_time(&self.clock))
    }
}

impl Ownership {
    /// Whether nothing is to be settled any more.
    pub(super) fn is_over(&self) -> bool {
        self.lost || self.guard.is_over()
    }

    /// The gate of an event's stream, and what it has to know of the delivery.
    fn gate_of(&mut self, info: &DeliveryInfo) -> Option<(&mut StreamGate, Arrival)> {
        let gate = self.gates.get_mut(info.stream.as_ref()?)?;
        let arrival = Arrival {
            sequence: info.sequence?,
            number: info.number,
            redelivered: info.attempt > 1,
        };
        Some((gate, arrival))
    }

    /// Where the acknowledgements of an event's stream wait, and its sequence; `None` where each event
    /// is settled by itself.
    pub(super) fn floor_of(&mut self, info: &DeliveryInfo) -> Option<(u64, &mut AckFloor<Done>)> {
        let (gate, arrival) = self.gate_of(info)?;
        Some((arrival.sequence, gate.acks.as_mut()?))
    }

    /// Tells the gate of an event how it is settled.
    fn tell(&mut self, info: &DeliveryInfo, settlement: &Settlement) {
        let Some((gate, Arrival { sequence, .. })) = self.gate_of(info) else {
            return;
        };
        match settlement {
            Settlement::Nak(_) => gate.gate.delayed(sequence),
            Settlement::InProgress => {}
            // It is settled for good.
            _ => gate.gate.settled(sequence),
        }
    }
}

impl StreamGate {
    /// The gate at a takeover.
    pub(in crate::consumer) fn new(gate: Gate<usize>) -> Self {
        Self {
            gate,
            acks: None,
            asks_for_floor: false,
            question: None,
        }
    }

    /// An acknowledgement settles everything before it.
    pub(in crate::consumer) fn cumulative(mut self) -> Self {
        self.gate = self.gate.cumulative();
        self.acks = Some(AckFloor::new());
        self
    }

    /// The server has told the position. Returns the events that are done here and settled there.
    fn answered(
        &mut self,
        ticket: Option<BaselineTicket>,
        info: &ConsumerInfo,
    ) -> Option<Vec<(u64, Done)>> {
        let baseline = baseline(info);
        match (&mut self.acks, ticket) {
            (None, Some(ticket)) => self.gate.answered(ticket, baseline),
            (None, None) => {}
            (Some(acks), ticket) => {
                if let Some(ticket) = ticket {
                    self.gate
                        .answered_above(ticket, baseline, info.acknowledged);
                }
                return Some(acks.settle(info.acknowledged).collect());
            }
        }
        None
    }

    /// An event is here, and may be handled if it `passes`.
    fn received(&mut self, sequence: u64, passes: bool) {
        if let Some(acks) = &mut self.acks {
            acks.received(sequence);
            if passes {
                acks.know(sequence);
            }
        }
    }
}

/// How soon the engine looks again whether it may start handlers.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Engine {
    /// The engine handles events as the owner.
    pub(in crate::consumer) fn own(&mut self, owned: Acquired) {
        let clock = Arc::clone(&self.clock);
        let fence = owned.fence;
        let guard = Guard { fence, clock };
        self.attempts.guard(guard.clone());
        self.places = owned.places.map(PlacesTaken::none_of);
        self.ownership = Some(Ownership {
            guard,
            durable: owned.durable,
            partition: owned.partition,
            leaving: 0,
            ends: owned.ends,
            gates: owned.gates,
            no_acks_before: Duration::ZERO,
            lost: false,
        });
    }

    /// When the handlers of an owner are cancelled.
    pub(super) fn guard(&self) -> Option<Guard> {
        self.ownership.as_ref().map(|owned| owned.guard.clone())
    }

    /// Whether the ownership ended before the engine did.
    pub(in crate::consumer) fn has_lost(&self) -> bool {
        self.ownership.as_ref().is_some_and(|owned| owned.lost)
    }

    /// Notices the end of the ownership, and lets pass what the gates release. Returns whether the
    /// ownership is over.
    pub(super) fn poll_ownership(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(owned) = &mut self.ownership else {
            return false;
        };
        if owned.lost {
            return true;
        }
        let ends = owned.ends.as_mut().poll_unpin(cx).is_ready();
        let now = self.clock.monotonic();
        let on_lease = now.saturating_add(self.clock.suspended());
        if owned.guard.fence.must_cancel(on_lease) {
            self.lose();
            return true;
        }
        let left = owned.guard.fence.cancel_at().saturating_sub(on_lease);
        if ends {
            owned.ends = Box::pin(std::future::pending());
            self.begin_drain();
        }
        self.wake_by(now.saturating_add(left));
        self.poll_gates(cx, now);
        false
    }

    /// Waits until the handlers of a lost ownership are gone.
    pub(super) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.poll_attempts(cx);
        self.poll_records(cx);
        match self.running() {
            0 => Poll::Ready(Ok(())),
            _ => Poll::Pending,
        }
    }

    /// Waits until no handler exists any more, after the drain.
    pub(in crate::consumer) async fn handlers_gone(&mut self) {
        poll_fn(|cx| self.poll_lost(cx).map(drop)).await;
    }

    /// Drops everything, and settles nothing: another owner handles it.
    fn lose(&mut self) {
        tracing::warn!(
            target: crate::TRACING_TARGET,
            consumer = %self.shared.name,
            held = self.held.len(),
            "the consumer is no longer the owner; what it held is handled by the next one"
        );
        self.shared.end();
        self.sources = None;
        // No place in a limit, or at the gate of the process, stays taken.
        self.layered = None;
        self.recorder.gate.suspect_nobody();
        self.ready.clear();
        self.keys.clear();
        self.parking.end();
        self.settling.clear();
        let running: Vec<_> = self.held.iter().map(|(id, _)| id).collect();
        for id in running {
            self.abandon(id);
        }
        self.held.clear();
        if let Some(owned) = &mut self.ownership {
            owned.gates.clear();
            owned.lost = true;
        }
    }

    /// How long a nak of an owner delays an event at most. The next owner waits for everything that
    /// is unsettled, so for no longer than the ack wait.
    pub(super) fn longest_delay(&self) -> Option<Duration> {
        self.ownership.as_ref().map(|_| self.keep_alive * 3)
    }

    /// Whether handlers may start.
    pub(super) fn may_start(&mut self) -> bool {
        let Some(owned) = &self.ownership else {
            return true;
        };
        let may = owned.guard.fence.may_start(lease_time(&self.clock));
        if !may {
            let again = self.clock.monotonic().saturating_add(LOOK_AGAIN);
            self.wake_by(again);
            self.leave_layers();
        }
        may
    }

    /// Whether a gate holds deliveries back.
    pub(super) fn gate_is_closed(&self) -> bool {
        let owned = self.ownership.as_ref();
        owned.is_some_and(|owned| owned.gates.values().any(|gate| !gate.gate.is_open()))
    }

    /// Whether an event that was just received may be handled now. If it is held already, the new
    /// delivery is forgotten: it has replaced the reply subject of the earlier one.
    pub(super) fn passes_gate(&mut self, id: usize) -> bool {
        let Some(entry) = self.held.get(id) else {
            return true;
        };
        let info = entry.held.delivery().info();
        let owned = self.ownership.as_mut();
        let Some((gate, arrival)) = owned.and_then(|owned| owned.gate_of(info)) else {
            return true;
        };
        let sequence = arrival.sequence;
        match gate.gate.delivered(arrival, id, self.now) {
            Passage::Pass(_) => {
                gate.received(sequence, true);
                true
            }
            Passage::Held(None) => {
                gate.received(sequence, false);
                false
            }
            Passage::Held(Some(same)) | Passage::Repeated(same) => {
                self.held.try_remove(same);
                false
            }
        }
    }

    /// Whether an event would pass the gate of its stream, and is not here yet.
    pub(super) fn would_pass_gate(&mut self, info: &DeliveryInfo) -> bool {
        let owned = self.ownership.as_mut();
        let gate = owned.and_then(|owned| owned.gate_of(info));
        gate.is_none_or(|(gate, arrival)| gate.gate.would_pass(arrival))
    }

    /// Tells the gate of an event that would pass it, and is handled without being held.
    pub(super) fn passes_gate_unheld(&mut self, info: &DeliveryInfo) {
        let owned = self.ownership.as_mut();
        if let Some((gate, arrival)) = owned.and_then(|owned| owned.gate_of(info)) {
            // The gate keeps nothing that passes, so the id is never used.
            let _ = gate.gate.delivered(arrival, usize::MAX, self.now);
            gate.received(arrival.sequence, true);
        }
    }

    /// Whether an event is one of another partition.
    pub(super) fn is_of_other_partition(&self, delivery: &Delivery<Untyped>) -> bool {
        let partition = self.ownership.as_ref().and_then(|owned| owned.partition);
        partition.is_some_and(|partition| !partition.has(&delivery.partition_key()))
    }

    /// Tells the gate of an event that is settled at once, and not held.
    pub(super) fn passes_by_gate(&mut self, info: &DeliveryInfo) {
        let owned = self.ownership.as_mut();
        if let Some((gate, arrival)) = owned.and_then(|owned| owned.gate_of(info)) {
            // No event of this sequence is held, so the id is never used.
            let _ = gate.gate.delivered(arrival, usize::MAX, self.now);
            gate.gate.settled(arrival.sequence);
        }
    }

    /// Tells the gate of a message that cannot be read. Returns where it waits for earlier ones, and its
    /// sequence; `None` where each message is settled by itself, and the transport has settled it.
    pub(super) fn unreadable_at_gate(
        &mut self,
        info: &DeliveryInfo,
    ) -> Option<(u64, &mut AckFloor<Done>)> {
        let (gate, arrival) = self.ownership.as_mut()?.gate_of(info)?;
        let passes = gate.gate.unreadable(arrival, self.now);
        gate.received(arrival.sequence, passes);
        if gate.acks.is_none() {
            gate.gate.settled(arrival.sequence);
        }
        Some((arrival.sequence, gate.acks.as_mut()?))
    }

    /// Counts acknowledgements of events of other partitions that the transport has not taken.
    pub(super) fn leaving(&mut self) -> Option<&mut usize> {
        self.ownership.as_mut().map(|owned| &mut owned.leaving)
    }

    /// Tells the gate of a held event how it is settled.
    pub(super) fn tell_gate(&mut self, id: usize, settlement: &Settlement) {
        if let (Some(owned), Some(entry)) = (&mut self.ownership, self.held.get(id)) {
            owned.tell(entry.held.delivery().info(), settlement);
        }
    }

    /// The same, of an event that is not held and was handled.
    pub(super) fn tell_gate_unheld(&mut self, info: &DeliveryInfo) {
        if let Some(owned) = &mut self.ownership {
            owned.tell(info, &Settlement::Ack);
        }
    }

    /// Asks for positions, and releases what is complete.
    fn poll_gates(&mut self, cx: &mut Context<'_>, now: Duration) {
        let Some(owned) = &mut self.ownership else {
            return;
        };
        let (transport, name) = (self.shared.bus.transport(), &owned.durable);
        let (mut released, mut gone, mut wake) = (Vec::new(), Vec::new(), Duration::MAX);
        for (stream, gate) in &mut owned.gates {
            if let Some((ticket, answer)) = &mut gate.question
                && let Poll::Ready(answer) = answer.poll_unpin(cx)
            {
                let ticket = *ticket;
                gate.question = None;
                match answer {
                    Ok(info) => {
                        let settled = gate.answered(ticket, &info);
                        gone.extend(settled.map(|settled| (stream.clone(), settled)));
                    }
                    Err(error) => tracing::warn!(
                        target: crate::TRACING_TARGET,
                        consumer = %name,
                        "the position of the consumer is unknown, and asked for again: {error}"
                    ),
                }
            }
            let ticket = (gate.question.is_none())
                .then(|| gate.gate.asks(now))
                .flatten();
            if ticket.is_some() || (gate.question.is_none() && gate.asks_for_floor) {
                gate.asks_for_floor = false;
                gate.question = Some((ticket, transport.consumer_info(stream, name)));
                // The answer is polled at once, so that it wakes this task.
                wake = now;
            }
            let was_open = gate.gate.is_open();
            if let Some(open) = gate.gate.release(now) {
                if let Opened::TimeOver(missing) = open.opened {
                    tracing::warn!(
                        target: crate::TRACING_TARGET,
                        consumer = %name,
                        stream = %stream,
                        missing,
                        "events that were unsettled before did not come again in time; later ones go on"
                    );
                }
                released.extend(open.items.into_values());
            }
            if !was_open
                && gate.gate.is_open()
                && let Some(acks) = &mut gate.acks
            {
                acks.know_all();
            }
            wake = wake.min(gate.gate.next_time().unwrap_or(Duration::MAX));
        }
        self.wake_by(wake);
        for (stream, settled) in gone {
            self.are_settled(&stream, settled);
        }
        for id in released {
            // Keys follow the order in which events arrive: here, that of their sequences.
            self.arrivals += 1;
            if let Some(entry) = self.held.get_mut(id) {
                entry.arrival = self.arrivals;
            }
            self.admit(id);
        }
    }
}

/// The position of a consumer.
pub(in crate::consumer) fn baseline(info: &ConsumerInfo) -> Baseline {
    Baseline {
        ack_pending: info.ack_pending,
        delivered: info.delivered,
        deliveries: Some(info.deliveries),
    }
}
