//! Everything of a stream that its lock protects.

use foldhash::{HashMap, HashMapExt};
use jiff::{SignedDuration, Timestamp};

use super::after::After;
use super::consumer::Consumer;
use super::dedup::Dedup;
use super::interest::Interest;
use super::log::{Log, Message};
use super::slab::{Key, Slab};
use crate::stream::StreamConfig;
use crate::text::Text;

/// Everything of a stream that its lock protects.
#[derive(Debug)]
pub(super) struct State {
    pub(super) log: Log,
    pub(super) dedup: Dedup,
    pub(super) interest: Interest,
    pub(super) consumers: Slab<Consumer>,
    pub(super) names: HashMap<Text, Key>,
    pub(super) closed: bool,
}

impl State {
    pub(super) fn new(config: &StreamConfig) -> Self {
        Self {
            log: Log::new(config.limits.messages_per_subject.is_some()),
            dedup: Dedup::new(config.deduplication),
            interest: Interest::new(),
            consumers: Slab::new(),
            names: HashMap::new(),
            closed: false,
        }
    }

    /// Drops what is too old.
    pub(super) fn drop_older(&mut self, age: SignedDuration, now: Timestamp, after: &mut After) {
        while let Some(oldest) = self.log.messages().first()
            && now.duration_since(oldest.stored_at) >= age
        {
            self.drop_first(after);
        }
    }

    /// Drops the oldest message.
    pub(super) fn drop_first(&mut self, after: &mut After) {
        if let Some((sequence, message)) = self.log.remove_first() {
            self.dropped(sequence, message, after);
        }
    }

    /// Drops a message, the oldest of its subject, and tells the consumers that
    /// it was for.
    pub(super) fn drop_message(&mut self, sequence: u64, after: &mut After) {
        if let Some(message) = self.log.remove(sequence) {
            self.dropped(sequence, message, after);
        }
    }

    fn dropped(&mut self, sequence: u64, message: Message, after: &mut After) {
        let place = message.subject;
        let interested = self
            .log
            .subjects_mut()
            .interested(place, &mut self.interest);
        for consumer in interested {
            if let Some(consumer) = self.consumers.at_mut(*consumer) {
                consumer.dropped(sequence, after);
            }
        }
        self.log.forget(place);
        after.drop(message);
    }

    /// Tells the consumers that a message is for that it was stored.
    pub(super) fn announce(
        &mut self,
        sequence: u64,
        place: usize,
        stored_at: Timestamp,
        after: &mut After,
    ) {
        let interested = self
            .log
            .subjects_mut()
            .interested(place, &mut self.interest);
        for consumer in interested {
            if let Some(consumer) = self.consumers.at_mut(*consumer) {
                consumer.stored(sequence, stored_at, after);
            }
        }
    }

    /// Removes a consumer; those of its subscriptions that wait are woken to
    /// find that out.
    pub(super) fn remove_consumer(&mut self, key: Key, after: &mut After) {
        let Some(mut consumer) = self.consumers.remove(key) else {
            return;
        };
        consumer.subscribers().wake_all(after);
        for filter in &consumer.config().filters {
            self.interest.remove(filter, key.index());
        }
        if let Some(name) = consumer.config().name.as_str() {
            self.names.remove(name);
        }
    }
}
