//! `State`: everything of a stream under its lock; drops messages by age and by changed limits, and
//! removes what all consumers have settled.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroU64;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use jiff::Timestamp;
use tokio::sync::Notify;

use super::ack_pending::ConnectionId;
use super::consumer::Consumer;
use super::dedup::Dedup;
use super::deferred_actions::DeferredActions;
use super::elapsed::Elapsed;
use super::filters::Filters;
use super::interest::Interest;
use super::log::{Log, Message};
use super::position::Position;
use super::schedules::Schedules;
use super::settings::Settings;
use super::slab::{Key, Slab};
use event_sdk_core::stream::{Discard, Retention, StreamConfig};
use event_sdk_core::subject::{Pattern, Subject};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{ConsumerConfig, DeliverPolicy, RollUp};

/// Everything of a stream that its lock protects.
#[derive(Debug)]
pub(super) struct State {
    pub(super) log: Log,
    pub(super) elapsed: Elapsed,
    pub(super) dedup: Dedup,
    pub(super) interest: Interest,
    pub(super) consumers: Slab<Consumer>,
    pub(super) names: HashMap<Text, Key>,
    /// Whether the log may hold subjects that the stream does not store any more.
    pub(super) holds_others: bool,
    /// Whether it may have held such ever.
    pub(super) held_others: bool,
    /// The messages that wait for their time.
    pub(super) schedules: Schedules,
    /// Until when messages within the limits are kept.
    pub(super) retention: Retention,
    /// What consumers had not settled that are gone, and is still to be released.
    left: VecDeque<u64>,
    pub(super) closed: bool,
    /// Connections that are drained, and who waits for what they have outstanding.
    pub(super) drains: Vec<(ConnectionId, Arc<Notify>)>,
}

/// How many messages are released at once when a consumer goes.
const MAX_RELEASED: usize = 256;

impl State {
    pub(super) fn new(config: &StreamConfig) -> Self {
        Self {
            log: Log::new(keeps_sequences(config)),
            elapsed: Elapsed::new(),
            dedup: Dedup::new(config.deduplication),
            interest: Interest::new(),
            consumers: Slab::new(),
            names: HashMap::new(),
            holds_others: false,
            held_others: false,
            schedules: Schedules::default(),
            retention: config.retention,
            left: VecDeque::new(),
            closed: false,
            drains: Vec::new(),
        }
    }

    /// Drops up to `most` messages that are too old. Whether that was all of them.
    pub(super) fn drop_older(
        &mut self,
        age: u64,
        now: u64,
        mut most: usize,
        after: &mut DeferredActions,
    ) -> bool {
        while let Some(oldest) = self.log.messages().first()
            && now.saturating_sub(oldest.ran) >= age
        {
            if most == 0 {
                return false;
            }
            most -= 1;
            self.drop_first(after);
        }
        true
    }

    /// Drops the oldest message.
    pub(super) fn drop_first(&mut self, after: &mut DeferredActions) {
        if let Some((sequence, message)) = self.log.remove_first() {
            self.dropped(sequence, message, after);
        }
    }

    /// Drops a message and tells the consumers that it was for.
    pub(super) fn drop_message(&mut self, sequence: u64, after: &mut DeferredActions) {
        if let Some(message) = self.log.remove(sequence) {
            self.dropped(sequence, message, after);
        }
    }

    #[inline]
    fn dropped(&mut self, sequence: u64, message: Message, after: &mut DeferredActions) {
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
        self.log.forget(sequence, place);
        after.drop(message);
    }

    /// Whether no consumer is to read what is published to `subject` now, and it is kept
    /// for consumers only.
    pub(super) fn is_for_nobody(&mut self, subject: &Subject, now: Timestamp) -> bool {
        if self.retention != Retention::Interest {
            return false;
        }
        let (sequence, stored_at) = (self.log.last_sequence() + 1, self.log.newest().max(now));
        let subjects = self.log.subjects_mut();
        let mut wanting = subjects.wanting(subject, &mut self.interest).iter();
        !wanting.any(|consumer| {
            let consumer = self.consumers.at(*consumer);
            consumer.is_some_and(|consumer| consumer.would_read(sequence, stored_at))
        })
    }

    /// One of those that a message was for has settled it: it goes with the last, or
    /// the first from a work queue.
    pub(super) fn release(&mut self, sequence: u64, after: &mut DeferredActions) {
        let Some(message) = self.log.get_mut(sequence) else {
            return;
        };
        message.owed = message.owed.saturating_sub(1);
        if message.owed == 0
            && let Some(message) = self.log.remove(sequence)
        {
            self.log.forget(sequence, message.subject);
            after.drop(message);
        }
    }

