//! `Floors`: the id of each shard below which no ready row is unknown.
//!
//! A look below a position passes the entries of all published rows in the index as long as a snapshot
//! keeps them. So it begins at the floor: below it, all rows were read, and the store has promised that no
//! transaction can add one. A row that is forgotten, or made ready again, may lie below: that is a *doubt*,
//! which removes all floors until the next look at all rows.

use std::collections::HashMap;

use super::Lanes;
use crate::outbox::ShardPosition;

#[derive(Debug, Default)]
pub(super) struct Floors {
    of_shards: HashMap<u16, i64>,
    doubts: u64,
    /// The lowest floor, in each shard, of the keys whose rest has ended since the look below began. The look
    /// does not read these keys, nor have their rests been read below the floor that it finds.
    ended: HashMap<u16, i64>,
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
        self.floors.ended.clear();
    }

    /// The rest of a key, which was read for the last time when the shard had this floor, has ended.
    pub(super) fn end_rest(&mut self, shard: u16, floor: i64) {
        let ended = self.floors.ended.entry(shard).or_insert(floor);
        *ended = floor.min(*ended);
        if let Some(of_shard) = self.floors.of_shards.get_mut(&shard) {
            *of_shard = floor.min(*of_shard);
        }
    }

    /// All rows of these shards below `settled` were read, unless there were doubts since `doubts`.
    pub(in super::super) fn settle(&mut self, shards: &[ShardPosition], settled: i64, doubts: u64) {
        if doubts != self.floors.doubts || settled == i64::MIN {
            return;
        }
        for position in shards {
            let ended = self.floors.ended.get(&position.shard);
            let settled = ended.map_or(settled, |ended| settled.min(*ended));
            let floor = self.floors.of_shards.entry(position.shard);
            let floor = floor.or_insert(settled);
            *floor = settled.max(*floor);
        }
    }
}
