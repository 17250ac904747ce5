//! `Lanes`: the rows that a relay has read, in one queue for each key, with at most one row in flight
//! in each.
//!
//! A row is *known* from when it was read until its mark is written. The rows of a lane leave in the
//! order of their ids. A lane lives as long as one of its rows is known, because until then a read may
//! return its rows again.
//!
//! A key that waits (for a confirmation, for another attempt, for the end of an outage) must not take
//! the room of the others. So a queue has room for a few rows, and the *rest* of the key stays in the
//! store: it is read by key when the queue has room again.

mod floors;
mod rest;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::Duration;

use event_sdk::text::Text;

use crate::outbox::OutboxRow;
use floors::Floors;
pub(super) use rest::BegunRefill;

/// The queue of a key, or of a row that takes part in no order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum LaneId {
    Key(u16, Text),
    Row(i64),
}

impl LaneId {
    fn of(row: &OutboxRow) -> Self {
        match &row.key {
            Some(key) => Self::Key(row.shard, key.clone()),
            None => Self::Row(row.id),
        }
    }
}

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "none follows from the others"
)]
struct Lane {
    shard: u16,
    queue: VecDeque<OutboxRow>,
    in_flight: bool,
    /// Known rows that are not in the queue: in flight, or waiting for their marks.
    sent: BTreeSet<i64>,
    /// Set while the front row waits for another attempt.
    retry_at: Option<Duration>,
    /// Whether the store may have rows of the key that are not known. They are read by key, the lowest
    /// first, and what other reads return of the key stays in the store: so no row passes another one.
    rest: bool,
    /// Whether the rest is being read.
    refilling: bool,
    /// The lowest row of the key that may be in the store and not known, if there is a rest.
    from: i64,
    /// The lowest row that was left in the store since the rest is being read.
    left: Option<i64>,
    /// The doubts, and the floor of the shard, when the rest was read last.
    doubts: u64,
    floor: i64,
    /// How many rows of the rest were read last, or may have been.
    portion: usize,
    /// Whether the rest is not read because an outage is known.
    held: bool,
}

/// All rows that a relay knows.
#[derive(Debug)]
pub(super) struct Lanes {
    /// How many rows of a key wait in its queue, unless a row with a lower id comes late.
    room: usize,
    by_id: HashMap<LaneId, Lane>,
    known: HashSet<i64>,
    ready: VecDeque<LaneId>,
    delayed: BTreeSet<(Duration, LaneId)>,
    /// Rows in the queues.
    queued: usize,
    /// Lanes at the end of `ready` that may not run, as far as the last look has found.
    refused: usize,
    /// Keys whose rest has to be read.
    hungry: BTreeSet<LaneId>,
    /// The key whose rest was read last.
    fed: Option<LaneId>,
    /// Keys with a rest.
    rests: usize,
    /// Keys whose rest is not read because of an outage.
    held: VecDeque<LaneId>,
    /// Rows without a key that are not kept because of an outage, with their shards; they are known.
    aside: Vec<(u16, i64)>,
    /// The one of them that may be kept when it is read again.
    admitted: Option<i64>,
    floors: Floors,
}

impl Lanes {
    /// Lanes with room for this number of rows in each queue.
    pub(super) fn new(room: usize) -> Self {
        Self {
            room: room.max(1),
            by_id: HashMap::new(),
            known: HashSet::new(),
            ready: VecDeque::new(),
            delayed: BTreeSet::new(),
            queued: 0,
            refused: 0,
            hungry: BTreeSet::new(),
            fed: None,
            rests: 0,
            held: VecDeque::new(),
            aside: Vec::new(),
            admitted: None,
            floors: Floors::default(),
        }
    }

    /// How many lanes may be sent from now, at most.
    pub(super) fn sendable(&self) -> usize {
        self.ready.len().saturating_sub(self.refused)
    }

    /// How many lanes there are, and rows set aside: a bound of the memory besides the queues.
    pub(super) fn count(&self) -> usize {
        self.by_id.len() + self.aside.len()
    }

    /// Rows that wait to be sent.
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// The ids of all known rows.
    pub(super) fn known(&self) -> Vec<i64> {
        self.known.iter().copied().collect()
    }

    /// Whether the row was read before, and is not marked yet.
    pub(super) fn knows(&self, id: i64) -> bool {
        self.known.contains(&id)
    }

    /// Whether a row of the same key is known.
    pub(super) fn has_lane_of(&self, row: &OutboxRow) -> bool {
        self.by_id.contains_key(&LaneId::of(row))
    }

    /// Adds a row that was read; a known one is ignored. The row stays in the store if the queue of its
    /// key is full, or if rows of the key that are not known may have to be sent before.
    pub(super) fn push(&mut self, row: OutboxRow) {
        let id = LaneId::of(&row);
        if self.known.contains(&row.id) || !self.has_room(&id, &row) {
            return;
        }
        self.keep(id, row);
    }

    /// Adds a row that was read, whether its queue is full or not; a known one is ignored.
    pub(super) fn push_always(&mut self, row: OutboxRow) {
        if !self.known.contains(&row.id) {
            self.keep(LaneId::of(&row), row);
        }
    }

    fn keep(&mut self, id: LaneId, row: OutboxRow) {
        self.known.insert(row.id);
        let lane = self.lane(&id, row.shard);
        let was_idle = lane.queue.is_empty() && !lane.in_flight;
        // Nearly always the last one.
        let place = lane.queue.partition_point(|other| other.id < row.id);
        lane.queue.insert(place, row);
        self.queued += 1;
        if was_idle {
            self.ready.push_back(id);
        }
    }

