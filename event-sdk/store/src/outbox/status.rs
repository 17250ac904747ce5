//! `OutboxStatus`: depth, age, parked keys and rate of an outbox.

use std::fmt;
use std::time::Duration;

/// The state of an outbox at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct OutboxStatus {
    /// The number of rows that can be published now.
    pub depth: Counted,
    /// The number of rows that wait for their `not_before`.
    pub scheduled: Counted,
    /// The number of rows that are parked.
    pub parked_rows: Counted,
    /// The number of parked entries: keys, and single rows without a key.
    pub parked_keys: Counted,
    /// How long the oldest row that can be published has waited since it was inserted; `None` if no
    /// row can be published. [`Duration::as_secs_f64`] returns this age in seconds.
    pub oldest_age: Option<Duration>,
    /// The number of rows that were published within the last [`RATE_WINDOW`](Self::RATE_WINDOW).
    pub published_lately: Counted,
    /// The number of relays that are alive.
    pub relays: u32,
}

impl OutboxStatus {
    /// The time over which [`published_lately`](Self::published_lately) counts: 10 seconds.
    pub const RATE_WINDOW: Duration = Duration::from_secs(10);

    /// The rows published per second over the last [`RATE_WINDOW`](Self::RATE_WINDOW). If there
    /// were [too many rows to count](Counted), the result is a lower bound.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "the count is at most Counted::LIMIT"
    )]
    pub fn rate(&self) -> f64 {
        self.published_lately.rows() as f64 / Self::RATE_WINDOW.as_secs_f64()
    }
}

/// A number of rows, counted only up to [`LIMIT`](Self::LIMIT). So reading a status takes bounded
/// time, however large the backlog is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted(u64);

impl Counted {
    /// The largest number up to which rows are counted: 100,000.
    pub const LIMIT: u64 = 100_000;

    /// A number of rows. A store stops counting at one row more than [`LIMIT`](Self::LIMIT), which
    /// shows that there are more rows.
    #[must_use]
    pub const fn new(rows: u64) -> Self {
        Self(rows)
    }

    /// The number of rows, at most [`LIMIT`](Self::LIMIT).
    #[must_use]
    pub const fn rows(self) -> u64 {
        if self.0 > Self::LIMIT {
            Self::LIMIT
        } else {
            self.0
        }
    }

    /// Whether there are more rows than [`rows`](Self::rows) returns.
    #[must_use]
    pub const fn is_at_least(self) -> bool {
        self.0 > Self::LIMIT
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_at_least() {
            write!(f, "more than {}", Self::LIMIT)
        } else {
            write!(f, "{}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_ends_at_its_limit() {
        assert_eq!(Counted::new(7).to_string(), "7");
        assert!(!Counted::new(Counted::LIMIT).is_at_least());
        let many = Counted::new(Counted::LIMIT + 1);
        assert_eq!(many.to_string(), "more than 100000");
        assert_eq!(many.rows(), Counted::LIMIT);
    }

    #[test]
    fn the_rate_is_that_of_the_window() {
        let status = OutboxStatus {
            published_lately: Counted::new(50),
            ..OutboxStatus::default()
        };
        assert!((status.rate() - 5.0).abs() < f64::EPSILON);
    }
}
