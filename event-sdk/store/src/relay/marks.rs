//! `Marks`: rows whose publish was confirmed and whose mark is not written yet, in batches.

use std::time::Duration;

use super::lanes::LaneId;
use crate::outbox::ConfirmedRow;

/// How long a confirmed row waits for others before its mark is written.
const PATIENCE: Duration = Duration::from_millis(3);

/// A confirmed row, and the lane that waits for its mark.
pub(super) type Confirmed = (LaneId, ConfirmedRow);

/// The confirmed rows of a relay.
#[derive(Debug, Default)]
pub(super) struct Marks {
    waiting: Vec<Confirmed>,
    /// When the first of them was confirmed.
    since: Duration,
    /// Rows of the batch that is being written.
    writing: usize,
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
        let due = hurry || self.waiting.len() >= batch || now >= self.since + PATIENCE;
        if self.writing > 0 || self.waiting.is_empty() || !due {
            return None;
        }
        let rest = self.waiting.split_off(self.waiting.len().min(batch));
        let taken = std::mem::replace(&mut self.waiting, rest);
        self.writing = taken.len();
        Some(taken)
    }

    /// The batch is written.
    pub(super) fn written(&mut self) {
        self.writing = 0;
    }

    /// When the next batch is due.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        (self.writing == 0 && !self.waiting.is_empty()).then(|| self.since + PATIENCE)
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
        marks.written();
        assert_eq!(marks.take(4, false, now), None);
        let later = marks.wake_at().expect("a row waits");
        assert_eq!(marks.take(4, false, later).map(|rows| rows.len()), Some(1));
    }
}
