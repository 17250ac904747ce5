//! Leases, cleaning, and a database that is unavailable.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::super::job::{Done, Job};
use super::{Engine, before};
use crate::outbox::Membership;
use crate::{StoreError, StoreErrorKind, TRACING_TARGET};

/// The delay after the first failure of the store.
const FIRST_DELAY: Duration = Duration::from_millis(50);

/// The longest delay between two attempts at the store.
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// While rows wait to be published, the cleaner waits after each batch for this many times the duration of
/// the batch.
const CLEANS_RARELY: u32 = 3;

/// The shortest pause of the cleaner.
const CLEAN_PAUSE: Duration = Duration::from_millis(20);

/// A store that fails: since when nothing begins, and until when.
#[derive(Debug, Default)]
pub(super) struct StoreTrouble {
    delay: Duration,
    retry_at: Option<Duration>,
}

impl StoreTrouble {
    /// Whether nothing may begin now.
    pub(super) fn holds(&self, now: Duration) -> bool {
        self.retry_at.is_some_and(|at| now < at)
    }

    pub(super) fn retry_at(&self) -> Option<Duration> {
        self.retry_at
    }

    /// Returns whether this is the first failure.
    fn failed(&mut self, now: Duration) -> bool {
        let first = self.retry_at.is_none();
        if first {
            self.delay = FIRST_DELAY;
        } else if !self.holds(now) {
            self.delay = (self.delay * 2).min(LONGEST_DELAY);
        }
        self.retry_at = Some(now + self.delay);
        first
    }

    /// Returns whether this ends a series of failures.
    fn succeeded(&mut self) -> bool {
        self.retry_at.take().is_some()
    }
}

