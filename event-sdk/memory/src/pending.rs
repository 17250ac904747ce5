//! `Pending`: unsettled deliveries of a consumer with their ack deadlines, delayed naks and
//! redeliveries that are due.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Weak;
use std::time::Duration;

use super::ack_pending::{AckPending, ConnectionId, Counts, Left};
use super::sequenced::Sequenced;
use super::slab::Key;
use event_sdk_core::transport::Settle;

/// Deliveries that are not settled, by sequence: when each is due again, and
/// those that are.
#[derive(Debug)]
pub(super) struct Pending {
    deliveries: Sequenced<Delivery>,
    due: VecDeque<u64>,
    /// When to look at which delivery. Deadlines that moved or ended stay until
    /// their time comes or there are too many of them.
    alarms: BinaryHeap<Reverse<(Duration, u64)>>,
    /// How many are with a handler though the stream has dropped the message.
    dropped: usize,
    counts: AckPending,
}

/// What a handler holds until it has settled or dropped a delivery.
pub(super) type Handler = Weak<dyn Settle>;

/// Which handler it is: where that which it holds lies. As long as a [`Handler`] is kept, nothing
/// else lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HandlerId(usize);

impl HandlerId {
    /// The id of the handler that holds this.
    pub(super) fn of<S: Settle>(held: &S) -> Self {
        Self(std::ptr::from_ref(held).addr())
    }
}

#[derive(Debug)]
pub(super) struct Delivery {
    attempt: u32,
    /// The subscription that handed it out last, and what its handler holds.
    handler: Option<(Key, Handler)>,
    /// The same of subscriptions that handed it out before, whose handlers have it still.
    earlier: Vec<(Key, Handler)>,
    /// Who has it, or had it last.
    holder: ConnectionId,
    state: State,
    /// The earliest alarm that is set for it.
    alarm: Option<Duration>,
    dropped: bool,
    /// Whether it has a place in the queue of those that are due.
    queued: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A handler has it until then.
    Handled(Duration),
    /// It was returned by a nak and rests until then.
    Resting(Duration),
    /// It is to be delivered again.
    Due,
}

/// What was delivered before and is so no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expired {
    pub(super) sequence: u64,
    /// How often it was delivered.
    pub(super) attempt: u32,
    /// Whether the stream has dropped the message.
    pub(super) dropped: bool,
}

/// How many deliveries may be with handlers whose messages the stream has
/// dropped; beyond it they are given up without waiting for the handler.
const MAX_DROPPED: usize = 65_536;

