//! `Pace`: finds pull requests that the server ends at once, again and again.

use std::time::{Duration, Instant};

use super::status::{Left, Status};

/// Counts requests that ended since the last message.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<Instant>,
    ends: u32,
}

/// How many requests may end in a row. Several that were made together end together, and a server
/// may name one limit after another.
const FREE: u32 = 8;

/// After a pause this long, requests end as they should: when their time is over.
const LONG: Duration = Duration::from_millis(2500);

impl Pace {
    /// Whether the request that follows this status has to wait. Where the status itself begins a
    /// recovery, it waits in any case.
    pub(super) fn hear(&mut self, status: &Status, now: Instant) -> bool {
        let is_asked_again = matches!(
            status,
            Status::Ended(Left::Of(_))
                | Status::TooLarge { .. }
                | Status::AtMost(_)
                | Status::NotLonger(_)
                | Status::BytesAtMost(_)
        );
        is_asked_again && self.ended(now)
    }

    /// A request ended without a message: whether the next one has to wait.
    fn ended(&mut self, now: Instant) -> bool {
        let again = self
            .last
            .replace(now)
            .is_some_and(|last| now.saturating_duration_since(last) < LONG);
        self.ends = if again {
            self.ends.saturating_add(1)
        } else {
            1
        };
        self.ends > FREE
    }

    /// A message came.
    pub(super) fn served(&mut self) {
        self.ends = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_again_and_again_has_to_wait() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for _ in 0..FREE {
            assert!(!pace.ended(now));
        }
        // Also after the longest pause between two tries.
        now += Duration::from_secs(1);
        assert!(pace.ended(now));
        now += Duration::from_secs(2);
        assert!(pace.ended(now));
        pace.served();
        assert!(!pace.ended(now));
    }

    #[test]
    fn what_ends_when_its_time_is_over_does_not() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        for _ in 0..100 {
            now += Duration::from_secs(5);
            for _ in 0..4 {
                assert!(!pace.ended(now));
            }
        }
    }
}
