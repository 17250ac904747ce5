//! `Consumer`: position, unsettled deliveries, redelivery with backoff, nak with delay, max
//! deliver and max ack pending.

mod ending;
mod steering;
mod stored;

pub(super) use self::stored::StoredConsumer;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::ack_pending::ConnectionId;
use super::deferred_actions::DeferredActions;
use super::filters::Filters;
use super::interest::Interest;
use super::log::{Log, Message};
use super::notices::{Notices, one};
use super::pending::{Handler, HandlerId, Pending};
use super::position::{Position, Read};
use super::reporter::Reporter;
use super::retention_ledger::RetentionLedger;
use super::slab::Key;
use super::subjects::Entry;
use super::subscribers::Subscribers;
use event_sdk_core::subject::Pattern;
use event_sdk_core::transport::{
    AckPolicy, AdvisoryKind, ConsumerConfig, ConsumerInfo, ConsumerName, Exhausted, Gap,
    NoticeKind, Settlement,
};

/// A consumer of a stream.
#[derive(Debug)]
pub(super) struct Consumer {
    config: ConsumerConfig,
    position: Position,
    pending: Pending,
    /// Number of deliveries.
    deliveries: u64,
    notices: Notices,
    subscribers: Subscribers,
    /// Connections that are drained, whose deliveries can still be settled.
    draining: Vec<ConnectionId>,
    /// What it still owes its stream, where that keeps messages until they are settled.
    ledger: Option<RetentionLedger>,
    reporter: Arc<Reporter>,
    /// The time at which its pause ends, by both clocks.
    paused: Option<(Timestamp, Duration)>,
}

/// What a consumer has for the subscription that asks.
#[derive(Debug)]
pub(super) enum Item<'a> {
    /// A message.
    Delivery(Delivery<'a>),
    /// Something beside the messages.
    Notice(NoticeKind),
}

/// A message on its way to a subscription.
#[derive(Debug)]
pub(super) struct Delivery<'a> {
    pub(super) sequence: u64,
    pub(super) message: &'a Message,
    pub(super) subject: &'a Entry,
    /// Which delivery of it this is, from one.
    pub(super) attempt: u32,
    /// Which delivery of the consumer this is, from one.
    pub(super) number: u64,
    /// How many messages there are for a first delivery after it.
    pub(super) unread: u64,
}

impl Consumer {
    /// A consumer; `owes` says whether its stream keeps messages until they are settled.
    pub(super) fn new(
        config: ConsumerConfig,
        position: Position,
        gap: Option<Gap>,
        owes: bool,
        reporter: Arc<Reporter>,
    ) -> Self {
        let mut notices = Notices::default();
        if let Some(gap) = gap {
            notices.unread(gap);
        }
        Self {
            config,
            position,
            pending: Pending::new(),
            deliveries: 0,
            notices,
            subscribers: Subscribers::new(),
            draining: Vec::new(),
            ledger: owes.then(RetentionLedger::default),
            reporter,
            paused: None,
        }
    }

    pub(super) fn config(&self) -> &ConsumerConfig {
        &self.config
    }

    /// It becomes another, and stays where it is.
    pub(super) fn change(
        &mut self,
        wanted: ConsumerConfig,
        filters: &Filters,
        stored: &[Pattern],
        log: &Log,
        after: &mut DeferredActions,
    ) {
        if self.config.filters != wanted.filters {
            self.position.change_filters(filters, stored, log);
        }
        let deliver = self.config.deliver;
        self.config = wanted;
        self.config.deliver = deliver;
        self.pass_on(after);
    }

