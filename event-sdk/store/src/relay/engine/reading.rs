//! Reads new, late, scheduled and parked rows.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use super::super::job::Job;
use super::super::lanes::{BegunRefill, LaneId};
use super::super::pace::Look;
use super::Engine;
use super::sending::domain_of;
use crate::outbox::{
    Ahead, Except, KeyPosition, OutboxRow, ParkedEntry, PendingWork, Release, ShardPosition,
};

/// The time between two reads of a row that an outage holds.
const HELD_PROBE: Duration = Duration::from_secs(5);

/// Rows of a parked key that are moved in one transaction.
const PARK_BATCH: u32 = 500;

impl Engine {
    pub(super) fn begin_reading(&mut self, now: Duration) {
        if self.trouble.holds(now) {
            return;
        }
        self.begin_refill(now);
        self.begin_fetch(now);
        if !self.running.look && now >= self.look_at {
            let shards = self.leases.readable();
            if shards.is_empty() {
                self.look_at = now + self.options.idle_poll;
            } else {
                self.running.look = true;
                let now = self.clock.now();
                self.start(Job::Look { shards, now });
            }
        }
    }

    /// Whether rows may be read now: few of those that are known can be sent.
    fn wants_rows(&self) -> bool {
        self.running.fetch.is_none()
            && self.lanes.sendable() + self.lanes.hungry() < self.options.batch_rows()
            && self.lanes.queued() < self.options.max_queued()
            && self.lanes.count() < self.options.max_lanes()
            && self.marks.unmarked() < self.options.max_unmarked()
            && !self.waits_for_probe()
    }

    /// Whether an outage of everything holds up reading: only while there is a row to try with.
    fn waits_for_probe(&self) -> bool {
        self.breaker.all_wait() && self.lanes.queued() > 0
    }

    /// When the next read is due.
    pub(super) fn fetch_at(&self) -> Option<Duration> {
        (self.leases.has_readable() && self.wants_rows()).then(|| self.pace.next_at())
    }

    fn begin_fetch(&mut self, now: Duration) {
        let Some(look) = self.pace.due(now) else {
            return;
        };
        if self.running.fetch.is_none()
            && self.lanes.queued() >= self.options.max_queued()
            && self.lanes.sendable() < self.options.batch_rows()
        {
            self.lanes.trim();
        }
        if !self.wants_rows() {
            return;
        }
        // Only a look below needs it.
        let except = if look == Look::Below {
            self.except()
        } else {
            Except::default()
        };
        let whole = look == Look::Below && except == Except::default();
        if look == Look::Below {
            if self.pace.all_due(now) {
                self.lanes.doubt();
            }
            self.lanes.begin_look();
            // This look leaves out rows that are being moved, so it raises no floor of their shards.
            for (shard, _) in self.running.behind.keys() {
                self.lanes.unread(*shard, self.lanes.floor(*shard));
            }
        }
        let (lanes, leases) = (&self.lanes, &mut self.leases);
        if whole {
            leases.rewind(|shard| lanes.floor(shard));
        }
        let positions = leases.positions(|shard| lanes.floor(shard));
        if positions.is_empty() {
            return;
        }
        let limit = self.options.batch;
        let doubts = self.lanes.doubts();
        self.running.fetch = Some(self.generation);
        self.start(match look {
            Look::Below if !whole => Job::FetchBelow {
                positions,
                except,
                limit,
                began: now,
                generation: self.generation,
                doubts,
            },
            _ => Job::Fetch {
                positions,
                limit,
                began: now,
                generation: self.generation,
                whole,
                doubts,
            },
        });
    }

    /// What need not be read below the positions: known rows, keys whose rest is read by itself, and
    /// keys whose rows are being moved.
    fn except(&self) -> Except {
        let mut keys = self.lanes.rests();
        let moving = self.running.behind.keys();
        keys.extend(moving.map(|(_, key)| key.as_str().into()));
        Except {
            rows: self.lanes.known(),
            keys,
        }
    }

    /// A read has returned. `Job` is the one that began it. All rows below `settled` were visible to it.
    pub(super) fn fetched(&mut self, job: &Job, rows: Vec<OutboxRow>, settled: i64) {
        let now = self.now();
        if !self.fetch_ended(job) || self.ending || self.is_outdated(job) {
            return;
        }
        let count = rows.len();
        match *job {
            Job::Fetch {
                limit,
                began,
                whole,
                doubts,
                ref positions,
                ..
            } => {
                let full = is_full(count, limit);
                if self.take_rows(rows) {
                    self.pace.rescan_now(now);
                } else if whole {
                    let took = now.saturating_sub(began);
                    self.looked_below(positions, (settled, doubts), took, now);
                    self.pace.looked_below(false, took, now);
                }
                self.pace.looked(count, full, now);
            }
            Job::FetchBelow {
                limit,
                began,
                doubts,
                ref positions,
                ..
            } => {
                self.take_rows(rows);
                let (full, took) = (is_full(count, limit), now.saturating_sub(began));
                if !full {
                    self.looked_below(positions, (settled, doubts), took, now);
                }
                self.pace.looked_below(full, took, now);
            }
            _ => {}
        }
    }