    fn lane(&mut self, id: &LaneId, shard: u16) -> &mut Lane {
        self.by_id.entry(id.clone()).or_insert_with(|| Lane {
            shard,
            queue: VecDeque::new(),
            in_flight: false,
            sent: BTreeSet::new(),
            retry_at: None,
            rest: false,
            refilling: false,
            from: i64::MIN,
            left: None,
            doubts: 0,
            floor: i64::MIN,
            portion: 0,
            held: false,
        })
    }

    /// The front row of a lane that is free, and puts it in flight. `may_run` says whether a lane
    /// whose front row this is may run now; a lane that may not goes to the end of the queue.
    pub(super) fn next(
        &mut self,
        now: Duration,
        mut may_run: impl FnMut(&OutboxRow) -> bool,
    ) -> Option<(LaneId, OutboxRow)> {
        self.end_delays(now);
        self.refused = 0;
        for _ in 0..self.ready.len() {
            let id = self.ready.pop_front()?;
            let Some(lane) = self.by_id.get_mut(&id) else {
                continue;
            };
            // An entry of a lane that was forgotten meanwhile may stand for a newer lane too.
            if lane.in_flight || lane.retry_at.is_some() {
                continue;
            }
            let Some(front) = lane.queue.front() else {
                continue;
            };
            if !may_run(front) {
                self.refused += 1;
                self.ready.push_back(id);
                continue;
            }
            let row = lane.queue.pop_front()?;
            lane.in_flight = true;
            lane.sent.insert(row.id);
            self.queued -= 1;
            self.note(&id);
            return Some((id, row));
        }
        None
    }

    /// The row in flight was confirmed: the next one of its lane may follow.
    pub(super) fn confirmed(&mut self, id: &LaneId) {
        if let Some(lane) = self.by_id.get_mut(id) {
            lane.in_flight = false;
            if !lane.queue.is_empty() {
                self.ready.push_back(id.clone());
            }
        }
    }

    /// The row in flight failed, and is sent again at `at`.
    pub(super) fn retry(&mut self, id: &LaneId, row: OutboxRow, at: Duration) {
        let Some(lane) = self.by_id.get_mut(id) else {
            return;
        };
        lane.in_flight = false;
        lane.sent.remove(&row.id);
        lane.retry_at = Some(at);
        lane.portion = 0;
        // A row with a lower id may have come meanwhile.
        let place = lane.queue.partition_point(|other| other.id < row.id);
        lane.queue.insert(place, row);
        self.queued += 1;
        self.delayed.insert((at, id.clone()));
        self.hungry.remove(id);
    }

    /// The row in flight was parked: all rows of its lane that wait are forgotten. Those that are
    /// in flight no more but wait for their marks stay known.
    pub(super) fn parked(&mut self, id: &LaneId, row: i64) {
        if let Some(lane) = self.by_id.get_mut(id) {
            lane.in_flight = false;
            lane.sent.remove(&row);
            self.known.remove(&row);
            self.forget_queue(id);
        }
        self.doubt();
    }

    /// The mark of a row is written, or was refused: the row is not known any more.
    pub(super) fn settled(&mut self, id: &LaneId, row: i64) {
        if !self.known.remove(&row) {
            return;
        }
        if let Some(lane) = self.by_id.get_mut(id) {
            lane.sent.remove(&row);
            self.remove_idle(id);
        }
    }

    fn remove_idle(&mut self, id: &LaneId) {
        if let Some(lane) = self.by_id.get(id)
            && lane.sent.is_empty()
            && lane.queue.is_empty()
            && !lane.rest
        {
            self.by_id.remove(id);
        }
    }

    /// Forgets the rows of a shard that are not in flight and do not wait for their marks.
    pub(super) fn forget_unsent(&mut self, shard: Option<u16>) {
        let of_shard = |lane: &Lane| shard.is_none_or(|shard| lane.shard == shard);
        let ids: Vec<_> = self
            .by_id
            .iter()
            .filter(|(_, lane)| of_shard(lane))
            .map(|(id, _)| id.clone())
            .collect();
        for id in ids {
            self.forget_queue(&id);
        }
        let known = &mut self.known;
        self.aside.retain(|(of, id)| {
            let stays = shard.is_some_and(|shard| shard != *of);
            if !stays {
                known.remove(id);
            }
            stays
        });
        let lanes = &self.by_id;
        self.held
            .retain(|id| lanes.get(id).is_some_and(|lane| lane.held));
        self.doubt();
    }

    fn forget_queue(&mut self, id: &LaneId) {
        let Some(lane) = self.by_id.get_mut(id) else {
            return;
        };
        self.queued -= lane.queue.len();
        for row in lane.queue.drain(..) {
            self.known.remove(&row.id);
        }
        if let Some(at) = lane.retry_at.take() {
            self.delayed.remove(&(at, id.clone()));
        }
        self.forget_rest(id);
    }

    /// Whether a row of the shard is known.
    pub(super) fn has_shard(&self, shard: u16) -> bool {
        self.by_id.values().any(|lane| lane.shard == shard)
    }

    /// The shards of the known rows.
    pub(super) fn shards(&self) -> BTreeSet<u16> {
        self.by_id.values().map(|lane| lane.shard).collect()
    }

    /// When the next delayed lane is due.
    pub(super) fn next_retry(&self) -> Option<Duration> {
        self.delayed.first().map(|(at, _)| *at)
    }

    /// Lanes whose delay is over may run again.
    pub(super) fn end_delays(&mut self, now: Duration) {
        while let Some((at, _)) = self.delayed.first()
            && *at <= now
            && let Some((_, id)) = self.delayed.pop_first()
        {
            if let Some(lane) = self.by_id.get_mut(&id) {
                lane.retry_at = None;
                self.note(&id);
                self.ready.push_back(id);
            }
        }
    }
}
