//! `Floors`: the id of each shard below which no ready row is unknown.
//!
//! A look below a position passes the entries of all published rows in the index as long as a snapshot
//! keeps them. So it begins at the floor: below it, all rows were read, and the store has promised that no
//! transaction can add one. A row that is forgotten, or made ready again, may lie below: that is a *doubt*,
//! which removes all floors until the next look at all rows. If it is known from which id on rows of a shard
//! are *unread*, only that floor falls. A read that began with a higher floor does not count then: it may
//! have returned rows without those before them.

use std::collections::HashMap;

use super::Lanes;
use crate::outbox::ShardPosition;

#[derive(Debug, Default)]
pub(super) struct Floors {
    of_shards: HashMap<u16, i64>,
    doubts: u64,
    /// The lowest id of each shard from which on rows are unread since the look below began, which may not
    /// have read them.
    unread: HashMap<u16, i64>,
}

impl Lanes {
    /// The floor of a shard; [`i64::MIN`] without one.
    pub(in super::super) fn floor(&self, shard: u16) -> i64 {
        let floor = self.floors.of_shards.get(&shard);
        floor.copied().unwrap_or(i64::MIN)
    }

    /// How often the floors were removed.
    pub(in super::super) fn doubts(&self) -> u64 {
        self.floors.doubts
    }

    /// Removes all floors.
    pub(in super::super) fn doubt(&mut self) {
        self.floors.doubts += 1;
        self.floors.of_shards.clear();
    }

    /// A look below begins.
    pub(in super::super) fn begin_look(&mut self) {
        self.floors.unread.clear();
    }

    /// Rows of the shard from this id on may be unknown, and not read by the look below that runs.
    pub(in super::super) fn unread(&mut self, shard: u16, from: i64) {
        let unread = self.floors.unread.entry(shard).or_insert(from);
        *unread = from.min(*unread);
        if let Some(floor) = self.floors.of_shards.get_mut(&shard) {
            *floor = from.min(*floor);
        }
    }

    /// Whether a floor is lower than when a read began from these positions.
    pub(in super::super) fn has_lower_floor(&self, positions: &[ShardPosition]) -> bool {
        let mut positions = positions.iter();
        positions.any(|position| self.floor(position.shard) < position.floor)
    }

    /// All rows of these shards below `settled` were read, unless there were doubts since `doubts`.
    pub(in super::super) fn settle(&mut self, shards: &[ShardPosition], settled: i64, doubts: u64) {
        if doubts != self.floors.doubts || settled == i64::MIN {
            return;
        }
        for position in shards {
            let unread = self.floors.unread.get(&position.shard);
            let settled = unread.map_or(settled, |unread| settled.min(*unread));
            let floor = self.floors.of_shards.entry(position.shard);
            let floor = floor.or_insert(settled);
            *floor = settled.max(*floor);
        }
    }
}