    /// All rows between floors and positions were read: the floors rise.
    fn looked_below(
        &mut self,
        positions: &[ShardPosition],
        (settled, doubts): (i64, u64),
        took: Duration,
        now: Duration,
    ) {
        // These rows may become ready before the relay has the answer.
        for ((shard, _), lowest) in &self.running.behind {
            self.lanes.unread(*shard, *lowest);
        }
        for (parked, shard) in &self.running.releases {
            self.lanes.unread(*shard, *parked);
        }
        self.lanes.settle(positions, settled, doubts);
        if positions.iter().any(|position| position.floor == i64::MIN) {
            self.pace.looked_at_all(took, now);
        }
    }

    /// A read has ended. Returns whether its result still counts: the positions were not set back since.
    pub(super) fn fetch_ended(&mut self, job: &Job) -> bool {
        let (Job::Fetch { generation, .. } | Job::FetchBelow { generation, .. }) = *job else {
            return false;
        };
        let current = self.running.fetch == Some(generation);
        if current {
            self.running.fetch = None;
        }
        current
    }

    /// Whether a read has to be repeated, because a floor has fallen since it began.
    fn is_outdated(&self, job: &Job) -> bool {
        match job {
            Job::Fetch { positions, .. } | Job::FetchBelow { positions, .. } => {
                self.lanes.has_lower_floor(positions)
            }
            _ => false,
        }
    }

    /// The positions were set back: the result of a read that runs is ignored.
    pub(super) fn ignore_fetch(&mut self) {
        self.generation += 1;
        self.running.fetch = None;
        self.running.refill = None;
    }

    /// Takes rows that were read. Returns whether a row of some key lies below the position.
    fn take_rows(&mut self, rows: Vec<OutboxRow>) -> bool {
        let mut late = false;
        for row in rows {
            if !self.leases.is_readable(row.shard) {
                continue;
            }
            self.leases.advance(row.shard, row.id);
            match row.ahead {
                Ahead::Parked => self.move_behind(&row),
                Ahead::Unpublished if !self.lanes.has_lane_of(&row) => late = true,
                Ahead::Unpublished | Ahead::Nothing => self.take(row),
            }
        }
        late
    }

    /// Takes a row. Rows that wait for the end of an outage do not take the room of others.
    fn take(&mut self, row: OutboxRow) {
        let is_full = self.lanes.queued() >= self.options.batch_rows();
        if is_full && self.breaker.waits(domain_of(&row, self.bus.prefix())) {
            if !self.lanes.holds() {
                self.probe_at = self.now() + HELD_PROBE;
            }
            self.lanes.hold(row);
        } else {
            self.lanes.push(row);
        }
    }

    /// An outage is over: the rows that it held are read.
    pub(super) fn end_holding(&mut self) {
        if self.lanes.holds() {
            self.lanes.end_holding();
            self.pace.rescan_now(self.now());
        }
    }

    /// Reads the rest of keys whose queues have room.
    fn begin_refill(&mut self, now: Duration) {
        if self.lanes.holds() && now >= self.probe_at {
            self.probe_at = now + HELD_PROBE;
            self.lanes.end_one_hold();
            self.pace.rescan_now(now);
        }
        let is_full = self.lanes.queued() >= self.options.max_queued();
        if self.running.refill.is_some() || is_full {
            return;
        }
        let most = self.options.batch_rows();
        let BegunRefill {
            keys,
            known,
            of_each,
        } = self.lanes.begin_refill(most);
        if !keys.is_empty() {
            // A read from the positions on may run at the same time: the two share no row.
            let keys = keys.into_iter().map(|(shard, key, from)| KeyPosition {
                shard,
                key,
                from,
                below: self.leases.position(shard),
            });
            let keys = keys.collect();
            self.running.refill = Some(self.generation);
            self.start(Job::Refill {
                keys,
                known,
                limit: u32::try_from(of_each).unwrap_or(u32::MAX),
                began: now,
                generation: self.generation,
            });
        }
    }

    /// The rest of keys was read.
    pub(super) fn refilled(&mut self, job: &Job, rows: Vec<OutboxRow>) {
        let Job::Refill {
            keys, limit, began, ..
        } = job
        else {
            return;
        };
        if keys.iter().any(|key| key.from == i64::MIN) {
            let now = self.now();
            self.pace.looked_at_all(now.saturating_sub(*began), now);
        }
        if !self.refill_ended(job) || self.ending {
            return self.lanes.refill_failed(keys);
        }
        let mut by_key: HashMap<_, Vec<_>> = HashMap::new();
        for row in rows {
            if row.ahead == Ahead::Parked {
                self.move_behind(&row);
            } else if let Some(key) = row.key.clone() {
                by_key.entry((row.shard, key)).or_default().push(row);
            }
        }
        for position in keys {
            let key = (position.shard, position.key.clone());
            let mut rows = by_key.remove(&key).unwrap_or_default();
            let is_moving = self
                .running
                .behind
                .contains_key(&(key.0, key.1.to_string()));
            let id = LaneId::Key(key.0, key.1);
            if is_moving {
                self.lanes.forget_rest(&id);
                continue;
            }
            rows.sort_unstable_by_key(|row| row.id);
            let more = is_full(rows.len(), *limit);
            self.lanes.refill(&id, rows, more);
        }
    }

