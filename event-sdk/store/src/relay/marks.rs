//! `Marks`: rows whose publish was confirmed and whose mark is not written yet, in batches.

use std::time::Duration;

use super::lanes::LaneId;
use crate::outbox::ConfirmedRow;

/// How long a confirmed row waits for others before its mark is written, at least.
const PATIENCE: Duration = Duration::from_millis(3);

/// At most. In between, it waits for this many times the duration of the last write: writes of a few rows,
/// as of one key, would take the database's time otherwise.
const LONGEST: Duration = Duration::from_millis(25);
const PAUSE: u32 = 3;

/// A confirmed row, and the lane that waits for its mark.
pub(super) type Confirmed = (LaneId, ConfirmedRow);

/// The confirmed rows of a relay.
#[derive(Debug)]
pub(super) struct Marks {
    waiting: Vec<Confirmed>,
    /// When the first of them was confirmed.
    since: Duration,
    /// Rows of the batch that is being written.
    writing: usize,
    /// When its write began.
    began: Duration,
    patience: Duration,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            since: Duration::ZERO,
            writing: 0,
            began: Duration::ZERO,
            patience: PATIENCE,
        }
    }
}

impl Marks {
    pub(super) fn push(&mut self, confirmed: Confirmed, now: Duration) {
        if self.waiting.is_empty() {
            self.since = now;
        }
        self.waiting.push(confirmed);
    }

    /// Takes a batch of at most `batch` rows if it is time to write it: it is full, its first row has
    /// waited, or `hurry`. One batch is written at a time.
    pub(super) fn take(
        &mut self,
        batch: usize,
        hurry: bool,
        now: Duration,
    ) -> Option<Vec<Confirmed>> {
        let due = hurry || self.waiting.len() >= batch || now >= self.since + self.patience;
        if self.writing > 0 || self.waiting.is_empty() || !due {
            return None;
        }
        let rest = self.waiting.split_off(self.waiting.len().min(batch));
        let taken = std::mem::replace(&mut self.waiting, rest);
        self.writing = taken.len();
        self.began = now;
        Some(taken)
    }

    /// The batch is written.
    pub(super) fn written(&mut self, now: Duration) {
        self.writing = 0;
        let took = now.saturating_sub(self.began);
        self.patience = took.saturating_mul(PAUSE).clamp(PATIENCE, LONGEST);
    }

    /// When the next batch is due.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        (self.writing == 0 && !self.waiting.is_empty()).then(|| self.since + self.patience)
    }

    /// Rows without a written mark.
    pub(super) fn unmarked(&self) -> usize {
        self.waiting.len() + self.writing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirmed(id: i64) -> Confirmed {
        (LaneId::Row(id), ConfirmedRow::new(id, 0, 1))
    }

    #[test]
    fn a_batch_is_taken_when_it_is_full_or_has_waited() {
        let mut marks = Marks::default();
        let now = Duration::from_secs(1);
        for id in 0..5 {
            marks.push(confirmed(id), now);
        }
        assert_eq!(marks.take(10, false, now), None);
        assert_eq!(marks.take(4, false, now).map(|rows| rows.len()), Some(4));
        assert_eq!(marks.take(1, true, now), None, "one batch at a time");
        assert_eq!(marks.unmarked(), 5);
        marks.written(now);
        assert_eq!(marks.take(4, false, now), None);
        let later = marks.wake_at().expect("a row waits");
        assert_eq!(marks.take(4, false, later).map(|rows| rows.len()), Some(1));
    }
    #[test]
    fn a_slow_write_is_followed_by_a_longer_pause() {
        let mut marks = Marks::default();
        let mut now = Duration::from_secs(1);
        for (took, patience) in [(1, 3), (2, 6), (100, 25), (0, 3)] {
            let (took, patience) = (Duration::from_millis(took), Duration::from_millis(patience));
            marks.push(confirmed(1), now);
            assert!(marks.take(10, true, now).is_some());
            now += took;
            marks.written(now);
            marks.push(confirmed(2), now);
            assert_eq!(marks.wake_at(), Some(now + patience));
            assert!(marks.take(10, true, now).is_some());
            marks.written(now);
        }
    }
}
