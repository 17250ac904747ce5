//! The rows of keys that stay in the store because their queues are full, or because of an outage.

use std::ops::Bound;

use event_sdk::text::Text;

use super::{LaneId, Lanes};
use crate::outbox::{Ahead, KeyPosition, OutboxRow};

/// The rests of keys that have to be read.
#[derive(Debug)]
pub(in super::super) struct BegunRefill {
    /// With the lowest id of each rest.
    pub(in super::super) keys: Vec<(u16, Text, i64)>,
    /// Those of their rows that are known.
    pub(in super::super) known: Vec<i64>,
    /// How many rows to read of each key.
    pub(in super::super) of_each: usize,
}

impl Lanes {
    /// Whether the queue of the row has room for it. If not, the row stays in the store. So does one
    /// behind a row that is below the position: that one may have been committed late, and not be known.
    pub(super) fn has_room(&mut self, id: &LaneId, row: &OutboxRow) -> bool {
        let Some(lane) = self.by_id.get(id) else {
            return true;
        };
        let is_behind = lane.rest || row.ahead == Ahead::Unpublished;
        let is_last = lane.queue.back().is_none_or(|last| last.id < row.id);
        if matches!(id, LaneId::Row(_)) || !(is_behind || is_last && lane.queue.len() >= self.room)
        {
            return true;
        }
        self.leave(id, row.shard, row.id);
        false
    }

    /// The row stays in the store.
    fn leave(&mut self, id: &LaneId, shard: u16, row: i64) {
        let (floor, doubts) = (self.floor(shard), self.doubts());
        let lane = self.lane(id, shard);
        lane.left = Some(lane.left.map_or(row, |left| left.min(row)));
        if std::mem::replace(&mut lane.rest, true) {
            lane.from = lane.from.min(row);
        } else {
            (lane.from, lane.doubts) = (row.min(floor), doubts);
            self.rests += 1;
        }
        self.note(id);
    }

    /// The row was read during an outage that it waits for, and there is no room for more such rows. It
    /// stays in the store, and with it the later rows of its key, until [`end_holding`](Self::end_holding).
    pub(in super::super) fn hold(&mut self, row: OutboxRow) {
        if self.known.contains(&row.id) {
            return;
        }
        let id = LaneId::of(&row);
        if matches!(id, LaneId::Row(_)) {
            if self.admitted.take_if(|id| *id == row.id).is_some() {
                return self.keep(id, row);
            }
            self.known.insert(row.id);
            self.aside.push((row.shard, row.id));
            return;
        }
        let lane = self.lane(&id, row.shard);
        let is_last = lane.queue.back().is_none_or(|last| last.id < row.id);
        if !is_last && !lane.rest && row.ahead == Ahead::Nothing {
            // Those behind it wait in the queue.
            return self.keep(id, row);
        }
        if !lane.held {
            lane.held = true;
            self.held.push_back(id.clone());
        }
        self.leave(&id, row.shard, row.id);
    }

    /// Whether there are rows that an outage holds.
    pub(in super::super) fn holds(&self) -> bool {
        !self.held.is_empty() || !self.aside.is_empty()
    }

    /// The rest of a key that is held may be read, so that there is a row to try with.
    pub(in super::super) fn end_one_hold(&mut self) {
        if let Some(id) = self.held.pop_front() {
            self.end_hold(&id);
        } else if let Some((_, id)) = self.aside.pop() {
            self.known.remove(&id);
            self.admitted = Some(id);
            self.doubt();
        }
    }

    /// All rows that are held may be read.
    pub(in super::super) fn end_holding(&mut self) {
        while let Some(id) = self.held.pop_front() {
            self.end_hold(&id);
        }
        for (_, id) in self.aside.drain(..) {
            self.known.remove(&id);
        }
        self.doubt();
    }

    fn end_hold(&mut self, id: &LaneId) {
        if let Some(lane) = self.by_id.get_mut(id) {
            lane.held = false;
            self.note(id);
        }
    }

    /// Notes whether the rest of the key has to be read.
    pub(super) fn note(&mut self, id: &LaneId) {
        let Some(lane) = self.by_id.get(id) else {
            return;
        };
        if lane.rest
            && !lane.refilling
            && !lane.held
            && lane.retry_at.is_none()
            // Early, so that it is read while the others are sent.
            && lane.queue.len() <= (self.room / 4).max(lane.portion / 2)
        {
            self.hungry.insert(id.clone());
        }
    }

    /// Whether the store has rows of a key that wait until its queue has room.
    pub(in super::super) fn has_rest(&self) -> bool {
        self.rests > 0
    }

    /// The keys with a rest, which need not be read otherwise.
    pub(in super::super) fn rests(&self) -> Vec<Text> {
        if self.rests == 0 {
            return Vec::new();
        }
        let lanes = self.by_id.iter().filter(|(_, lane)| lane.rest);
        let keys = lanes.filter_map(|(id, _)| match id {
            LaneId::Key(_, key) => Some(key.clone()),
            LaneId::Row(_) => None,
        });
        keys.collect()
    }

