//! Publishes rows again that a stream has lost, or may have lost.
//!
//! A shard begins with this: when the relay takes it over, when the transport has connected again, and
//! when a stream confirms a sequence below an earlier one. Its new rows wait until that is done.
//!
//! First come the rows that a comparison has found to be lost, the oldest first. They keep the time of
//! their first publish, and a page of them is confirmed and marked before the next one: so a relay that
//! ends meanwhile leaves the newest ones behind, by which the next relay sees the loss again. Then come
//! the rows that were confirmed within the duplicate window, whatever the comparison says.

use std::collections::HashSet;
use std::time::Duration;

use event_sdk::transport::Error;
use jiff::Timestamp;

use super::super::failure::FailedPublish;
use super::super::job::Job;
use super::super::lanes::LaneId;
use super::{Engine, before};
use crate::TRACING_TARGET;
use crate::outbox::{OutboxRow, PublishedRow, ShardLease};

/// How often a confirmed row is published again that the server refuses, as by a missing stream.
const ATTEMPTS: u32 = 3;

/// The shards whose confirmed rows are being published again.
#[derive(Debug)]
pub(super) struct Resend {
    leases: Vec<ShardLease>,
    pub(super) stage: Stage,
    /// Failed comparisons.
    pub(super) attempts: u32,
    /// The rows that are lost.
    lost: HashSet<i64>,
}

/// How far that is.
#[derive(Debug)]
pub(super) enum Stage {
    /// The rows are compared with their streams, from this time on.
    Check { at: Duration },
    /// They are being compared.
    Checking,
    /// Rows that are lost are published.
    Lost(Page),
    /// The other rows of the duplicate window are published.
    Window(Page),
}

/// From where published rows are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    since: Timestamp,
    /// The id of the last row that was read.
    after: i64,
    /// Whether all rows were read.
    read: bool,
}

/// A confirmed row that is published again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resent {
    pub(super) published_at: Timestamp,
    /// Whether it is known that the stream does not have it.
    pub(super) is_lost: bool,
    attempts: u32,
}

impl Page {
    fn since(since: Timestamp, read: bool) -> Self {
        Self {
            since,
            after: i64::MIN,
            read,
        }
    }
}

impl Resend {
    /// The comparison has found these rows, the first of which was published at `since`.
    pub(super) fn compared(&mut self, lost: HashSet<i64>, since: Option<Timestamp>) {
        let page = Page::since(since.unwrap_or(Timestamp::MAX), lost.is_empty());
        self.stage = Stage::Lost(page);
        self.lost = lost;
    }

    pub(super) fn shards(&self) -> usize {
        self.leases.len()
    }

    fn page(&mut self) -> Option<&mut Page> {
        match &mut self.stage {
            Stage::Lost(page) | Stage::Window(page) => Some(page),
            Stage::Check { .. } | Stage::Checking => None,
        }
    }
}

impl Engine {
    pub(super) fn begin_resending(&mut self, now: Duration) {
        if self.trouble.holds(now) || self.running.resend {
            return;
        }
        if self.resend.is_none() && !self.begin_shards(now) {
            return;
        }
        let Some(resend) = &self.resend else { return };
        match resend.stage {
            Stage::Check { at } if now >= at && self.connected => {
                let shards: Vec<_> = resend.leases.iter().map(|lease| lease.shard).collect();
                let begun = self.begin_check(&shards);
                if let Some(resend) = &mut self.resend {
                    resend.stage = Stage::Checking;
                    if !begun {
                        resend.compared(HashSet::new(), None);
                        self.begin_resending(now);
                    }
                }
            }
            Stage::Check { .. } | Stage::Checking => {}
            Stage::Lost(page) => self.begin_lost(page, now),
            Stage::Window(page) if page.read => {
                if self.resent.is_empty()
                    && let Some(resend) = self.resend.take()
                {
                    self.leases.resent(&resend.leases);
                    self.lanes.doubt();
                    self.pace.rescan_now(now);
                }
            }
            Stage::Window(page) => {
                if self.lanes.queued() < self.options.batch_rows() {
                    self.fetch_page(page);
                }
            }
        }
    }

