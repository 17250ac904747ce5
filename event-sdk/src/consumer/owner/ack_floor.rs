//! `AckFloor`: which events of a stream one acknowledgement may settle, where it settles everything
//! before it too (`AckPolicy::All`).
//!
//! # Rules
//!
//! 1. An event that is unsettled at the server and not done here is a *hole*: its handler runs, it
//!    waits for another attempt, or it was given back. No acknowledgement passes it.
//! 2. An acknowledgement is sent only up to the sequence up to which everything that is unsettled at
//!    the server is [known](AckFloor::know) here. What was delivered to a previous owner, and
//!    not yet here again, would be lost otherwise. The [gate](super::gate) tells when that is so.
//! 3. One acknowledgement is on its way at a time. What becomes done meanwhile is settled by the
//!    next one. If one fails, the events stay done, and the next one settles them.
//!
//! Sequences are those of the stream. The server compares these, and redelivers a message under its
//! first sequence. The machine reads no clock and sends nothing.

use std::collections::VecDeque;

/// The events of one stream that are unsettled at the server, as far as they are known here.
#[derive(Debug, Clone)]
pub(crate) struct AckFloor<T> {
    /// By sequence.
    unsettled: VecDeque<Slot<T>>,
    /// Up to this sequence, everything that is unsettled at the server is in `unsettled`.
    known_up_to: u64,
    /// Up to which sequence the acknowledgement settles that is on its way.
    sending: Option<u64>,
}

#[derive(Debug, Clone)]
struct Slot<T> {
    sequence: u64,
    /// `None`: a hole.
    done: Option<T>,
}

/// Whether an acknowledgement ends at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// It is settled with a later one.
    Never,
    Perhaps,
    /// Later events have an acknowledgement of their own.
    Always,
}

impl<T> AckFloor<T> {
    pub(crate) const fn new() -> Self {
        Self {
            unsettled: VecDeque::new(),
            known_up_to: 0,
            sending: None,
        }
    }

    /// An event was delivered. It is a hole until it is [done](Self::done), unless it is done
    /// already.
    pub(crate) fn received(&mut self, sequence: u64) {
        let hole = Slot {
            sequence,
            done: None,
        };
        match self.unsettled.back() {
            Some(last) if last.sequence >= sequence => {
                if let Err(place) = self.place(sequence) {
                    self.unsettled.insert(place, hole);
                }
            }
            _ => self.unsettled.push_back(hole),
        }
    }

    /// Everything up to this sequence that is unsettled at the server was delivered here.
    pub(crate) fn know(&mut self, up_to: u64) {
        self.known_up_to = self.known_up_to.max(up_to);
    }

    /// Everything that is unsettled at the server was delivered here.
    pub(crate) fn know_all(&mut self) {
        if let Some(last) = self.unsettled.back() {
            self.know(last.sequence);
        }
    }

    /// An event was handled, or given up: `item` is kept until it is settled. An event that is not
    /// unsettled any more is returned.
    pub(crate) fn done(&mut self, sequence: u64, item: T) -> Option<T> {
        match self.place(sequence) {
            Ok(place) => {
                self.unsettled[place].done = Some(item);
                None
            }
            Err(_) => Some(item),
        }
    }

    /// The event to acknowledge now, with all before it: the last one before the first hole that can
    /// be acknowledged. [`sent`](Self::sent) is to follow.
    pub(crate) fn next(&mut self, ends: impl Fn(&T) -> Ends) -> Option<(u64, &T)> {
        if self.sending.is_some() {
            return None;
        }
        let mut last = None;
        for (place, slot) in self.unsettled.iter().enumerate() {
            let Some(done) = &slot.done else { break };
            if slot.sequence > self.known_up_to {
                break;
            }
            let ends = ends(done);
            if ends != Ends::Never {
                last = Some(place);
            }
            if ends == Ends::Always {
                break;
            }
        }
        let slot = self.unsettled.get(last?)?;
        self.sending = Some(slot.sequence);
        Some((slot.sequence, slot.done.as_ref()?))
    }

    /// The acknowledgement of [`next`](Self::next) was accepted by the transport, or not. Returns what
    /// is settled with it.
    pub(crate) fn sent(&mut self, accepted: bool) -> impl Iterator<Item = (u64, T)> {
        let up_to = self.sending.take().filter(|_| accepted);
        self.settle_those(move |sequence| up_to.is_some_and(|up_to| sequence <= up_to))
    }

    /// Everything up to this sequence is settled at the server: its ack floor. Returns what was
    /// done here.
    pub(crate) fn settle(&mut self, up_to: u64) -> impl Iterator<Item = (u64, T)> {
        self.settle_those(move |sequence| sequence <= up_to)
    }

    /// Forgets the first events, those that are settled. Returns what was done here.
    fn settle_those<F: Fn(u64) -> bool>(
        &mut self,
        settled: F,
    ) -> impl Iterator<Item = (u64, T)> + use<'_, T, F> {
        let end = self
            .unsettled
            .partition_point(|slot| settled(slot.sequence));
        let settled = self.unsettled.drain(..end);
        settled.filter_map(|slot| Some((slot.sequence, slot.done?)))
    }

    /// The events that are done and not settled, by sequence.
    pub(crate) fn waiting(&mut self) -> impl Iterator<Item = (u64, &mut T)> {
        let slots = self.unsettled.iter_mut();
        slots.filter_map(|slot| Some((slot.sequence, slot.done.as_mut()?)))
    }

    /// How many events are unsettled.
    pub(crate) fn len(&self) -> usize {
        self.unsettled.len()
    }

    /// Whether an acknowledgement is on its way.
    pub(crate) fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// Forgets the events that are done, which are given back, by sequence.
    pub(crate) fn take_waiting(&mut self) -> Vec<(u64, T)> {
        let slots = self.unsettled.iter_mut();
        slots
            .filter_map(|slot| Some((slot.sequence, slot.done.take()?)))
            .collect()
    }

    fn place(&self, sequence: u64) -> Result<usize, usize> {
        self.unsettled
            .binary_search_by_key(&sequence, |slot| slot.sequence)
    }
}

#[cfg(test)]
mod tests;
