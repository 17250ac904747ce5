//! `Pace`: when the relay looks for rows, and when it looks again below its position.
//!
//! After a hint or a find it looks for rows 1, 2, 4 … milliseconds later, up to the idle limit.
//! Rows that committed late lie below the position; looking for them may be slow while an old
//! snapshot keeps dead rows, so it takes at most about a twentieth of the time. So do looks at all rows,
//! for those that were made ready again.

use std::time::Duration;

/// The delay after a hint or a find.
const FIRST: Duration = Duration::from_millis(1);

/// A look below the position waits for this many times its own duration.
const RARELY: u32 = 20;

#[derive(Debug)]
pub(super) struct Pace {
    idle: Duration,
    interval: Duration,
    next_at: Duration,
    rescan_at: Duration,
    all_at: Duration,
    /// Set after a look below that did not return all: rows above must not wait for the others.
    forward_next: bool,
}

/// The next look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Forward,
    Below,
}

impl Pace {
    pub(super) const fn new(idle: Duration, now: Duration) -> Self {
        Self {
            idle,
            interval: FIRST,
            next_at: now,
            rescan_at: now,
            all_at: now,
            forward_next: false,
        }
    }

    /// Rows were committed.
    pub(super) fn committed(&mut self, now: Duration) {
        self.interval = FIRST;
        self.next_at = self.next_at.min(now);
    }

    /// Rows will be committed soon.
    pub(super) fn inserted(&mut self, now: Duration) {
        self.interval = FIRST;
        self.next_at = self.next_at.min(now + FIRST);
    }

    /// A row is known to lie below the position.
    pub(super) fn rescan_now(&mut self, now: Duration) {
        self.rescan_at = self.rescan_at.min(now);
        self.next_at = self.next_at.min(now);
    }

    /// Which look is due, if any.
    pub(super) fn due(&self, now: Duration) -> Option<Look> {
        if now < self.next_at {
            None
        } else if now >= self.rescan_at && !self.forward_next {
            Some(Look::Below)
        } else {
            Some(Look::Forward)
        }
    }

    /// Whether the next look below has to be one at all rows.
    pub(super) fn all_due(&self, now: Duration) -> bool {
        now >= self.all_at
    }

    /// A look at all rows, or at all of some keys, has taken `took`.
    pub(super) fn looked_at_all(&mut self, took: Duration, now: Duration) {
        let pause = took.saturating_mul(RARELY).max(self.idle);
        self.all_at = self.all_at.max(now.saturating_add(pause));
    }

    /// When the next look is due.
    pub(super) fn next_at(&self) -> Duration {
        self.next_at
    }

    /// A look forward has returned `rows` rows, as many as it may if `full`.
    pub(super) fn looked(&mut self, rows: usize, full: bool, now: Duration) {
        let goes_on_below = std::mem::take(&mut self.forward_next) && self.rescan_at <= now;
        if full || goes_on_below {
            self.interval = FIRST;
            self.next_at = now;
        } else if rows > 0 {
            self.interval = FIRST;
            self.next_at = now + FIRST;
        } else {
            self.next_at = now.saturating_add(self.interval);
            self.interval = self.interval.saturating_mul(2).min(self.idle);
        }
    }

    /// A look below has taken `took`.
    pub(super) fn looked_below(&mut self, full: bool, took: Duration, now: Duration) {
        // A clock may stand still.
        let pause = took.saturating_mul(RARELY).max(FIRST);
        self.rescan_at = if full { now } else { now.saturating_add(pause) };
        self.forward_next = full;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_millis(50);

    #[test]
    fn it_looks_less_often_while_nothing_comes() {
        let mut pace = Pace::new(IDLE, Duration::ZERO);
        let mut now = Duration::ZERO;
        let mut looks = 0;
        while now < Duration::from_secs(1) {
            pace.looked(0, false, now);
            now = pace.next_at();
            looks += 1;
        }
        assert!((20..=27).contains(&looks), "{looks} looks in a second");
        pace.inserted(now);
        assert_eq!(pace.next_at(), now);
        pace.looked(0, false, now);
        assert_eq!(pace.next_at(), now + FIRST);
    }

    #[test]
    fn looking_below_takes_a_small_part_of_the_time() {
        let mut pace = Pace::new(IDLE, Duration::ZERO);
        assert_eq!(pace.due(Duration::ZERO), Some(Look::Below));
        let took = Duration::from_millis(20);
        pace.looked_below(false, took, took);
        pace.looked(1, true, took);
        assert_eq!(pace.due(took), Some(Look::Forward));
        assert_eq!(pace.due(took + took * RARELY), Some(Look::Below));
        pace.rescan_now(took);
        assert_eq!(pace.due(took), Some(Look::Below));
    }

    #[test]
    fn rows_above_do_not_wait_for_many_rows_below() {
        let now = Duration::from_secs(1);
        let mut pace = Pace::new(IDLE, now);
        for _ in 0..3 {
            assert_eq!(pace.due(now), Some(Look::Below));
            pace.looked_below(true, IDLE, now);
            assert_eq!(pace.due(now), Some(Look::Forward));
            pace.looked(0, false, now);
        }
    }
}