    /// Releases some of what consumers left that are gone. Whether that was all of it.
    pub(super) fn release_left(&mut self, most: usize, after: &mut DeferredActions) -> bool {
        for _ in 0..most {
            let Some(sequence) = self.left.pop_front() else {
                break;
            };
            self.release(sequence, after);
        }
        if self.left.is_empty() {
            self.left = VecDeque::new();
        }
        self.left.is_empty()
    }

    /// A subscription asks for more: where nothing is acknowledged, that settles what it
    /// was given.
    pub(super) fn release_handed_out(
        &mut self,
        consumer: Key,
        subscriber: Key,
        after: &mut DeferredActions,
    ) {
        if self.retention == Retention::Interest {
            if let Some(consumer) = self.consumers.get_mut(consumer) {
                consumer.handed_out(subscriber, 0);
            }
            self.release_settled(consumer, after);
        }
    }

    /// Releases what this consumer has settled.
    pub(super) fn release_settled(&mut self, consumer: Key, after: &mut DeferredActions) {
        if self.retention == Retention::Limits {
            return;
        }
        while let Some(consumer) = self.consumers.get_mut(consumer)
            && let Some(sequence) = consumer.next_settled()
        {
            self.release(sequence, after);
        }
    }

    /// Drops what a message replaces, which has this sequence.
    pub(super) fn roll_up(
        &mut self,
        earlier: RollUp,
        sequence: u64,
        subject: &Subject,
        after: &mut DeferredActions,
    ) {
        if earlier == RollUp::Stream {
            self.schedules.clear();
            while self.log.first_sequence() < sequence {
                self.drop_first(after);
            }
        } else {
            let entry = self.log.subjects().find(subject);
            for earlier in entry.map_or_else(Vec::new, |entry| entry.before(sequence)) {
                self.drop_message(earlier, after);
            }
        }
    }

    /// Becomes what `wanted` says.
    pub(super) fn change(
        &mut self,
        existing: &Settings,
        wanted: &Settings,
        now: u64,
        after: &mut DeferredActions,
    ) {
        let (config, limits) = (&wanted.config, wanted.config.limits);
        for age in [existing.age, wanted.age].into_iter().flatten() {
            self.drop_older(age, now, usize::MAX, after);
        }
        self.dedup.change(config.deduplication, now);
        if limits.discard == Discard::Old {
            // As on a server: where the new is refused, the old stays.
            self.drop_beyond(limits.messages, limits.bytes, after);
        }
        self.log.keep_sequences(keeps_sequences(config));
        if let Some(max) = limits.messages_per_subject {
            for sequence in self.log.subjects().beyond(max.get()) {
                self.drop_message(sequence, after);
            }
        }
        if existing.config.subjects != config.subjects {
            self.held_others = self.held_others || self.log.last_sequence() > 0;
            self.holds_others = self
                .log
                .subjects()
                .any_not(|subject| wanted.stores(subject));
            for consumer in self.consumers.values_mut() {
                consumer.stream_stores(&config.subjects);
            }
        }
    }

    /// Drops the oldest until there are no more than these.
    pub(super) fn drop_beyond(
        &mut self,
        messages: Option<NonZeroU64>,
        bytes: Option<NonZeroU64>,
        after: &mut DeferredActions,
    ) {
        let over = |log: &Log| {
            messages.is_some_and(|max| log.len() > max.get())
                || bytes.is_some_and(|max| log.bytes() > max.get() && log.len() > 0)
        };
        while over(&self.log) {
            self.drop_first(after);
        }
    }

    /// Tells the consumers that a message is for that it was stored.
    pub(super) fn announce(
        &mut self,
        sequence: u64,
        place: usize,
        stored_at: Timestamp,
        after: &mut DeferredActions,
    ) {
        let interested = self
            .log
            .subjects_mut()
            .interested(place, &mut self.interest);
        let mut owed = 0;
        for consumer in interested {
            if let Some(consumer) = self.consumers.at_mut(*consumer) {
                owed += usize::from(consumer.stored(sequence, stored_at, after));
            }
        }
        if self.retention == Retention::Interest
            && let Some(message) = self.log.get_mut(sequence)
        {
            message.owed = owed;
        }
    }

