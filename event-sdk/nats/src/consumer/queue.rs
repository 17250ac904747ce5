//! `Queue`: messages that have come and were not handed out, with the time since when each is
//! here.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::message::Message;
use super::reply::Reply;

/// The messages of one subscription that wait for its caller, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Queue {
    list: VecDeque<Held>,
    bytes: u64,
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

    /// A redelivery of this sequence has come: what waits of it is not handed out.
    pub(super) fn supersede(&mut self, sequence: u64) {
        for held in &mut self.list {
            held.is_old |= held.reply.sequence == sequence;
        }
    }

    pub(super) fn pop(&mut self) -> Option<Held> {
        let held = self.list.pop_front()?;
        self.bytes -= held.bytes();
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
        std::mem::take(self).list.into_iter()
    }
}
