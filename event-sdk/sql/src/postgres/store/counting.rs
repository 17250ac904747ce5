//! `Counting`: the id of each shard from which on a status looks for ready rows.
//!
//! A status from the start passes the entries of all published rows in the index as long as a snapshot keeps
//! them. So it begins at the lowest ready row that the last one found. Rows below it can be ready again
//! because another process has released them: at most about a twentieth of the time, a status begins at the
//! start.

use std::time::Instant;

use super::SHARDS;

/// A status from the start waits for this many times its own duration.
const RARELY: u32 = 20;

#[derive(Debug, Default)]
pub(super) struct Counting {
    /// By shard; empty if the next status begins at the start.
    floors: Vec<i64>,
    /// When the next status begins at the start.
    all_at: Option<Instant>,
    /// Raised when rows are ready again.
    releases: u64,
}

/// Where a status begins.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) floors: Vec<i64>,
    is_all: bool,
    releases: u64,
    at: Instant,
}

impl Counting {
    /// A status begins.
    pub(super) fn begin(&self, now: Instant) -> Begun {
        let is_all = self.floors.is_empty() || self.all_at.is_none_or(|at| now >= at);
        Begun {
            floors: if is_all {
                vec![i64::MIN; usize::from(SHARDS)]
            } else {
                self.floors.clone()
            },
            is_all,
            releases: self.releases,
            at: now,
        }
    }

    /// A status has found these rows as the first ready ones of all shards. It has seen all rows below
    /// `settled`, where no row can be added.
    pub(super) fn found(
        &mut self,
        begun: &Begun,
        first: &[Option<i64>],
        settled: i64,
        now: Instant,
    ) {
        if begun.releases != self.releases || first.len() != begun.floors.len() {
            return;
        }
        let first = first.iter().zip(&begun.floors);
        let floors = first.map(|(id, floor)| id.unwrap_or(settled).min(settled).max(*floor));
        self.floors = floors.collect();
        if begun.is_all {
            let took = now.saturating_duration_since(begun.at);
            self.all_at = Some(now + took.saturating_mul(RARELY));
        }
    }

    /// Rows were made ready again: the next status begins at the start.
    pub(super) fn released(&mut self) {
        self.releases += 1;
        self.floors.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SETTLED: i64 = 100;
    const TOOK: Duration = Duration::from_millis(10);

    /// The first shard has this first row, and the others have none.
    fn found(counting: &mut Counting, begun: &Begun, first: i64, settled: i64) -> Instant {
        let mut of_shards = vec![None; usize::from(SHARDS)];
        of_shards[0] = Some(first);
        let now = begun.at + TOOK;
        counting.found(begun, &of_shards, settled, now);
        now
    }

    #[test]
    fn a_status_begins_at_the_first_ready_row_or_where_ids_are_settled() {
        let mut counting = Counting::default();
        let begun = counting.begin(Instant::now());
        assert_eq!(begun.floors, [i64::MIN; 64]);
        let now = found(&mut counting, &begun, 7, SETTLED);
        let begun = counting.begin(now);
        assert_eq!(begun.floors[..2], [7, SETTLED]);
        // Nothing is settled below a row that was found above.
        let now = found(&mut counting, &begun, 300, SETTLED + 20);
        let begun = counting.begin(now);
        assert_eq!(begun.floors[..2], [SETTLED + 20; 2]);
        let now = found(&mut counting, &begun, 301, i64::MIN);
        assert_eq!(counting.begin(now).floors[..2], [SETTLED + 20; 2]);
    }

    #[test]
    fn a_status_begins_rarely_at_the_start_and_after_a_release() {
        let mut counting = Counting::default();
        let begun = counting.begin(Instant::now());
        let now = found(&mut counting, &begun, 7, SETTLED);
        let almost = now + TOOK * (RARELY - 1);
        let begun = counting.begin(almost);
        assert!(!begun.is_all);
        assert!(counting.begin(now + TOOK * RARELY).is_all);
        counting.released();
        assert!(counting.begin(almost).is_all);
        // It has begun before the release.
        found(&mut counting, &begun, 7, SETTLED);
        assert!(counting.begin(almost).is_all);
    }
}
