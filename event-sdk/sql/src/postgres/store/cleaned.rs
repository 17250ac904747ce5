//! `Cleaned`: the time from which on the cleaner looks for old rows.
//!
//! A search from the start passes the entries of all deleted rows in the index as long as a snapshot
//! keeps them. So it begins where the last one has ended, and takes at most about a twentieth of the time
//! from the start, for rows that were marked with an earlier time since.

use std::time::{Duration, Instant};

/// A search from the start waits for this many times its own duration.
const RARELY: u32 = 20;

#[derive(Debug)]
pub(super) struct Cleaned {
    /// The time of the last row that was deleted.
    last: i64,
    /// When the next search begins at the start.
    all_at: Option<Instant>,
}

impl Default for Cleaned {
    fn default() -> Self {
        Self {
            last: i64::MIN,
            all_at: None,
        }
    }
}

impl Cleaned {
    /// From when on rows are looked for.
    pub(super) fn from(&self, now: Instant) -> i64 {
        match self.all_at {
            Some(at) if now < at => self.last,
            _ => i64::MIN,
        }
    }

    /// A search from `from` on has taken `took`, and the last row that it has deleted had this time.
    pub(super) fn deleted(&mut self, from: i64, last: Option<i64>, took: Duration, now: Instant) {
        if from == i64::MIN {
            self.all_at = Some(now + took.saturating_mul(RARELY));
        }
        self.last = last.unwrap_or(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_begins_where_the_last_one_has_ended_and_rarely_at_the_start() {
        let (mut cleaned, now, took) = (
            Cleaned::default(),
            Instant::now(),
            Duration::from_millis(10),
        );
        assert_eq!(cleaned.from(now), i64::MIN);
        cleaned.deleted(i64::MIN, Some(7), took, now);
        assert_eq!(cleaned.from(now + took), 7);
        cleaned.deleted(7, None, took, now + took);
        assert_eq!(cleaned.from(now + took), 7);
        assert_eq!(cleaned.from(now + took * RARELY), i64::MIN);
    }
}