    /// The rest of keys could not be read.
    pub(super) fn refill_failed(&mut self, job: &Job) {
        if let Job::Refill { keys, .. } = job {
            self.refill_ended(job);
            self.lanes.refill_failed(keys);
        }
    }

    fn refill_ended(&mut self, job: &Job) -> bool {
        let Job::Refill { generation, .. } = *job else {
            return false;
        };
        let current = self.running.refill == Some(generation);
        if current {
            self.running.refill = None;
        }
        current
    }

    /// Moves the rows of a key behind its parked row.
    fn move_behind(&mut self, row: &OutboxRow) {
        let (Some(key), Some(lease)) = (&row.key, self.leases.of(row.shard)) else {
            return;
        };
        match self.running.behind.entry((row.shard, key.to_string())) {
            Entry::Occupied(mut lowest) => {
                let lowest = lowest.get_mut();
                *lowest = row.id.min(*lowest);
            }
            Entry::Vacant(moving) => {
                let key = moving.key().1.clone();
                moving.insert(row.id);
                self.start(Job::ParkBehind {
                    lease,
                    key,
                    limit: PARK_BATCH,
                });
            }
        }
    }

    pub(super) fn moved_behind(&mut self, job: &Job, moved: u64) {
        let Job::ParkBehind { lease, key, limit } = job else {
            return;
        };
        let key = (lease.shard, key.clone());
        let Some(lowest) = self.running.behind.remove(&key) else {
            return;
        };
        // It may not have moved what was committed after it began.
        self.lanes.unread(lease.shard, lowest);
        if moved >= u64::from(*limit) && self.leases.of(lease.shard) == Some(*lease) && !self.ending
        {
            self.running.behind.insert(key, lowest);
            self.start(job.clone());
        } else if moved == 0 {
            // The parked row is gone: those behind it have to be read again.
            self.pace.rescan_now(self.now());
        }
    }

    /// There are scheduled rows or releases.
    pub(super) fn looked(&mut self, work: PendingWork) {
        self.running.look = false;
        self.look_at = self.now() + self.options.idle_poll / 2;
        if self.ending {
            return;
        }
        if work.due && !self.running.due && self.wants_scheduled() {
            self.running.due = true;
            let (shards, known) = (self.leases.readable(), self.lanes.known());
            let limit = self.options.batch;
            let now = self.clock.now();
            self.start(Job::FetchDue {
                shards,
                known,
                now,
                limit,
            });
        }
        for entry in work.releases {
            self.release(entry);
        }
    }

    fn wants_scheduled(&self) -> bool {
        self.lanes.queued() < self.options.max_queued()
            && self.lanes.count() < self.options.max_lanes()
            && !self.waits_for_probe()
    }

    pub(super) fn fetched_due(&mut self, rows: Vec<OutboxRow>) {
        self.running.due = false;
        if self.ending {
            return;
        }
        if is_full(rows.len(), self.options.batch) {
            self.look_at = self.now();
        }
        for row in rows {
            if self.leases.is_readable(row.shard) {
                self.take(row);
            }
        }
    }

    fn release(&mut self, entry: ParkedEntry) {
        let Some(lease) = self.leases.of(entry.shard) else {
            return;
        };
        if self
            .running
            .releases
            .insert(entry.id, entry.shard)
            .is_none()
        {
            // Its rows lie below the position, and are ready before the answer comes.
            self.lanes.doubt();
            self.start(Job::Release {
                lease,
                entry,
                limit: PARK_BATCH,
            });
        }
    }

    /// A release has ended, or failed without telling whether it has an effect.
    pub(super) fn release_ended(&mut self, entry: &ParkedEntry) {
        self.running.releases.remove(&entry.id);
        // The rows of a key lie behind the parked one.
        self.lanes.unread(entry.shard, entry.id);
        self.pace.rescan_now(self.now());
    }

    pub(super) fn released(&mut self, job: &Job, release: Release) {
        let Job::Release { entry, .. } = job else {
            return;
        };
        self.release_ended(entry);
        if release == Release::Partly && !self.ending {
            self.release(entry.clone());
        }
    }
}

/// Whether a read has returned as many rows as it may.
fn is_full(count: usize, limit: u32) -> bool {
    u32::try_from(count).is_ok_and(|count| count >= limit)
}