impl Pending {
    pub(super) const fn new() -> Self {
        Self {
            deliveries: Sequenced::new(),
            due: VecDeque::new(),
            alarms: BinaryHeap::new(),
            dropped: 0,
            counts: AckPending::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.deliveries.len()
    }

    pub(super) fn contains(&self, sequence: u64) -> bool {
        self.deliveries.get(sequence).is_some()
    }

    /// Whether something may be to be delivered again.
    pub(super) fn any_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Notes a first delivery; these come in order of sequence.
    pub(super) fn deliver(&mut self, sequence: u64, deadline: Duration, holder: ConnectionId) {
        debug_assert!(!self.contains(sequence));
        self.counts.take(holder);
        self.deliveries.push(
            sequence,
            Delivery {
                attempt: 1,
                handler: None,
                earlier: Vec::new(),
                holder,
                state: State::Handled(deadline),
                alarm: None,
                dropped: false,
                queued: false,
            },
        );
        self.set_alarm(sequence, deadline);
    }

    /// Notes a delivery from before a restore, which is due; these come in order of sequence, and
    /// no connection has them.
    pub(super) fn revive(&mut self, sequence: u64, attempt: u32) {
        self.deliver(sequence, Duration::ZERO, ConnectionId(0));
        if let Some(delivery) = self.deliveries.get_mut(sequence) {
            delivery.attempt = attempt;
        }
        self.make_due(sequence);
    }

    /// The next one to be delivered again, with the number of this attempt.
    /// [`redelivered`](Self::redelivered) says until when.
    pub(super) fn next_due(&mut self) -> Option<(u64, u32)> {
        while let Some(sequence) = self.due.pop_front() {
            let Some(delivery) = self.deliveries.get_mut(sequence) else {
                continue;
            };
            delivery.queued = false;
            if delivery.state == State::Due {
                delivery.attempt = delivery.attempt.saturating_add(1);
                return Some((sequence, delivery.attempt));
            }
        }
        None
    }

    /// What [`next_due`](Self::next_due) gave was delivered.
    pub(super) fn redelivered(&mut self, sequence: u64, deadline: Duration, holder: ConnectionId) {
        if let Some(delivery) = self.deliveries.get_mut(sequence) {
            self.counts.take(holder);
            delivery.holder = holder;
            delivery.state = State::Handled(deadline);
            self.set_alarm(sequence, deadline);
        }
    }

    /// Records the subscription and the handler that hold the delivery of this sequence.
    pub(super) fn handled_by(&mut self, sequence: u64, subscriber: Key, handler: Option<Handler>) {
        if let Some(delivery) = self.deliveries.get_mut(sequence) {
            let handler = handler.map(|handler| (subscriber, handler));
            let before = std::mem::replace(&mut delivery.handler, handler);
            delivery.earlier.extend(before);
            delivery.earlier.retain(is_held);
        }
    }

    /// This handler has put it back; others may have it still.
    pub(super) fn let_go(&mut self, sequence: u64, by: HandlerId) {
        if let Some(delivery) = self.deliveries.get_mut(sequence) {
            let others = |handler: &(Key, Handler)| handler.1.as_ptr().addr() != by.0;
            delivery.handler.take_if(|handler| !others(handler));
            delivery.earlier.retain(others);
        }
    }

    /// Whether a handler that has it from this subscription has neither put it back nor dropped
    /// it.
    pub(super) fn is_running(&self, sequence: u64, subscriber: Key) -> bool {
        self.deliveries.get(sequence).is_some_and(|delivery| {
            let mut handlers = delivery.handler.iter().chain(&delivery.earlier);
            handlers.any(|handler| handler.0 == subscriber && is_held(handler))
        })
    }

    /// One whose wait has ended by `now`; the caller says what becomes of it
    /// by [`make_due`](Self::make_due) or [`settle`](Self::settle).
    pub(super) fn next_expired(&mut self, now: Duration) -> Option<Expired> {
        while let Some(Reverse((at, sequence))) = self.alarms.peek().copied() {
            if at > now {
                break;
            }
            self.alarms.pop();
            let Some(delivery) = self.deliveries.get_mut(sequence) else {
                continue;
            };
            if delivery.alarm != Some(at) {
                continue;
            }
            delivery.alarm = None;
            match delivery.state {
                State::Handled(until) | State::Resting(until) if until <= now => {
                    delivery.moves_to(State::Due, Left::Lapsed, &mut self.counts);
                    return Some(Expired {
                        sequence,
                        attempt: delivery.attempt,
                        dropped: delivery.dropped,
                    });
                }
                State::Handled(until) | State::Resting(until) => self.set_alarm(sequence, until),
                State::Due => {}
            }
        }
        None
    }

    /// When to look at the deliveries again: no later than the first wait ends.
    pub(super) fn next_alarm(&mut self) -> Option<Duration> {
        while let Some(Reverse((at, sequence))) = self.alarms.peek().copied() {
            let valid = self
                .deliveries
                .get(sequence)
                .is_some_and(|delivery| delivery.alarm == Some(at) && delivery.state != State::Due);
            if valid {
                return Some(at);
            }
            self.alarms.pop();
            if let Some(delivery) = self.deliveries.get_mut(sequence)
                && delivery.alarm == Some(at)
            {
                delivery.alarm = None;
            }
        }
        None
    }

    /// It is to be delivered again.
    pub(super) fn make_due(&mut self, sequence: u64) {
        if let Some(delivery) = self.deliveries.get_mut(sequence) {
            delivery.moves_to(State::Due, Left::Settled, &mut self.counts);
            if !delivery.queued {
                delivery.queued = true;
                self.due.push_back(sequence);
            }
        }
    }

    /// It is to be delivered again when `until` has come.
    pub(super) fn rest(&mut self, sequence: u64, until: Duration) {
        if let Some(delivery) = self.deliveries.get_mut(sequence) {
            delivery.moves_to(State::Resting(until), Left::Settled, &mut self.counts);
            self.set_alarm(sequence, until);
        }
    }

    /// It is being handled, until `until` at least.
    pub(super) fn extend(&mut self, sequence: u64, until: Duration) {
        if let Some(delivery) = self.deliveries.get_mut(sequence) {
            if !delivery.is_in_hand() {
                self.counts.take_again(delivery.holder);
            }
            delivery.state = State::Handled(until);
            self.set_alarm(sequence, until);
        }
    }

    /// What is known of the delivery of `sequence`.
    pub(super) fn get(&self, sequence: u64) -> Option<Expired> {
        self.deliveries.get(sequence).map(|delivery| Expired {
            sequence,
            attempt: delivery.attempt,
            dropped: delivery.dropped,
        })
    }

    /// It is not delivered again. Whether it might have been.
    pub(super) fn settle(&mut self, sequence: u64) -> bool {
        self.remove(sequence, Left::Settled)
    }

    /// The stream has dropped the message. Whether it is lost for the consumer:
    /// if a handler has it now, that turns out later.
    pub(super) fn message_dropped(&mut self, sequence: u64) -> bool {
        let Some(delivery) = self.deliveries.get_mut(sequence) else {
            return false;
        };
        if matches!(delivery.state, State::Handled(_)) && self.dropped < MAX_DROPPED {
            delivery.dropped = true;
            self.dropped += 1;
            return false;
        }
        self.remove(sequence, Left::Lapsed);
        true
    }

    /// The sequences of all of them, in order.
    pub(super) fn sequences(&self) -> impl Iterator<Item = u64> {
        self.deliveries.from(0).map(|(sequence, _)| sequence)
    }

    /// How many deliveries `connection` has outstanding.
    pub(super) fn held_by(&self, connection: ConnectionId) -> usize {
        self.counts.now(connection)
    }

    /// Counts what becomes of the deliveries that `connection` has outstanding.
    pub(super) fn count_anew(&mut self, connection: ConnectionId) {
        self.counts.count_anew(connection);
    }

    /// Forgets that `connection` has any outstanding, and says what was counted.
    pub(super) fn forget(&mut self, connection: ConnectionId) -> Counts {
        self.counts.forget(connection)
    }

    /// What `connection` has outstanding, in order.
    pub(super) fn in_hands_of(&self, connection: ConnectionId) -> Vec<u64> {
        let deliveries = self.deliveries.from(0);
        let ack_pending = deliveries
            .filter(|(_, delivery)| delivery.is_in_hand() && delivery.holder == connection);
        ack_pending.map(|(sequence, _)| sequence).collect()
    }

    fn remove(&mut self, sequence: u64, how: Left) -> bool {
        let Some(mut delivery) = self.deliveries.remove(sequence) else {
            return false;
        };
        delivery.moves_to(State::Due, how, &mut self.counts);
        self.dropped -= usize::from(delivery.dropped);
        self.tidy();
        true
    }

    fn set_alarm(&mut self, sequence: u64, at: Duration) {
        let Some(delivery) = self.deliveries.get_mut(sequence) else {
            return;
        };
        if delivery.alarm.is_none_or(|earlier| at < earlier) {
            delivery.alarm = Some(at);
            self.alarms.push(Reverse((at, sequence)));
            self.tidy();
        }
    }

    /// Forgets alarms and places in the queue that mean nothing any more, when
    /// they are many.
    fn tidy(&mut self) {
        const FEW: usize = 64;
        let enough = 2 * self.deliveries.len() + FEW;
        let deliveries = &self.deliveries;
        if self.alarms.len() > enough {
            self.alarms.retain(|Reverse((at, sequence))| {
                deliveries
                    .get(*sequence)
                    .is_some_and(|delivery| delivery.alarm == Some(*at))
            });
        }
        if self.due.len() > enough {
            self.due
                .retain(|sequence| deliveries.get(*sequence).is_some());
        }
    }
}

/// Whether the handler has neither settled nor dropped what it holds.
fn is_held((_, handler): &(Key, Handler)) -> bool {
    handler.strong_count() > 0
}

impl Delivery {
    fn is_in_hand(&self) -> bool {
        matches!(self.state, State::Handled(_))
    }

    /// Is outstanding no more, if it was.
    fn moves_to(&mut self, state: State, how: Left, ack_pending: &mut AckPending) {
        if self.is_in_hand() {
            ack_pending.leave(self.holder, how);
        }
        self.state = state;
    }
}

#[cfg(test)]
mod tests;
