//! Publishes rows, writes their marks, and decides what follows a failed publish.

use std::time::Duration;

use event_sdk::transport::{Error, Stored};

use super::super::breaker::{ALL, Claim};
use super::super::failure::FailedPublish;
use super::super::job::Job;
use super::super::lanes::LaneId;
use super::Engine;
use crate::TRACING_TARGET;
use crate::outbox::{ConfirmedRow, OutboxMessage, OutboxRow, ParkReason, ShardLease};

/// A publish that has ended.
#[derive(Debug)]
pub(super) struct Landed {
    lane: LaneId,
    row: OutboxRow,
    lease: ShardLease,
    /// The number of its start at the breaker.
    started: u64,
    result: Result<Stored, Error>,
}

impl Engine {
    /// Sends rows, as many as may be in flight. Without a connection they wait: the transport would
    /// send them over the next one before confirmed rows were compared with their streams.
    pub(super) fn send(&mut self, now: Duration) {
        if !self.connected {
            return;
        }
        self.lanes.end_delays(now);
        while self.flights.len() < self.options.max_in_flight
            && self.flights.len() + self.marks.unmarked() < self.options.max_unmarked()
        {
            let until = self.lease_now() + self.options.publish_timeout;
            let prefix = self.bus.prefix();
            let (leases, breaker) = (&self.leases, &mut self.breaker);
            let next = self.lanes.next(now, |row| {
                leases.lasting(row.shard, until).is_some()
                    && breaker.admit(domain_of(row, prefix), row.id, now)
            });
            let Some((lane, row)) = next else { break };
            let Some(lease) = self.leases.of(row.shard) else {
                self.lanes.parked(&lane, row.id);
                continue;
            };
            if self.is_too_old(row.id) {
                self.breaker.other(row.id);
                self.resent.remove(&row.id);
                self.not_restored(&row, "the duplicate window has passed");
                self.lanes.confirmed(&lane);
                self.lanes.settled(&lane, row.id);
                continue;
            }
            match &row.message {
                Ok(message) => {
                    let message = message.clone();
                    self.publish(lane, row, lease, message);
                }
                Err(why) => {
                    let reason = ParkReason::new("damaged", why, row.attempts);
                    self.breaker.other(row.id);
                    self.park(lane, &row, lease, reason);
                }
            }
        }
    }

    fn publish(&mut self, lane: LaneId, row: OutboxRow, lease: ShardLease, message: OutboxMessage) {
        let started = self.breaker.started();
        let subject = message.subject.as_str();
        let mut publish = self
            .raw
            .publish(subject, message.body)
            .headers(&message.headers)
            .timeout(self.options.publish_timeout);
        if self.deduplicates {
            publish = publish.message_id(message.message_id);
        }
        self.flights.push(Box::pin(async move {
            Landed {
                lane,
                row,
                lease,
                started,
                result: publish.await,
            }
        }));
    }

    pub(super) fn landed(&mut self, landed: Landed) {
        let Landed {
            lane,
            row,
            lease,
            started,
            result,
        } = landed;
        match result {
            Ok(stored) => self.stored(&lane, &row, lease, started, stored),
            Err(error) => self.failed(&lane, row, lease, &error),
        }
    }

    fn stored(
        &mut self,
        lane: &LaneId,
        row: &OutboxRow,
        lease: ShardLease,
        started: u64,
        stored: Stored,
    ) {
        let now = self.now();
        let domain = domain_of(row, self.bus.prefix());
        if self.breaker.confirmed(domain, row.id, started) {
            tracing::info!(
                target: TRACING_TARGET,
                outbox = self.store.name(),
                "the outage of the server or stream is over"
            );
            self.end_holding();
        }
        self.lanes.confirmed(lane);
        let resent = self.resent.remove(&row.id);
        if resent.is_some() {
            self.report.sent_again += 1;
            if stored.duplicate || !self.deduplicates {
                self.lanes.settled(lane, row.id);
                return;
            }
            self.report.restored += 1;
        }
        self.notice_sequence(&stored, started);
        let mut confirmed = ConfirmedRow::new(row.id, lease.shard, lease.epoch);
        let lost = resent.filter(|resent| resent.is_lost);
        confirmed.published_at = lost.map(|resent| resent.published_at);
        confirmed.stream = stored.stream;
        confirmed.sequence = stored.sequence;
        self.marks.push((lane.clone(), confirmed), now);
    }

    fn failed(&mut self, lane: &LaneId, row: OutboxRow, lease: ShardLease, error: &Error) {
        let now = self.now();
        let failed = FailedPublish::of(error.kind());
        let counts = match failed {
            FailedPublish::Reject | FailedPublish::Retry => {
                self.breaker.other(row.id);
                true
            }
            FailedPublish::OutageOfAll | FailedPublish::OutageOfDomain => {
                self.outage(failed, &row, error, now) == Claim::Counts
            }
        };
        if self.leases.of(row.shard) != Some(lease) || self.ending {
            // Another relay decides.
            self.resent.remove(&row.id);
            self.lanes.parked(lane, row.id);
        } else if self.resent.contains_key(&row.id) {
            if !self.resends(row.shard) {
                // All begins anew, as after another connection.
                self.resent.remove(&row.id);
                self.lanes.parked(lane, row.id);
            } else if counts {
                self.resend_failed(lane, row, failed, error);
            } else {
                self.lanes.retry(lane, row, now);
            }
        } else if !counts && self.leases.is_resending(row.shard) {
            // It is read again, after the confirmed rows of its shard.
            self.lanes.parked(lane, row.id);
        } else if !counts {
            // The breaker says when.
            self.lanes.retry(lane, row, now);
        } else {
            self.attempt_failed(lane, row, lease, failed, error);
        }
    }