    /// How many keys have a rest that can be read now.
    pub(in super::super) fn hungry(&self) -> usize {
        self.hungry.len()
    }

    /// Keys whose rest has to be read, at most `most`, each of them in its turn.
    ///
    /// At most `most` rows are read of all of them together. A key that is read again has sent its rows, and
    /// gets twice as many as the last time: a long backlog of one key would wait for each read otherwise.
    pub(in super::super) fn begin_refill(&mut self, most: usize) -> BegunRefill {
        let (mut keys, mut known, mut portion) = (Vec::new(), Vec::new(), most);
        let (doubts, room) = (self.doubts(), self.room);
        while keys.len() < most
            && let Some(id) = self.next_hungry()
        {
            if let LaneId::Key(shard, key) = &id
                && let floor = self.floor(*shard)
                && let Some(lane) = self.by_id.get_mut(&id)
                && lane.rest
                && !lane.held
            {
                lane.left = None;
                lane.refilling = true;
                lane.portion = lane.portion.saturating_mul(2).clamp(room, room.max(most));
                portion = portion.min(lane.portion);
                let from = if lane.doubts == doubts {
                    lane.from
                } else {
                    i64::MIN
                };
                (lane.floor, lane.doubts) = (floor, doubts);
                lane.from = from;
                let queued = lane.queue.iter().map(|row| row.id);
                known.extend(queued.chain(lane.sent.iter().copied()));
                keys.push((*shard, key.clone(), from));
            }
            self.fed = Some(id);
        }
        let of_each = (most / keys.len().max(1)).clamp(1, portion.max(1));
        for (shard, key, _) in &keys {
            if let Some(lane) = self.by_id.get_mut(&LaneId::Key(*shard, key.clone())) {
                lane.portion = of_each;
            }
        }
        BegunRefill {
            keys,
            known,
            of_each,
        }
    }

    fn next_hungry(&mut self) -> Option<LaneId> {
        let behind = self.fed.as_ref().and_then(|fed| {
            let behind = (Bound::Excluded(fed), Bound::Unbounded);
            self.hungry.range::<LaneId, _>(behind).next()
        });
        let id = behind.or_else(|| self.hungry.first())?.clone();
        self.hungry.remove(&id);
        Some(id)
    }

    /// The rest of a key was read: its lowest rows that were not known, sorted, and whether there may be
    /// more of them.
    pub(in super::super) fn refill(&mut self, id: &LaneId, rows: Vec<OutboxRow>, more: bool) {
        let Some(lane) = self.by_id.get_mut(id) else {
            return;
        };
        if !std::mem::take(&mut lane.refilling) {
            // The lane was forgotten meanwhile.
            return self.note(id);
        }
        let behind = rows.last().map_or(lane.from, |row| row.id + 1);
        let unread = more.then_some(behind);
        if let Some(from) = unread.into_iter().chain(lane.left).min() {
            // What is committed late lies at the floor or above it.
            lane.from = from.min(lane.floor);
        } else {
            lane.rest = false;
            self.rests -= 1;
            // The look below that runs leaves out keys with a rest.
            let (shard, floor) = (lane.shard, lane.floor);
            self.unread(shard, floor);
        }
        for row in rows {
            self.push_always(row);
        }
        self.note(id);
        self.remove_idle(id);
    }

    /// The rest could not be read.
    pub(in super::super) fn refill_failed(&mut self, keys: &[KeyPosition]) {
        for KeyPosition { shard, key, .. } in keys {
            let id = LaneId::Key(*shard, key.clone());
            if let Some(lane) = self.by_id.get_mut(&id) {
                lane.refilling = false;
            }
            self.note(&id);
        }
    }

    /// The rest of a key is forgotten: another read has to find its rows.
    pub(in super::super) fn forget_rest(&mut self, id: &LaneId) {
        if let Some(lane) = self.by_id.get_mut(id) {
            lane.held = false;
            lane.refilling = false;
            if std::mem::take(&mut lane.rest) {
                self.rests -= 1;
                self.doubt();
            }
        }
        self.hungry.remove(id);
        self.remove_idle(id);
    }

    /// Makes room: lanes that wait keep one row, and the others stay in the store. Not while a read
    /// runs, which may have begun without those rows.
    pub(in super::super) fn trim(&mut self) {
        let waits = |lane: &super::Lane| lane.in_flight || lane.retry_at.is_some();
        let long = self.by_id.iter().filter(|(id, lane)| {
            matches!(id, LaneId::Key(..)) && waits(lane) && !lane.refilling && lane.queue.len() > 1
        });
        let ids: Vec<_> = long.map(|(id, _)| id.clone()).collect();
        for id in ids {
            let Some(lane) = self.by_id.get_mut(&id) else {
                continue;
            };
            let shard = lane.shard;
            let dropped = lane.queue.split_off(1);
            lane.portion = 0;
            self.queued -= dropped.len();
            for row in &dropped {
                self.known.remove(&row.id);
            }
            if let Some(lowest) = dropped.front() {
                self.leave(&id, shard, lowest.id);
            }
        }
    }
}
