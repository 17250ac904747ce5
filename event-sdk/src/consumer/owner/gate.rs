//! `Gate`: holds deliveries back after a takeover, until everything that was delivered before is
//! here too, and then lets them pass in order of sequence.
//!
//! The server delivers new messages before it delivers unsettled ones again. Without the gate, a
//! new owner would handle a later event of a key before an earlier one that the previous owner
//! had in hand.
//!
//! # Rules
//!
//! 1. Before its first pull, the new owner asks the server for the consumer's
//!    [position](Baseline). The gate opens when as many distinct sequences up to that position
//!    were delivered as were unsettled then. If a late acknowledgement of the previous owner
//!    settles one of them, the count is never reached, and rule 4 applies.
//! 2. The deliveries of a consumer are numbered. A missing number was delivered elsewhere (to an
//!    open pull of the previous owner) or was lost. The gate then closes again. It opens by a new
//!    baseline, which is asked for after the missing number was noticed, when everything unsettled
//!    is here.
//! 3. A new baseline counts the unsettled messages that are here. It is of no use while one of them
//!    may be settled at the server. A late acknowledgement of the previous owner may have settled a
//!    message that was delivered before the takeover. A message that is delivered again may have
//!    been settled from here, while that delivery was on its way. Each such message would hide a
//!    missing one.
//! 4. At the latest, the gate opens after the longest time until an unsettled message is delivered
//!    again: the ack wait, and after a takeover also the longest delay of a nak.
//!
//! # One acknowledgement for many
//!
//! Where an acknowledgement settles everything before it ([`Gate::cumulative`]), every message
//! above the server's ack floor that is here is unsettled at the server too. So rule 3 has no
//! exception: every baseline is of use. The gate then never opens by time, since an acknowledgement
//! would settle the missing messages; see [`ack_floor`](super::ack_floor).
//!
//! While the gate is closed, what already passed goes on. The machine reads no clock and sends
//! nothing.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A consumer's position at the server, from one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Baseline {
    /// Number of unsettled messages.
    pub(crate) ack_pending: u64,
    /// The highest sequence that was delivered.
    pub(crate) delivered: u64,
    /// Number of deliveries; `None` if the transport does not number them.
    pub(crate) deliveries: Option<u64>,
}

impl Baseline {
    /// The position of a consumer that does not exist yet.
    pub(crate) const NEW: Self = Self {
        ack_pending: 0,
        delivered: 0,
        deliveries: Some(0),
    };
}

/// What the gate has to know of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Arrival {
    /// The sequence in the stream.
    pub(crate) sequence: u64,
    /// The number among the deliveries of the consumer; `None` if the transport has none.
    pub(crate) number: Option<u64>,
    /// Whether the message was delivered before, by the server's count.
    pub(crate) redelivered: bool,
}

/// The gate's answer to a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Passage<T> {
    /// It may be handled.
    Pass(T),
    /// It is held, until [`Gate::release`] returns it. An earlier delivery of the same message is
    /// returned.
    Held(Option<T>),
    /// The message is here already, as an earlier delivery: this one replaces its reply subject.
    Repeated(T),
}

/// Tells which deliveries a baseline may miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BaselineTicket(u64);