    /// What it is, and where.
    pub(super) fn info(&self, log: &Log, now: Duration) -> ConsumerInfo {
        let mut info = ConsumerInfo::new(self.config.clone());
        info.delivered = self.position.read_to(log);
        info.deliveries = self.deliveries;
        let unsettled = self.pending.sequences().chain(self.position.first_left());
        info.acknowledged = unsettled.min().map_or(info.delivered, |first| {
            info.delivered.min(first.saturating_sub(1))
        });
        info.ack_pending = self.pending.len() as u64;
        let attempts = self.pending.sequences().filter_map(|sequence| {
            let delivery = self.pending.get(sequence)?;
            Some(delivery.attempt)
        });
        info.redelivered = attempts.filter(|attempt| *attempt > 1).count() as u64;
        info.pending = self.unread();
        info.paused_until = self.paused_until(now);
        info
    }

    /// Its stream stores other subjects from now on.
    pub(super) fn stream_stores(&mut self, subjects: &[Pattern]) {
        self.position.stream_stores(&self.config.filters, subjects);
    }

    /// Whether deliveries are settled.
    fn acknowledges(&self) -> bool {
        self.config.ack != AckPolicy::None
    }

    /// Whether it has something to deliver, or something unsettled.
    pub(super) fn has_some(&self) -> bool {
        self.unread() > 0 || self.pending.len() > 0
    }

    /// How many messages it has still to deliver for the first time.
    fn unread(&self) -> u64 {
        self.position.unread()
    }

    pub(super) fn subscribers(&mut self) -> &mut Subscribers {
        &mut self.subscribers
    }

    /// Whether it is to read a message that is stored for it under this sequence.
    pub(super) fn would_read(&self, sequence: u64, stored_at: Timestamp) -> bool {
        self.position.would_read(sequence, stored_at)
    }

    /// A message for it was stored. Whether it is to read that.
    pub(super) fn stored(
        &mut self,
        sequence: u64,
        stored_at: Timestamp,
        after: &mut DeferredActions,
    ) -> bool {
        if !self.position.stored(sequence, stored_at) {
            return false;
        }
        if self.subscribers.any_waiting() && !self.is_full() {
            self.subscribers.wake(after);
        }
        true
    }

    /// A message for it was dropped.
    pub(super) fn dropped(&mut self, sequence: u64, after: &mut DeferredActions) {
        let known = !self.notices.is_empty();
        if self.position.dropped(sequence) {
            self.notices.unread(one(sequence));
        } else if self.pending.message_dropped(sequence) {
            self.notices.unsettled(sequence);
        } else {
            if let Some(ledger) = &mut self.ledger {
                ledger.dropped(sequence);
            }
            return;
        }
        if !known {
            self.subscribers.wake(after);
        }
    }

