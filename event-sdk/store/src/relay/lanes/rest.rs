//! The rows of keys that stay in the store because their queues are full, or because of an outage.

use super::{LaneId, Lanes};
use crate::outbox::{KeyPosition, OutboxRow};

impl Lanes {
    /// Whether the queue of the row has room for it. If not, the row stays in the store.
    pub(super) fn has_room(&mut self, id: &LaneId, row: &OutboxRow) -> bool {
        let Some(lane) = self.by_id.get(id) else {
            return true;
        };
        let is_behind = lane.rest.is_some_and(|rest| row.id >= rest);
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
        let lane = self.lane(id, shard);
        lane.left = lane.left.max(row);
        let rest = lane.rest.map_or(row, |rest| rest.min(row));
        if lane.rest.replace(rest).is_none() {
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
        if lane.rest.is_some()
            && !lane.held
            && lane.retry_at.is_none()
            && lane.queue.len() <= self.room / 4
        {
            self.hungry.insert(id.clone());
        }
    }

    /// The keys with a rest, which need not be read otherwise.
    pub(in super::super) fn rests(&self) -> Vec<event_sdk::text::Text> {
        if self.rests == 0 {
            return Vec::new();
        }
        let lanes = self.by_id.iter().filter(|(_, lane)| lane.rest.is_some());
        let keys = lanes.filter_map(|(id, _)| match id {
            LaneId::Key(_, key) => Some(key.clone()),
            LaneId::Row(_) => None,
        });
        keys.collect()
    }

    /// From where the rest of some keys has to be read: of as many as fit into a read of `rows`.
    pub(in super::super) fn begin_refill(&mut self, rows: usize) -> Vec<KeyPosition> {
        let most = (rows / self.room).max(1);
        let mut positions = Vec::new();
        while positions.len() < most
            && let Some(id) = self.hungry.pop_first()
        {
            if let LaneId::Key(shard, key) = &id
                && let Some(lane) = self.by_id.get_mut(&id)
                && let Some(from) = lane.rest
            {
                lane.left = i64::MIN;
                let (shard, key) = (*shard, key.clone());
                positions.push(KeyPosition { shard, key, from });
            }
        }
        positions
    }

    /// How many rows of a key are read at once.
    pub(in super::super) fn room(&self) -> usize {
        self.room
    }

    /// The rest of a key was read: its first rows, which are sorted, up to the room of a queue.
    pub(in super::super) fn refill(&mut self, from: &KeyPosition, rows: Vec<OutboxRow>) {
        let id = LaneId::Key(from.shard, from.key.clone());
        let Some(lane) = self.by_id.get_mut(&id) else {
            return;
        };
        if lane.rest != Some(from.from) {
            // Rows with lower ids were left in the store meanwhile.
            return self.note(&id);
        }
        let next = rows
            .last()
            .map_or(from.from, |row| row.id.saturating_add(1));
        let is_all = rows.len() < self.room && lane.left < next;
        lane.rest = (!is_all).then_some(next);
        if is_all {
            self.rests -= 1;
        }
        for row in rows {
            self.push_always(row);
        }
        self.note(&id);
        self.remove_idle(&id);
    }

    /// The rest could not be read.
    pub(in super::super) fn refill_failed(&mut self, from: &[KeyPosition]) {
        for KeyPosition { shard, key, .. } in from {
            self.note(&LaneId::Key(*shard, key.clone()));
        }
    }

    /// The rest of a key is forgotten: another read has to find its rows.
    pub(in super::super) fn forget_rest(&mut self, id: &LaneId) {
        if let Some(lane) = self.by_id.get_mut(id) {
            lane.held = false;
            if lane.rest.take().is_some() {
                self.rests -= 1;
            }
        }
        self.hungry.remove(id);
        self.remove_idle(id);
    }

    /// Makes room: lanes that wait keep one row, and the others stay in the store.
    pub(in super::super) fn trim(&mut self) {
        let waits = |lane: &super::Lane| lane.in_flight || lane.retry_at.is_some();
        let long = self.by_id.iter().filter(|(id, lane)| {
            matches!(id, LaneId::Key(..)) && waits(lane) && lane.queue.len() > 1
        });
        let ids: Vec<_> = long.map(|(id, _)| id.clone()).collect();
        for id in ids {
            let Some(lane) = self.by_id.get_mut(&id) else {
                continue;
            };
            let shard = lane.shard;
            let dropped = lane.queue.split_off(1);
            self.queued -= dropped.len();
            for row in &dropped {
                self.known.remove(&row.id);
            }
            for row in dropped.iter().rev() {
                self.leave(&id, shard, row.id);
            }
        }
    }
}