    /// Publishes lost rows: each page is confirmed and marked before the next one.
    fn begin_lost(&mut self, page: Page, now: Duration) {
        let busy = self.lanes.shards();
        if busy.iter().any(|shard| self.resends(*shard)) {
            return;
        }
        if !page.read {
            return self.fetch_page(page);
        }
        let since = before(self.clock.now(), self.options.resend_window());
        if let Some(resend) = &mut self.resend {
            resend.stage = Stage::Window(Page::since(since, !self.deduplicates));
        }
        self.begin_resending(now);
    }

    /// Begins with the shards that have to be resent and of which no row is known: one that is
    /// confirmed and not marked would be missing. The others follow.
    fn begin_shards(&mut self, now: Duration) -> bool {
        let shards = self.leases.resending();
        if shards.is_empty() {
            return false;
        }
        let busy = self.lanes.shards();
        let idle = shards.into_iter().filter(|shard| !busy.contains(shard));
        let leases: Vec<_> = idle.filter_map(|shard| self.leases.of(shard)).collect();
        if leases.is_empty() {
            return false;
        }
        self.resend = Some(Resend {
            leases,
            stage: Stage::Check { at: now },
            attempts: 0,
            lost: HashSet::new(),
        });
        true
    }

    fn fetch_page(&mut self, page: Page) {
        let Some(resend) = &self.resend else { return };
        let shards = resend.leases.iter().map(|lease| lease.shard).collect();
        self.running.resend = true;
        self.start(Job::FetchPublished {
            shards,
            since: page.since,
            after: page.after,
            limit: self.options.batch,
        });
    }

    /// When the comparison is due, if it waits.
    pub(super) fn check_at(&self) -> Option<Duration> {
        match self.resend.as_ref()?.stage {
            Stage::Check { at } if self.connected => Some(at),
            _ => None,
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
        let ending = self.ending;
        let Some(page) = resend.page() else { return };
        if (*since, *after) != (page.since, page.after) || ending {
            return;
        }
        page.read = u32::try_from(rows.len()).is_ok_and(|count| count < *limit);
        if let Some(last) = rows.last() {
            (page.since, page.after) = (last.published_at, last.row.id);
        }
        let is_lost = matches!(resend.stage, Stage::Lost(_));
        for PublishedRow {
            row, published_at, ..
        } in rows
        {
            // One whose mark is being written may be read once more.
            let is_new = !self.lanes.knows(row.id);
            let is_wanted = resend.lost.contains(&row.id) == is_lost;
            if is_new && is_wanted && row.message.is_ok() && self.leases.is_resending(row.shard) {
                let confirmed = Resent {
                    published_at,
                    is_lost,
                    attempts: 0,
                };
                self.resent.insert(row.id, confirmed);
                self.lanes.push_always(row);
            }
        }
    }

    /// Whether a confirmed row is too old to be published again: the stream would store it twice if it
    /// has it.
    pub(super) fn is_too_old(&self, row: i64) -> bool {
        let Some(resent) = self.resent.get(&row) else {
            return false;
        };
        let latest = self.options.latest_resend();
        !resent.is_lost && resent.published_at < before(self.clock.now(), latest)
    }

    /// Whether the confirmed rows of this shard are being published again.
    pub(super) fn resends(&self, shard: u16) -> bool {
        let leases = self.resend.iter().flat_map(|resend| &resend.leases);
        leases.into_iter().any(|lease| lease.shard == shard)
    }

    /// A confirmed row could not be published again: it is tried once more, or given up.
    pub(super) fn resend_failed(
        &mut self,
        lane: &LaneId,
        row: OutboxRow,
        failed: FailedPublish,
        error: &Error,
    ) {
        if failed != FailedPublish::Reject
            && let Some(resent) = self.resent.get_mut(&row.id)
            && resent.attempts < ATTEMPTS
        {
            resent.attempts += 1;
            let retry = &self.options.retry;
            let delay = retry.delay(resent.attempts, row.id.cast_unsigned());
            if let Some(delay) = delay {
                let at = self.now() + delay.min(self.options.publish_timeout);
                self.lanes.retry(lane, row, at);
                return;
            }
        }
        self.not_restored(&row, &error.to_string());
        self.resent.remove(&row.id);
        self.lanes.confirmed(lane);
        self.lanes.settled(lane, row.id);
    }

    /// A confirmed row is not published again.
    pub(super) fn not_restored(&self, row: &OutboxRow, error: &str) {
        tracing::warn!(
            target: TRACING_TARGET,
            outbox = self.store.name(),
            row = row.id,
            error,
            "a confirmed row cannot be published again; if the stream has lost it, it stays lost"
        );
    }
}
