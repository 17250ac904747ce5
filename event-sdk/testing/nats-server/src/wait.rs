//! Polls until a condition holds or a deadline passes.

use std::time::{Duration, Instant};

/// How often to look: a server needs about 15 ms to start, an election seconds.
const INTERVAL: Duration = Duration::from_millis(10);

/// A time limit for polling.
///
/// The caller writes the loop. A function that took a closure would make futures that are not
/// `Send`.
#[derive(Debug)]
pub struct Patience {
    deadline: Instant,
    over: bool,
}

impl Patience {
    /// A time limit of `within`, from now on.
    pub fn new(within: Duration) -> Self {
        Self {
            deadline: Instant::now() + within,
            over: false,
        }
    }

    /// Waits a moment, and returns whether to look again: `true` until the time is over, and once
    /// more after that.
    pub async fn again(&mut self) -> bool {
        if self.over {
            return false;
        }
        tokio::time::sleep(INTERVAL).await;
        self.over = Instant::now() >= self.deadline;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_lasts_as_long_as_it_is_told_and_then_one_more_look() {
        let start = Instant::now();
        let within = Duration::from_millis(20);
        let mut patience = Patience::new(within);
        let mut late = 0;
        while patience.again().await {
            late += u32::from(start.elapsed() >= within);
        }
        assert_eq!(late, 1);
        assert!(!patience.again().await);
    }

    #[tokio::test]
    async fn without_any_time_there_is_one_more_look() {
        let mut patience = Patience::new(Duration::ZERO);
        assert!(patience.again().await);
        assert!(!patience.again().await);
    }
}
