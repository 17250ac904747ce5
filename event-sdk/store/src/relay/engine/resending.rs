//! Publishes rows again that were confirmed lately, since the stream may have lost them.
//!
//! A shard begins with this: when the relay takes it over, and when the transport has connected again.
//! Its new rows wait until that is done.

use std::time::Duration;

use event_sdk::transport::Error;

use super::super::job::Job;
use super::{Engine, before};
use crate::TRACING_TARGET;
use crate::outbox::{OutboxRow, PublishedRow};

/// The shards whose confirmed rows are being published again.
#[derive(Debug)]
pub(super) struct Resend {
    shards: Vec<u16>,
    since: jiff::Timestamp,
    /// The id of the last row that was read.
    after: i64,
    /// Whether all rows were read.
    read: bool,
}

impl Engine {
    /// After a new connection, the stream may be another one.
    pub(super) fn notice_connection(&mut self) {
        let connections = self.bus.transport().connections();
        if connections == self.connections {
            return;
        }
        self.connections = connections;
        self.debug("the transport has connected again: rows confirmed lately are published again");
        self.resend_all();
    }

    fn resend_all(&mut self) {
        self.ignore_fetch();
        self.lanes.forget_unsent(None);
        let lanes = &self.lanes;
        self.resent.retain(|row| lanes.knows(*row));
        self.leases.resend_all();
        self.resend = None;
    }

    pub(super) fn begin_resending(&mut self, now: Duration) {
        if self.trouble.holds(now) || self.running.resend {
            return;
        }
        if self.resend.is_none() {
            let shards = self.leases.resending();
            // Rows that are confirmed and not marked would be missing.
            if shards.is_empty() || shards.iter().any(|shard| self.lanes.has_shard(*shard)) {
                return;
            }
            let window = self.options.resend_window();
            let since = before(self.clock.now(), window);
            self.resend = Some(Resend {
                shards,
                since,
                after: i64::MIN,
                read: !self.deduplicates,
            });
        }
        let Some(resend) = &self.resend else { return };
        if resend.read {
            if self.resent.is_empty() {
                let shards = resend.shards.clone();
                self.resend = None;
                self.leases.resent(&shards);
                self.pace.rescan_now(now);
            }
        } else if self.lanes.queued() < self.options.batch_rows() {
            self.running.resend = true;
            self.start(Job::FetchPublished {
                shards: resend.shards.clone(),
                since: resend.since,
                after: resend.after,
                limit: self.options.batch,
            });
        }
    }

    pub(super) fn fetched_published(&mut self, job: &Job, rows: Vec<PublishedRow>) {
        self.running.resend = false;
        let (
            Job::FetchPublished {
                limit,
                since,
                after,
                ..
            },
            Some(resend),
        ) = (job, &mut self.resend)
        else {
            return;
        };
        if (*since, *after) != (resend.since, resend.after) || self.ending {
            return;
        }
        resend.read = u32::try_from(rows.len()).is_ok_and(|count| count < *limit);
        if let Some(last) = rows.last() {
            (resend.since, resend.after) = (last.published_at, last.row.id);
        }
        for PublishedRow { row, .. } in rows {
            // One whose mark is being written may be read once more.
            let is_new = !self.lanes.knows(row.id);
            if is_new && row.message.is_ok() && self.leases.is_resending(row.shard) {
                self.resent.insert(row.id);
                self.lanes.push(row);
            }
        }
    }

    /// A confirmed row could not be published again.
    pub(super) fn not_restored(&self, row: &OutboxRow, error: &Error) {
        tracing::warn!(
            target: TRACING_TARGET,
            outbox = self.store.name(),
            row = row.id,
            error = %error,
            "a confirmed row cannot be published again; if the stream has lost it, it stays lost"
        );
    }
}