    /// Adds a consumer.
    pub(super) fn add_consumer(
        &mut self,
        filters: &Filters,
        make: impl FnOnce(usize, &Log) -> Consumer,
    ) -> Key {
        let log = &self.log;
        let key = self.consumers.insert_with(|place| make(place, log));
        for filter in filters.patterns() {
            self.interest.insert(filter, key.index());
        }
        if self.retention == Retention::Interest {
            for sequence in self.owed_by(key) {
                if let Some(message) = self.log.get_mut(sequence) {
                    message.owed += 1;
                }
            }
        }
        key
    }

    /// Changes a consumer, which stays where it is.
    pub(super) fn change_consumer(
        &mut self,
        key: Key,
        wanted: ConsumerConfig,
        filters: &Filters,
        stored: &[Pattern],
        after: &mut DeferredActions,
    ) {
        let counts = self.retention == Retention::Interest;
        let before: BTreeSet<u64> = if counts {
            self.owed_by(key).into_iter().collect()
        } else {
            BTreeSet::new()
        };
        let Some(consumer) = self.consumers.get_mut(key) else {
            return;
        };
        for filter in &consumer.config().filters {
            self.interest.remove(filter, key.index());
        }
        for filter in filters.patterns() {
            self.interest.insert(filter, key.index());
        }
        consumer.change(wanted, filters, stored, &self.log, after);
        if !counts {
            return;
        }
        let owed: BTreeSet<u64> = self.owed_by(key).into_iter().collect();
        for sequence in owed.difference(&before) {
            if let Some(message) = self.log.get_mut(*sequence) {
                message.owed += 1;
            }
        }
        self.left.extend(before.difference(&owed));
        self.release_left(MAX_RELEASED, after);
    }

    /// Begins a consumer anew at `sequence`, of a stream that keeps what is settled.
    pub(super) fn reset_consumer(
        &mut self,
        key: Key,
        filters: &Filters,
        settings: &Settings,
        sequence: u64,
        after: &mut DeferredActions,
    ) {
        let everything = [Pattern::everything()];
        let under = |others: bool| {
            if others {
                &everything[..]
            } else {
                &settings.config.subjects[..]
            }
        };
        let (stored, ever_stored) = (under(self.holds_others), under(self.held_others));
        let policy = DeliverPolicy::ByStartSequence(sequence);
        let start = Position::start(key.index(), filters, stored, ever_stored, policy, &self.log);
        if let Some(consumer) = self.consumers.get_mut(key) {
            consumer.reset(start.0, start.1, after);
        }
        self.tell_drains(after);
    }

    /// What a consumer has not settled.
    fn owed_by(&mut self, consumer: Key) -> Vec<u64> {
        let mut owed = Vec::new();
        if let Some(consumer) = self.consumers.get(consumer) {
            consumer.each_owed(&mut self.log, &mut self.interest, |sequence| {
                owed.push(sequence);
            });
        }
        owed
    }

    /// Tells those who wait for it that something may not be outstanding any more.
    pub(super) fn tell_drains(&self, after: &mut DeferredActions) {
        for (_, waiting) in &self.drains {
            after.notify(waiting);
        }
    }

    /// Removes the consumers that have ended with their last subscription.
    pub(super) fn remove_over(&mut self, after: &mut DeferredActions) {
        for key in self.consumers.keys_of(Consumer::is_over) {
            self.remove_consumer(key, after);
        }
    }

    /// Removes a consumer; those of its subscriptions that wait are woken to
    /// find that out.
    pub(super) fn remove_consumer(&mut self, key: Key, after: &mut DeferredActions) {
        let owed = match self.retention {
            Retention::Interest => self.owed_by(key),
            Retention::Limits | Retention::WorkQueue => Vec::new(),
        };
        let Some(mut consumer) = self.consumers.remove(key) else {
            return;
        };
        self.left.extend(owed);
        self.release_left(MAX_RELEASED, after);
        consumer.subscribers().wake(after);
        self.tell_drains(after);
        for filter in &consumer.config().filters {
            self.interest.remove(filter, key.index());
        }
        if let Some(name) = consumer.config().name.as_str() {
            self.names.remove(name);
        }
    }
}

/// Whether the sequences of each subject are kept: where another than the oldest message
/// of the stream may have to go.
fn keeps_sequences(config: &StreamConfig) -> bool {
    config.limits.messages_per_subject.is_some()
        || config.retention != Retention::Limits
        || config.allows_rollup()
}
