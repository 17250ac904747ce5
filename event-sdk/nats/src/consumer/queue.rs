//! `Queue`: messages that have come and were not handed out, with the time since when each is
//! here.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::message::Message;
use super::reply::Reply;

/// The messages of one subscription that wait for its caller, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Queue {
    list: VecDeque<Held>,
    bytes: u64,
    /// How many were taken out.
    popped: u64,
    /// Of these sequences, what was added before this number of messages was is old.
    superseded: BTreeMap<u64, u64>,
}

/// A message that waits.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) message: Message,
    pub(super) reply: Reply,
    /// When it came.
    pub(super) since: Instant,
    /// Whether it is not to be handed out: a newer delivery of its sequence is, or was.
    pub(super) is_old: bool,
}

impl Held {
    fn bytes(&self) -> u64 {
        u64::try_from(self.message.size()).unwrap_or(u64::MAX)
    }

    /// How long it has waited.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}

impl Queue {
    pub(super) fn add(&mut self, held: Held) {
        self.bytes += held.bytes();
        self.list.push_back(held);
    }

    /// A redelivery of this sequence has come: what waits of it is not handed out. It costs the
    /// same however many wait.
    pub(super) fn supersede(&mut self, sequence: u64) {
        if !self.list.is_empty() {
            let added = self.popped + self.list.len() as u64;
            self.superseded.insert(sequence, added);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Held> {
        let mut held = self.list.pop_front()?;
        self.bytes -= held.bytes();
        if let Some(added) = self.superseded.get(&held.reply.sequence) {
            held.is_old |= self.popped < *added;
        }
        self.popped += 1;
        if self.list.is_empty() {
            self.superseded.clear();
        }
        Some(held)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.list.len()).unwrap_or(u32::MAX)
    }

    /// How many bytes wait.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// All of them.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Held> {
        let mut taken = std::mem::take(self);
        std::iter::from_fn(move || taken.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receiver::WireMessage;

    fn held(sequence: u64, attempt: u32) -> Held {
        let reply = format!("$JS.ACK.S.c.{attempt}.{sequence}.{sequence}.1700000000000000000.0");
        let wire = WireMessage::of(b"a", Some(reply.as_bytes()), b"", b"body");
        Held {
            message: Message::new(wire),
            reply: Reply::parse(&reply).unwrap(),
            since: Instant::now(),
            is_old: false,
        }
    }

    fn add(queue: &mut Queue, sequence: u64, attempt: u32) {
        if attempt > 1 {
            queue.supersede(sequence);
        }
        queue.add(held(sequence, attempt));
    }

    fn shown(held: &Held) -> (u64, u32, bool) {
        (held.reply.sequence, held.reply.attempt, held.is_old)
    }

    #[test]
    fn of_each_sequence_only_the_newest_delivery_is_handed_out() {
        let mut queue = Queue::default();
        add(&mut queue, 1, 1);
        add(&mut queue, 2, 1);
        assert_eq!(queue.pop().as_ref().map(shown), Some((1, 1, false)));
        for (sequence, attempt) in [(3, 1), (2, 2), (1, 2), (2, 3)] {
            add(&mut queue, sequence, attempt);
        }
        let taken: Vec<_> = queue.take().map(|held| shown(&held)).collect();
        let wanted = [
            (2, 1, true),
            (3, 1, false),
            (2, 2, true),
            (1, 2, false),
            (2, 3, false),
        ];
        assert_eq!(taken, wanted);
        assert!(queue.is_empty() && queue.bytes() == 0);
    }

    #[test]
    fn what_was_superseded_is_forgotten_when_all_was_taken_out() {
        let mut queue = Queue::default();
        add(&mut queue, 1, 1);
        add(&mut queue, 1, 2);
        while queue.pop().is_some() {}
        assert!(queue.superseded.is_empty());
        queue.supersede(1);
        add(&mut queue, 1, 1);
        assert_eq!(queue.pop().as_ref().map(shown), Some((1, 1, false)));
    }
}