    /// Delivers the next item to `subscriber`, a subscription of `to`: one item, or up to `most`
    /// messages if deliveries are not settled. `take` returns the handler of a message.
    /// Returns whether it has found nothing and not yet looked at everything.
    pub(super) fn deliver(
        &mut self,
        (log, interest): (&mut Log, &mut Interest),
        now: Duration,
        (subscriber, to): (Key, ConnectionId),
        most: usize,
        after: &mut DeferredActions,
        mut take: impl FnMut(Item<'_>) -> Option<Handler>,
    ) -> bool {
        self.expire(log, now, after);
        if let Some(notice) = self.notices.next() {
            take(Item::Notice(notice));
            return false;
        }
        if !self.acknowledges() {
            let (ledger, deliveries) = (&mut self.ledger, &mut self.deliveries);
            return self.position.read(log, interest, most, |read| {
                if let Some(ledger) = ledger {
                    ledger.taken(subscriber, read.sequence);
                }
                *deliveries += 1;
                take(Item::Delivery(Delivery::first(&read, *deliveries)));
            });
        }
        while let Some((sequence, attempt)) = self.pending.next_due() {
            let deadline = self.deadline(attempt, now);
            self.pending.redelivered(sequence, deadline, to);
            // Its handler settles this delivery too.
            if self.pending.is_running(sequence, subscriber) {
                continue;
            }
            if let Some((message, subject)) = log.get(sequence) {
                self.deliveries += 1;
                let handler = take(Item::Delivery(Delivery {
                    sequence,
                    message,
                    subject,
                    attempt,
                    number: self.deliveries,
                    unread: self.unread(),
                }));
                self.pending.handled_by(sequence, subscriber, handler);
                return false;
            }
        }
        if self.is_full() {
            return false;
        }
        let deadline = self.deadline(1, now);
        let (pending, deliveries) = (&mut self.pending, &mut self.deliveries);
        self.position.read(log, interest, 1, |read| {
            let sequence = read.sequence;
            pending.deliver(sequence, deadline, to);
            *deliveries += 1;
            let handler = take(Item::Delivery(Delivery::first(&read, *deliveries)));
            pending.handled_by(sequence, subscriber, handler);
        })
    }

    /// Settles a delivery, as `handler` does; one that is settled stays so.
    pub(super) fn settle(
        &mut self,
        (sequence, handler): (u64, HandlerId),
        settlement: &Settlement,
        log: &Log,
        now: Duration,
        after: &mut DeferredActions,
    ) {
        match settlement {
            Settlement::Nak(delay) => {
                self.pending.let_go(sequence, handler);
                self.put_back(sequence, *delay, log, now, after);
            }
            Settlement::InProgress => {
                if let Some(delivery) = self.pending.get(sequence) {
                    let deadline = self.deadline(delivery.attempt, now);
                    self.pending.extend(sequence, deadline);
                }
            }
            Settlement::Ack
            | Settlement::AckConfirmed
            | Settlement::Term(_)
            | Settlement::TermConfirmed(_) => {
                if let (
                    Settlement::Term(reason) | Settlement::TermConfirmed(reason),
                    Some(delivery),
                ) = (settlement, self.pending.get(sequence))
                {
                    let (kind, attempt) = (AdvisoryKind::Terminated, delivery.attempt);
                    let reporter = &self.reporter;
                    after.report(reporter.report(kind, sequence, attempt, Some(reason)));
                }
                if self.config.ack == AckPolicy::All {
                    let lower = self.pending.sequences().take_while(|at| *at < sequence);
                    for lower in lower.collect::<Vec<_>>() {
                        self.settle_for_good(lower);
                    }
                }
                self.settle_for_good(sequence);
            }
        }
        self.expire(log, now, after);
        self.pass_on(after);
    }

    /// It is not delivered again.
    fn settle_for_good(&mut self, sequence: u64) {
        let waited = self.pending.settle(sequence);
        if let Some(ledger) = &mut self.ledger
            && (waited || ledger.settled_late(sequence))
        {
            ledger.settled(sequence);
        }
    }

    /// A subscription has delivered what it took, but for the last `unread`: where
    /// nothing is acknowledged, that settles it.
    pub(super) fn handed_out(&mut self, subscriber: Key, unread: usize) {
        if let Some(ledger) = &mut self.ledger {
            ledger.handed_out(subscriber, unread);
        }
    }

    /// One that was settled and that the stream is to be told; none twice.
    pub(super) fn next_settled(&mut self) -> Option<u64> {
        self.ledger.as_mut()?.next_settled()
    }

    /// What it has not settled, of a stream that keeps messages until they are.
    pub(super) fn each_owed(
        &self,
        log: &mut Log,
        interest: &mut Interest,
        mut each: impl FnMut(u64),
    ) {
        self.position.each_unread(log, interest, &mut each);
        self.pending.sequences().for_each(&mut each);
        self.ledger
            .iter()
            .flat_map(RetentionLedger::left)
            .for_each(each);
    }

    /// A subscription has ended; it had taken `unread` and not handed it out.
    pub(super) fn leave(
        &mut self,
        subscriber: Key,
        unread: impl Iterator<Item = u64>,
        log: &Log,
        after: &mut DeferredActions,
    ) {
        for sequence in unread {
            if log.messages().get(sequence).is_some() {
                self.position.give_back(sequence);
            } else {
                self.notices.unread(one(sequence));
            }
        }
        if let Some(ledger) = &mut self.ledger {
            ledger.ended(subscriber);
        }
        self.subscribers.leave(subscriber, after);
        self.pass_on(after);
    }

    /// Whether it ends when its last subscription does, and that has ended.
    pub(super) fn is_over(&self) -> bool {
        self.subscribers.is_empty()
            && self.draining.is_empty()
            && !matches!(self.config.name, ConsumerName::Durable(_))
    }

    /// The next deadline, at which something changes without a call.
    pub(super) fn next_alarm(&mut self) -> Option<Duration> {
        self.pending.next_alarm()
    }

    /// Wakes waiting subscriptions if a message is available, otherwise re-arms their timers for
    /// the next deadline.
    pub(super) fn pass_on(&mut self, after: &mut DeferredActions) {
        if !self.subscribers.any_waiting() {
            return;
        }
        let available = !self.notices.is_empty()
            || self.pending.any_due()
            || (self.position.unread() > 0 && !self.is_full());
        if available {
            self.subscribers.wake(after);
        } else if let Some(alarm) = self.pending.next_alarm() {
            self.subscribers.watch(alarm, after);
        }
    }

    /// Whether as many deliveries are unsettled as may be.
    fn is_full(&self) -> bool {
        self.config.max_ack_pending.is_some_and(|max| {
            usize::try_from(max.get()).is_ok_and(|max| self.pending.len() >= max)
        })
    }

    /// Looks for deliveries whose wait has ended.
    fn expire(&mut self, log: &Log, now: Duration, after: &mut DeferredActions) {
        while let Some(expired) = self.pending.next_expired(now) {
            self.came_back(expired.sequence, log, after);
        }
    }

    fn put_back(
        &mut self,
        sequence: u64,
        delay: Duration,
        log: &Log,
        now: Duration,
        after: &mut DeferredActions,
    ) {
        let Some(delivery) = self.pending.get(sequence) else {
            return;
        };
        let (dropped, attempt) = (delivery.dropped, delivery.attempt);
        if delay.is_zero() || dropped || self.is_last(attempt) {
            self.came_back(sequence, log, after);
        } else {
            self.pending.rest(sequence, now.saturating_add(delay));
        }
    }

    /// A delivery was not handled: it is due again, or that was the last one.
    fn came_back(&mut self, sequence: u64, log: &Log, after: &mut DeferredActions) {
        let Some(delivery) = self.pending.get(sequence) else {
            return;
        };
        let Some((_, subject)) = log.get(sequence) else {
            self.pending.settle(sequence);
            self.notices.unsettled(sequence);
            return;
        };
        if self.is_last(delivery.attempt) {
            self.pending.settle(sequence);
            if let Some(ledger) = &mut self.ledger {
                ledger.exhausted(sequence);
            }
            let (kind, attempts) = (AdvisoryKind::MaxDeliveries, delivery.attempt);
            after.report(self.reporter.report(kind, sequence, attempts, None));
            self.notices.exhausted(Exhausted {
                subject: Some(subject.subject().clone()),
                sequence,
                attempts: delivery.attempt,
            });
        } else {
            self.pending.make_due(sequence);
        }
    }

    fn is_last(&self, attempt: u32) -> bool {
        self.config
            .max_deliver
            .is_some_and(|max| attempt >= max.get())
    }

    fn deadline(&self, attempt: u32, now: Duration) -> Duration {
        now.saturating_add(self.config.wait_of_attempt(attempt))
    }
}

impl<'a> Delivery<'a> {
    /// The first delivery of a message.
    fn first(read: &Read<'a>, number: u64) -> Self {
        Self {
            sequence: read.sequence,
            message: read.message,
            subject: read.subject,
            attempt: 1,
            number,
            unread: read.unread,
        }
    }
}
