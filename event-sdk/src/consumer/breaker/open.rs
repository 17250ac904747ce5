//! `Open`: the open state of a circuit: when the next probe is due, and how many events are wanted to
//! probe with.

use std::time::Duration;

use super::{Claimed, Pass, ProbeInterval};

/// The largest number of events of different keys that a scope keeps for probes before fetching
/// pauses.
pub(super) const MAX_WITNESSES: usize = 16;

/// The number at first.
const FIRST_WITNESSES: usize = 2;

/// The open state.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) since: Duration,
    /// The claim that opened the scope.
    pub(super) claim: Pass,
    /// When the next probe may start.
    pub(super) next: Duration,
    pub(super) interval: Duration,
    /// The event that runs as a probe.
    pub(super) probe: Option<u64>,
    pub(super) last_probed: Option<u64>,
    pub(super) failed: u32,
    /// Failed probes since `wanted` was raised.
    failed_in_round: usize,
    /// The number of witnesses from which on fetching pauses.
    pub(super) wanted: usize,
}

impl Open {
    pub(super) fn new(key: u64, claimed: Claimed, interval: ProbeInterval) -> Self {
        Self {
            since: claimed.now,
            claim: claimed.at,
            next: claimed.now.saturating_add(interval.first()),
            interval: interval.first(),
            probe: None,
            last_probed: Some(key),
            failed: 0,
            failed_in_round: 0,
            wanted: FIRST_WITNESSES,
        }
    }

    pub(super) fn probe_failed(&mut self, now: Duration, interval: ProbeInterval) {
        self.probe = None;
        self.failed = self.failed.saturating_add(1);
        self.failed_in_round += 1;
        self.interval = interval.after(self.interval);
        self.next = now.saturating_add(self.interval);
    }

    /// Wants one more witness after each of `witnesses` has been a probe.
    pub(super) fn want_more(&mut self, witnesses: usize) {
        if witnesses >= self.wanted && self.failed_in_round >= witnesses {
            self.wanted = (witnesses + 1).min(MAX_WITNESSES);
            self.failed_in_round = 0;
        }
    }
}