/// The gate of one ownership. See the [module](self) for the rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Gate<T> {
    ack_wait: Duration,
    /// Whether an acknowledgement settles everything before it.
    cumulative: bool,
    closed: Option<Closed>,
    /// Deliveries that wait, by sequence.
    held: BTreeMap<u64, T>,
    /// Messages that are here, or were delayed from here, by sequence.
    unsettled: BTreeMap<u64, Unsettled>,
    /// How many of these may be settled at the server.
    unsure: usize,
    /// The highest sequence that was delivered before the takeover, or settled from here. A higher
    /// one was never settled by anyone.
    settled_up_to: u64,
    /// Number of the last delivery.
    last: Option<u64>,
    /// How often a number was missing.
    missed: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Closed {
    /// When the gate opens whatever is missing.
    until: Duration,
    /// The unsettled messages of the last valid baseline.
    missing: Option<Missing>,
    /// No baseline is asked for before this time.
    ask_at: Duration,
    /// Pause after the next question.
    pause: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Missing {
    /// Up to which sequence the baseline counted.
    up_to: u64,
    /// The number of the last delivery before the baseline.
    deliveries: Option<u64>,
    /// With cumulative acknowledgements: up to which sequence everything was settled.
    floor: Option<u64>,
    /// How many of the counted messages are not here.
    number: u64,
    /// The counted messages that came.
    here: BTreeSet<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Unsettled {
    /// Whether it may be settled at the server.
    unsure: bool,
    /// Given back with a delay: its next delivery passes.
    delayed: bool,
}

impl<T> Gate<T> {
    /// The shortest and the longest pause between two questions for a baseline.
    const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

    /// The gate at a takeover. The baseline was asked for after the lease was acquired and before
    /// the first pull. `longest_delay` is the longest delay that a nak of the previous owner may
    /// have.
    pub(crate) fn taken_over(
        baseline: Baseline,
        ack_wait: Duration,
        longest_delay: Duration,
        now: Duration,
    ) -> Self {
        let mut gate = Self {
            ack_wait,
            cumulative: false,
            closed: None,
            held: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            unsure: 0,
            settled_up_to: baseline.delivered,
            last: baseline.deliveries,
            missed: 0,
        };
        if baseline.ack_pending > 0 {
            gate.close(now, ack_wait.saturating_add(longest_delay));
            gate.count(baseline, None);
        }
        gate
    }

    /// An acknowledgement settles everything before it. [`answered_above`](Self::answered_above) takes
    /// the answers.
    pub(crate) fn cumulative(mut self) -> Self {
        self.cumulative = true;
        self
    }

    /// Whether deliveries pass.
    pub(crate) fn is_open(&self) -> bool {
        self.closed.is_none() && self.held.is_empty()
    }

    /// Whether a delivery passes that is [reported](Self::delivered) now, and is here for the first
    /// time.
    pub(crate) fn would_pass(&self, arrival: Arrival) -> bool {
        let follows = match (self.last, arrival.number) {
            (Some(last), Some(number)) => last.checked_add(1) == Some(number),
            _ => true,
        };
        follows && self.is_open() && !self.unsettled.contains_key(&arrival.sequence)
    }

    /// Reports a delivery.
    pub(crate) fn delivered(&mut self, arrival: Arrival, item: T, now: Duration) -> Passage<T> {
        let sequence = arrival.sequence;
        let unsure = self.came(arrival, now);
        match self.unsettled.entry(sequence) {
            Entry::Occupied(mut known) if known.get().delayed => known.get_mut().delayed = false,
            Entry::Occupied(_) => {
                return match self.held.get_mut(&sequence) {
                    Some(held) => Passage::Held(Some(std::mem::replace(held, item))),
                    None => Passage::Repeated(item),
                };
            }
            Entry::Vacant(place) => {
                self.unsure += usize::from(unsure);
                place.insert(Unsettled {
                    unsure,
                    delayed: false,
                });
            }
        }
        if self.is_open() {
            return Passage::Pass(item);
        }
        self.held.insert(sequence, item);
        Passage::Held(None)
    }

    /// Reports the delivery of a message that cannot be read: it is here, and is never held. Returns
    /// whether the gate is open.
    pub(crate) fn unreadable(&mut self, arrival: Arrival, now: Duration) -> bool {
        let unsure = self.came(arrival, now);
        if let Entry::Vacant(place) = self.unsettled.entry(arrival.sequence) {
            self.unsure += usize::from(unsure);
            place.insert(Unsettled {
                unsure,
                delayed: false,
            });
        }
        self.is_open()
    }

    /// Counts a delivery. Returns whether its message may be settled at the server.
    fn came(&mut self, arrival: Arrival, now: Duration) -> bool {
        self.follow(arrival.number, now);
        let unsure = arrival.redelivered && arrival.sequence <= self.settled_up_to;
        if let Some(missing) = self.closed.as_mut().and_then(|c| c.missing.as_mut()) {
            missing.came(arrival, unsure);
        }
        unsure
    }

    /// Reports that a message was settled for good from here.
    pub(crate) fn settled(&mut self, sequence: u64) {
        self.held.remove(&sequence);
        self.settled_up_to = self.settled_up_to.max(sequence);
        if let Some(gone) = self.unsettled.remove(&sequence) {
            self.unsure -= usize::from(gone.unsure);
        }
    }

    /// Reports that a message was given back with a delay: it is still unsettled at the server.
    pub(crate) fn delayed(&mut self, sequence: u64) {
        self.held.remove(&sequence);
        if let Some(known) = self.unsettled.get_mut(&sequence) {
            known.delayed = true;
        }
    }

    /// Returns a ticket if the server should be asked for the consumer's position now.
    pub(crate) fn asks(&mut self, now: Duration) -> Option<BaselineTicket> {
        let usable = self.is_usable();
        let closed = self.closed.as_mut()?;
        if !usable || now < closed.ask_at {
            return None;
        }
        closed.ask_at = now.saturating_add(closed.pause);
        closed.pause = (closed.pause * 2).min(Self::PAUSES.1);
        Some(BaselineTicket(self.missed))
    }

    /// Reports the consumer's position, asked for with this ticket.
    pub(crate) fn answered(&mut self, ticket: BaselineTicket, baseline: Baseline) {
        let Some(closed) = &self.closed else {
            return;
        };
        // Deliveries on their way may be such that the new baseline cannot count (rule 3), and the
        // earlier one can.
        let on_their_way = closed.missing.is_some() && baseline.deliveries != self.last;
        if ticket.0 == self.missed && self.unsure == 0 && !on_their_way {
            self.count(baseline, None);
        }
    }

    /// The same with cumulative acknowledgements: everything up to `floor` is settled.
    pub(crate) fn answered_above(
        &mut self,
        ticket: BaselineTicket,
        baseline: Baseline,
        floor: u64,
    ) {
        if self.closed.is_some() && ticket.0 == self.missed {
            self.count(baseline, Some(floor));
        }
    }

    /// Whether a baseline tells what is missing.
    fn is_usable(&self) -> bool {
        self.cumulative || self.unsure == 0
    }

    /// When to call [`asks`](Self::asks) and [`release`](Self::release) again, if nothing else
    /// happens.
    pub(crate) fn next_time(&self) -> Option<Duration> {
        let closed = self.closed.as_ref()?;
        let asks = self.is_usable().then_some(closed.ask_at);
        let opens = (!self.cumulative).then_some(closed.until);
        asks.into_iter().chain(opens).min()
    }

    /// Returns the held deliveries in order of sequence, if the gate is open now; to be called
    /// after each report.
    pub(crate) fn release(&mut self, now: Duration) -> Option<Released<T>> {
        let mut opened = Opened::Complete;
        if let Some(closed) = &self.closed {
            let missing = closed.missing.as_ref().map(|missing| missing.number);
            if missing != Some(0) {
                if self.cumulative || now < closed.until {
                    return None;
                }
                opened = Opened::TimeOver(missing);
            }
            self.closed = None;
        }
        if self.held.is_empty() && opened == Opened::Complete {
            return None;
        }
        let items = std::mem::take(&mut self.held);
        Some(Released { items, opened })
    }

    /// Closes the gate if a number is missing before this one.
    fn follow(&mut self, number: Option<u64>, now: Duration) {
        let Some(number) = number else {
            return;
        };
        let before = self.last.replace(number);
        if before.is_some_and(|before| before.checked_add(1) != Some(number)) {
            self.missed += 1;
            self.close(now, self.ack_wait);
        }
    }

    fn close(&mut self, now: Duration, longest: Duration) {
        let before = self.closed.as_ref().map_or(now, |closed| closed.until);
        self.closed = Some(Closed {
            until: now.saturating_add(longest).max(before),
            missing: None,
            ask_at: now,
            pause: Self::PAUSES.0,
        });
    }

    /// Counts what is missing of a baseline.
    fn count(&mut self, baseline: Baseline, floor: Option<u64>) {
        if let Some(closed) = &mut self.closed {
            let up_to = baseline.delivered;
            let above = floor.unwrap_or(0).saturating_add(1);
            let here = self.unsettled.range(above..=up_to.max(above));
            let here: BTreeSet<u64> = here.map(|(s, _)| *s).filter(|s| *s <= up_to).collect();
            let number = baseline.ack_pending.saturating_sub(here.len() as u64);
            closed.missing = Some(Missing {
                up_to,
                deliveries: baseline.deliveries,
                floor,
                number,
                here,
            });
        }
    }
}

impl Missing {
    /// A message came. It is one of the counted ones, unless it may have been settled before the
    /// baseline, while this delivery was on its way.
    fn came(&mut self, arrival: Arrival, unsure: bool) {
        let before = match (arrival.number, self.deliveries) {
            (Some(number), Some(deliveries)) => number <= deliveries,
            _ => false,
        };
        let settled = match self.floor {
            Some(floor) => arrival.sequence <= floor,
            None => before && unsure,
        };
        let counted = arrival.sequence <= self.up_to && !settled;
        if counted && self.here.insert(arrival.sequence) {
            self.number = self.number.saturating_sub(1);
        }
    }
}

/// What an open gate returns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Released<T> {
    /// The deliveries, by sequence.
    pub(crate) items: BTreeMap<u64, T>,
    /// Why the gate is open.
    pub(crate) opened: Opened,
}

/// Why a gate is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Opened {
    /// Everything that is unsettled at the server is here.
    Complete,
    /// The time was over, and so many messages were missing; `None` if that is unknown. A warning
    /// should say so.
    TimeOver(Option<u64>),
}

#[cfg(test)]
mod tests;
