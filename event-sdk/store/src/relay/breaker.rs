//! `Breaker`: which rows wait during an outage, and which one is the next probe.
//!
//! An outage of the server opens the breaker for all rows, one of a stream for the rows of a domain
//! (the first token of the subject after the prefix). While it is open, one row at a time is sent as a
//! probe, after a growing delay, and each time another row. A success closes it.
//!
//! A row that claims an outage of its domain again, although a row of the domain that was sent after
//! its last claim was confirmed, counts this claim as an attempt. So a row that always times out does
//! not hold up its domain for ever.

use std::collections::HashMap;
use std::time::Duration;

/// The delay before the first probe.
const FIRST_PROBE: Duration = Duration::from_millis(100);

/// The longest delay between two probes.
const LONGEST_PROBE: Duration = Duration::from_secs(5);

/// The scope of all rows.
pub(super) const ALL: &str = "";

/// The open outages of a relay, by scope.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    open: HashMap<String, Outage>,
    /// The start of the newest confirmed publish, by domain.
    succeeded: HashMap<String, u64>,
    /// The newest claim of each row that is held.
    claims: HashMap<i64, u64>,
    ticks: u64,
}

#[derive(Debug)]
struct Outage {
    delay: Duration,
    probe_at: Duration,
    /// The row that is in flight as a probe.
    probe: Option<i64>,
}

/// What a claim of an outage means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// The scope is unavailable now, and was not before.
    Opened,
    /// The scope was away already.
    Known,
    /// Others succeed meanwhile: it counts as an attempt.
    Counts,
}

impl Breaker {
    /// Whether a row of this domain may be sent now. If the breaker is open, this is a probe.
    pub(super) fn admit(&mut self, domain: &str, row: i64, now: Duration) -> bool {
        let scope = if self.open.contains_key(ALL) {
            ALL
        } else {
            domain
        };
        let Some(outage) = self.open.get_mut(scope) else {
            return true;
        };
        if outage.probe.is_some() || now < outage.probe_at {
            return false;
        }
        outage.probe = Some(row);
        true
    }

    /// The number of a start, for [`confirmed`](Self::confirmed).
    pub(super) fn started(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }

    /// How many publishes have begun.
    pub(super) fn starts(&self) -> u64 {
        self.ticks
    }

    /// A publish that began at `started` was confirmed. Returns whether this ended an outage.
    pub(super) fn confirmed(&mut self, domain: &str, row: i64, started: u64) -> bool {
        self.claims.remove(&row);
        if let Some(newest) = self.succeeded.get_mut(domain) {
            *newest = started.max(*newest);
        } else {
            self.succeeded.insert(domain.to_owned(), started);
        }
        if self.open.is_empty() {
            return false;
        }
        let all = self.open.remove(ALL).is_some();
        let of_domain = self.open.remove(domain).is_some();
        all || of_domain
    }

    /// A publish failed with an outage of `scope`: [`ALL`], or the domain of the row.
    pub(super) fn claimed(&mut self, scope: &str, row: i64, now: Duration) -> Claim {
        let before = self.claims.insert(row, self.ticks);
        if scope != ALL
            && let (Some(before), Some(succeeded)) = (before, self.succeeded.get(scope))
            && *succeeded > before
        {
            self.ended(row, now);
            return Claim::Counts;
        }
        self.ended(row, now);
        if self.open.contains_key(scope) {
            return Claim::Known;
        }
        let outage = Outage {
            delay: FIRST_PROBE,
            probe_at: now + FIRST_PROBE,
            probe: None,
        };
        self.open.insert(scope.to_owned(), outage);
        Claim::Opened
    }

    /// A publish ended in another way. If the row was a probe, another one may follow at once.
    pub(super) fn other(&mut self, row: i64) {
        self.claims.remove(&row);
        for outage in self.open.values_mut() {
            if outage.probe == Some(row) {
                outage.probe = None;
            }
        }
    }

    /// A probe claimed an outage again: the next one follows later.
    fn ended(&mut self, row: i64, now: Duration) {
        for outage in self.open.values_mut() {
            if outage.probe == Some(row) {
                outage.probe = None;
                outage.delay = (outage.delay * 2).min(LONGEST_PROBE);
                outage.probe_at = now + outage.delay;
            }
        }
    }

    /// Whether the rows of this domain wait.
    pub(super) fn waits(&self, domain: &str) -> bool {
        self.open.contains_key(domain) || self.all_wait()
    }

    /// Whether everything waits.
    pub(super) fn all_wait(&self) -> bool {
        self.open.contains_key(ALL)
    }

    /// When the next probe may start, after `now`: one that may start already waits for a row.
    pub(super) fn wake_at(&self, now: Duration) -> Option<Duration> {
        let waiting = self.open.values().filter(|outage| outage.probe.is_none());
        let at = waiting.map(|outage| outage.probe_at);
        at.filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(10);

    #[test]
    fn one_probe_at_a_time_until_one_succeeds() {
        let mut breaker = Breaker::default();
        assert!(breaker.admit("orders", 1, NOW));
        assert_eq!(breaker.claimed(ALL, 1, NOW), Claim::Opened);
        assert!(!breaker.admit("orders", 1, NOW));
        let probe_at = breaker.wake_at(NOW).expect("a probe follows");
        assert!(breaker.admit("orders", 2, probe_at));
        assert!(!breaker.admit("flights", 3, probe_at));
        assert_eq!(breaker.claimed(ALL, 2, probe_at), Claim::Known);
        let next = breaker.wake_at(probe_at).expect("a probe follows");
        assert!(next > probe_at + FIRST_PROBE);
        assert!(breaker.admit("flights", 3, next));
        let started = breaker.started();
        assert!(breaker.confirmed("flights", 3, started));
        assert!(breaker.admit("orders", 1, next));
        assert_eq!(breaker.wake_at(NOW), None);
    }

    #[test]
    fn an_outage_of_a_domain_leaves_others_alone() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.claimed("orders", 1, NOW), Claim::Opened);
        assert!(!breaker.admit("orders", 2, NOW));
        assert!(breaker.admit("flights", 3, NOW));
        assert!(!breaker.all_wait());
    }

    #[test]
    fn a_claim_counts_only_after_a_later_success_of_the_domain() {
        let mut breaker = Breaker::default();
        let early = breaker.started();
        assert_eq!(breaker.claimed("orders", 1, NOW), Claim::Opened);
        breaker.confirmed("orders", 2, early);
        assert_eq!(breaker.claimed("orders", 1, NOW), Claim::Opened);
        let late = breaker.started();
        breaker.confirmed("orders", 2, late);
        assert_eq!(breaker.claimed("orders", 1, NOW), Claim::Counts);
        assert!(breaker.admit("orders", 3, NOW));
    }
}
