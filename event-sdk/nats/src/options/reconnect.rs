//! Backoff between reconnect attempts, with jitter.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The waits between reconnect rounds, and the maximum number of attempts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reconnect {
    /// Wait after the first round over all servers.
    pub(super) first: Duration,
    /// Longest wait.
    pub(crate) longest: Duration,
    /// Maximum number of consecutive failed attempts; zero: no limit.
    pub(crate) attempts: usize,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(4),
            attempts: 0,
        }
    }
}

impl Reconnect {
    /// Like [`delay`](Self::delay), after short-lived connections: each counts as a failed round,
    /// and the first attempt waits too.
    pub(crate) fn delay_after(&self, short_lived: u32, attempt: usize, servers: usize) -> Duration {
        let short_lived = usize::try_from(short_lived).unwrap_or(usize::MAX);
        let rounds = short_lived.saturating_mul(servers.max(1));
        self.delay(attempt.max(1).saturating_add(rounds), servers)
    }

    /// The wait before the attempt with this number, starting at one. The first round tries each
    /// server at once; each further round starts after a wait.
    pub(crate) fn delay(&self, attempt: usize, servers: usize) -> Duration {
        let attempt = attempt.saturating_sub(1);
        let round = attempt / servers.max(1);
        if round == 0 || !attempt.is_multiple_of(servers.max(1)) {
            return Duration::ZERO;
        }
        let doublings = u32::try_from(round - 1).unwrap_or(u32::MAX);
        let factor = 2_u32.saturating_pow(doublings);
        let wait = self.first.saturating_mul(factor).min(self.longest);
        wait.mul_f64(1.0 - 0.5 * random())
    }
}

/// A random number from zero to one, so that many clients that lost one server do not reconnect at
/// the same instant.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 32;
    f64::from(u32::try_from(bits).unwrap_or(0)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_tried_at_once_and_then_after_longer_and_longer_waits() {
        let reconnect = Reconnect::default();
        let between = |attempt, servers, least: u64, most: u64| {
            let delay = reconnect.delay(attempt, servers);
            assert!(
                delay >= Duration::from_millis(least) && delay <= Duration::from_millis(most),
                "attempt {attempt} of {servers} servers waits {delay:?}"
            );
        };
        between(0, 1, 0, 0);
        between(1, 1, 0, 0);
        between(2, 1, 50, 100);
        between(3, 1, 100, 200);
        between(8, 1, 2000, 4000);
        between(usize::MAX, 1, 2000, 4000);
        for attempt in 1..=3 {
            between(attempt, 3, 0, 0);
        }
        between(4, 3, 50, 100);
        between(5, 3, 0, 0);
        between(6, 3, 0, 0);
        between(7, 3, 100, 200);
        between(1, 0, 0, 0);
    }

    #[test]
    fn connections_that_last_a_moment_do_not_begin_the_waits_anew() {
        let reconnect = Reconnect::default();
        let wait = |short_lived| reconnect.delay_after(short_lived, 1, 1).as_millis();
        assert_eq!(wait(0), 0);
        for (short_lived, least, most) in [(1, 50, 100), (2, 100, 200), (20, 2000, 4000)] {
            assert!((least..=most).contains(&wait(short_lived)), "{short_lived}");
        }
        // The other servers of a cluster are tried at once.
        assert!(reconnect.delay_after(3, 1, 3) >= Duration::from_millis(200));
        assert_eq!(reconnect.delay_after(3, 2, 3), Duration::ZERO);
    }

    #[test]
    fn waits_differ() {
        let delays = (0..16).map(|_| Reconnect::default().delay(9, 1));
        let different: std::collections::HashSet<_> = delays.collect();
        assert!(different.len() > 1);
    }
}