    fn outage(
        &mut self,
        failed: FailedPublish,
        row: &OutboxRow,
        error: &Error,
        now: Duration,
    ) -> Claim {
        let domain = domain_of(row, self.bus.prefix());
        let scope = if failed == FailedPublish::OutageOfAll {
            ALL
        } else {
            domain
        };
        let claim = self.breaker.claimed(scope, row.id, now);
        if claim == Claim::Opened {
            tracing::warn!(
                target: TRACING_TARGET,
                outbox = self.store.name(),
                error = %error,
                rows = if scope == ALL { "all" } else { scope },
                "the server or a stream is away: its rows wait, and one at a time is tried"
            );
        }
        claim
    }

    fn attempt_failed(
        &mut self,
        lane: &LaneId,
        mut row: OutboxRow,
        lease: ShardLease,
        failed: FailedPublish,
        error: &Error,
    ) {
        row.attempts = row.attempts.saturating_add(1);
        let delay = match failed {
            FailedPublish::Reject => None,
            _ => self
                .options
                .retry
                .delay(row.attempts, row.id.cast_unsigned()),
        };
        if let Some(delay) = delay {
            let attempts = row.attempts;
            self.start(Job::Record {
                lease,
                row: row.id,
                attempts,
            });
            if self.leases.is_resending(row.shard) {
                // It is read again, after the confirmed rows of its shard, which must not wait for it.
                self.lanes.parked(lane, row.id);
            } else {
                let at = self.now() + delay;
                self.lanes.retry(lane, row, at);
            }
            return;
        }
        let class = if failed == FailedPublish::Reject {
            "reject"
        } else {
            "retry"
        };
        let reason = ParkReason::new(class, &error.to_string(), row.attempts);
        self.park(lane.clone(), &row, lease, reason);
    }

    /// Parks the row in flight. Its lane stays occupied until that is written.
    fn park(&mut self, lane: LaneId, row: &OutboxRow, lease: ShardLease, reason: ParkReason) {
        tracing::warn!(
            target: TRACING_TARGET,
            outbox = self.store.name(),
            row = row.id,
            class = reason.class.as_str(),
            error = reason.error.as_str(),
            attempts = reason.attempts,
            "a row cannot be published: it is parked, with its key"
        );
        self.parking.insert(row.id, lane);
        self.start(Job::Park {
            lease,
            row: row.id,
            reason,
            now: self.clock.now(),
        });
    }

    /// The park of a row is written, or another relay owns its shard.
    pub(super) fn park_done(&mut self, row: i64, valid: bool) {
        if let Some(lane) = self.parking.remove(&row) {
            self.lanes.parked(&lane, row);
            // A read that began before takes the key for one that goes on.
            self.ignore_fetch();
        }
        if valid {
            self.report.parked += 1;
        }
    }

    /// Writes marks that are due.
    pub(super) fn begin_marks(&mut self, now: Duration) {
        if self.trouble.holds(now) {
            return;
        }
        let hurry = self.ending || self.flights.is_empty();
        let batch = self.options.batch_rows();
        if let Some(rows) = self.marks.take(batch, hurry, now) {
            self.start(Job::Mark {
                rows,
                now: self.clock.now(),
            });
        }
    }

    /// Marks are written.
    pub(super) fn marked(&mut self, rows: Vec<super::super::marks::Confirmed>, written: &[i64]) {
        self.marks.written(self.now());
        let written: std::collections::HashSet<_> = written.iter().collect();
        let rows_refused = written.len() < rows.len();
        for (lane, row) in rows {
            if written.contains(&row.id) {
                self.report.published += 1;
            } else if self.leases.of(row.shard).map(|lease| lease.epoch) == Some(row.epoch) {
                tracing::warn!(
                    target: TRACING_TARGET,
                    outbox = self.store.name(),
                    row = row.id,
                    "a published row is not in the outbox any more; another program has deleted it"
                );
            }
            self.lanes.settled(&lane, row.id);
        }
        if rows_refused {
            // They may have to be read again.
            self.lanes.doubt();
        }
    }
}

/// The first token of the subject after the prefix of the bus, or of the whole subject.
pub(super) fn domain_of<'a>(row: &'a OutboxRow, prefix: &str) -> &'a str {
    let Ok(message) = &row.message else {
        return "";
    };
    let relative = message.subject.relative_to(prefix);
    let subject = relative.unwrap_or(message.subject.as_str());
    subject.split('.').next().unwrap_or(subject)
}