impl Engine {
    /// Checks the tables; a database that is unavailable is asked again. Returns `false` if `stop`
    /// came first.
    pub(super) async fn check_schema(
        &mut self,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<bool, StoreError> {
        loop {
            let checked = tokio::select! {
                biased;
                () = &mut stop => return Ok(false),
                checked = self.store.check_schema() => checked,
            };
            match checked {
                Ok(()) => return Ok(true),
                Err(error) if ends_relay(&error) => return Err(error),
                Err(error) => self.store_failed(&error),
            }
            let until = self.trouble.retry_at().unwrap_or_default();
            tokio::select! {
                biased;
                () = &mut stop => return Ok(false),
                () = self.clock.sleep_until(until) => {}
            }
        }
    }

    pub(super) fn begin_upkeep(&mut self, now: Duration) {
        if self.trouble.holds(now) {
            return;
        }
        if !self.running.leases && now >= self.renew_at {
            self.running.leases = true;
            let sent = self.lease_now();
            self.start(Job::Renew { sent });
        }
        self.begin_give_back();
        if !self.ending && !self.running.clean && now >= self.clean_at {
            self.running.clean = true;
            if now < self.cleaner_until {
                self.begin_clean(true);
            } else {
                self.start(Job::ClaimCleaning);
            }
        }
    }

    /// Jobs that failed and have to succeed begin again.
    pub(super) fn begin_again(&mut self, now: Duration) {
        if !self.trouble.holds(now) {
            while let Some(job) = self.again.pop_front() {
                self.start(job);
            }
        }
    }

    /// Gives shards back that another relay shall have, when none of their rows is in flight.
    fn begin_give_back(&mut self) {
        if self.running.giving_back {
            return;
        }
        let leaving = self.leases.leaving().into_iter();
        let idle: Vec<_> = leaving
            .filter(|lease| !self.lanes.has_shard(lease.shard))
            .collect();
        if !idle.is_empty() {
            self.running.giving_back = true;
            self.start(Job::GiveBack(idle));
        }
    }

    fn renewed(&mut self, membership: &Membership, sent: Duration) {
        let renewed = self.leases.renewed(membership, sent);
        for shard in &renewed.lost {
            tracing::warn!(
                target: TRACING_TARGET,
                outbox = self.store.name(),
                relay = %self.id,
                shard,
                "another relay has taken over a shard, because its lease had ended"
            );
            self.forget_shard(*shard);
        }
        for shard in &renewed.surplus {
            self.forget_shard(*shard);
        }
        if renewed.wanted > 0 && !self.ending {
            let sent = self.lease_now();
            self.start(Job::Claim {
                at_most: renewed.wanted,
                sent,
            });
        } else {
            self.running.leases = false;
        }
        self.renew_at = self.now() + self.options.lease / 3;
    }

    fn forget_shard(&mut self, shard: u16) {
        self.lanes.forget_unsent(Some(shard));
        let lanes = &self.lanes;
        self.resent.retain(|row, _| lanes.knows(*row));
    }

    pub(super) fn job_done(&mut self, job: Job, result: Result<Done, StoreError>) {
        let done = match result {
            Ok(done) => done,
            Err(error) => return self.job_failed(job, error),
        };
        if self.trouble.succeeded() {
            tracing::info!(
                target: TRACING_TARGET,
                outbox = self.store.name(),
                "the database answers again"
            );
        }
        match (job, done) {
            (Job::Renew { sent }, Done::Renewed(membership)) => self.renewed(&membership, sent),
            (Job::Claim { sent, .. }, Done::Claimed(leases)) => {
                self.running.leases = false;
                if !leases.is_empty() {
                    self.ignore_fetch();
                    self.lanes.doubt();
                }
                self.leases.claimed(&leases, sent);
            }
            (Job::GiveBack(leases), _) => {
                self.running.giving_back = false;
                for lease in leases {
                    self.leases.remove(lease.shard);
                }
            }
            (Job::FetchDue { .. }, Done::Rows(rows)) => self.fetched_due(rows),
            (job @ Job::Refill { .. }, Done::Rows(rows)) => self.refilled(&job, rows),
            (job, Done::Looked(rows, settled)) => self.fetched(&job, rows, settled),
            (job, Done::Published(rows)) => self.fetched_published(&job, rows),
            (Job::Look { .. }, Done::Work(work)) => self.looked(work),
            (Job::Mark { rows, .. }, Done::Marked(written)) => self.marked(rows, &written),
            (Job::Park { row, .. }, Done::Fenced(valid)) => self.park_done(row, valid),
            (job @ Job::ParkBehind { .. }, Done::Count(moved)) => self.moved_behind(&job, moved),
            (job, Done::Released(release)) => self.released(&job, release),
            (Job::ClaimCleaning, Done::Cleaner(cleaner)) => {
                self.cleaner_until = self.now() + self.options.lease / 3;
                self.begin_clean(cleaner);
            }
            (Job::Clean { limit, began, .. }, Done::Count(rows)) => {
                self.cleaned(rows, limit, began);
            }
            _ => {}
        }
    }

    fn begin_clean(&mut self, cleaner: bool) {
        if !cleaner || self.ending {
            self.running.clean = false;
            self.clean_at = self.now() + self.options.lease;
            return;
        }
        self.start(Job::Clean {
            before: before(self.clock.now(), self.options.keep_published),
            limit: self.options.clean_batch,
            began: self.now(),
        });
    }

    fn cleaned(&mut self, rows: u64, limit: u32, began: Duration) {
        self.running.clean = false;
        self.report.cleaned += rows;
        let pause = if rows >= u64::from(limit) {
            // There is more to delete. Rows that wait to be published are more urgent.
            let is_behind =
                self.lanes.has_rest() || self.lanes.queued() >= self.options.batch_rows();
            let took = self.now().saturating_sub(began);
            let pause = took.saturating_mul(if is_behind { CLEANS_RARELY } else { 1 });
            pause.max(CLEAN_PAUSE)
        } else {
            (self.options.keep_published / 100)
                .clamp(Duration::from_millis(100), Duration::from_secs(60))
        };
        self.clean_at = self.now() + pause;
    }

    fn job_failed(&mut self, job: Job, error: StoreError) {
        match &job {
            Job::Renew { .. } | Job::Claim { .. } => self.running.leases = false,
            Job::Fetch { .. } | Job::FetchBelow { .. } => {
                self.fetch_ended(&job);
            }
            Job::Refill { .. } => self.refill_failed(&job),
            Job::FetchDue { .. } => self.running.due = false,
            Job::FetchPublished { .. } => self.running.resend = false,
            Job::Look { .. } => self.running.look = false,
            // The rows lie below the position now.
            Job::ParkBehind { .. } => self.moved_behind(&job, 0),
            Job::Release { entry, .. } => self.release_ended(entry),
            Job::ClaimCleaning | Job::Clean { .. } => self.running.clean = false,
            Job::GiveBack(_) | Job::Mark { .. } | Job::Record { .. } | Job::Park { .. } => {}
        }
        if ends_relay(&error) {
            self.fatal.get_or_insert(error);
            return;
        }
        self.store_failed(&error);
        if job.must_succeed() {
            self.again.push_back(job);
        }
    }

    pub(super) fn store_failed(&mut self, error: &StoreError) {
        let now = self.now();
        if self.trouble.failed(now) {
            let source = std::error::Error::source(error).map(ToString::to_string);
            tracing::warn!(
                target: TRACING_TARGET,
                outbox = self.store.name(),
                kind = ?error.kind(),
                error = %error,
                source = source.as_deref().unwrap_or_default(),
                "the database of the outbox fails: the relay waits, and tries again"
            );
        }
    }

    /// Gives everything back.
    pub(super) async fn leave(&mut self, end_at: Duration) {
        let at_least = self.now() + Duration::from_secs(1);
        let left = tokio::select! {
            biased;
            left = self.store.leave(self.id) => left,
            () = self.clock.sleep_until(end_at.max(at_least)) => return,
        };
        if let Err(error) = left {
            tracing::warn!(
                target: TRACING_TARGET,
                outbox = self.store.name(),
                error = %error,
                "the shards could not be given back; others take them over when the leases end"
            );
        }
    }
}

/// Whether the relay cannot go on.
pub(super) fn ends_relay(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        StoreErrorKind::SchemaMissing
            | StoreErrorKind::SchemaOlder
            | StoreErrorKind::SchemaNewer
            | StoreErrorKind::SchemaDrift
            | StoreErrorKind::PermissionDenied
            | StoreErrorKind::InvalidOption
    )
}
