//! `Suspended`: measures for how long the machine was suspended.

use std::time::{Duration, Instant};

/// Compares the clock that runs while the machine is suspended with the one that stops.
///
/// On Linux and Apple systems `std::time::Instant` stops, and the system has a second clock that
/// runs. On Windows `Instant` runs. Elsewhere there is nothing to compare, and the time is zero.
///
/// A virtual machine that its host stops can notice that only if the host adjusts this clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suspended {
    stops: Instant,
    runs: Option<Duration>,
}

/// The two clocks are read again if reading them took longer: the process was interrupted between.
const APART: Duration = Duration::from_millis(1);

/// How often they are read at most.
const TRIES: usize = 5;

impl Suspended {
    /// Counts from now on.
    pub(crate) fn new() -> Self {
        let (stops, runs) = read();
        Self { stops, runs }
    }

    /// The time since [`new`](Self::new) for which the machine was suspended.
    pub(crate) fn elapsed(&self) -> Duration {
        let (stops, runs) = read();
        match (self.runs, runs) {
            (Some(before), Some(now)) => {
                let awake = stops.saturating_duration_since(self.stops);
                now.saturating_sub(before).saturating_sub(awake)
            }
            _ => Duration::ZERO,
        }
    }
}

/// Reads both clocks, at nearly the same time.
fn read() -> (Instant, Option<Duration>) {
    let mut tries = 1;
    loop {
        let before = Instant::now();
        let runs = running();
        let after = Instant::now();
        if after.saturating_duration_since(before) < APART || tries == TRIES {
            return (after, runs);
        }
        tries += 1;
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn running() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};

    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: ClockId = ClockId::Boottime;
    // Unlike `Instant` there, which stops.
    #[cfg(target_vendor = "apple")]
    const CLOCK: ClockId = ClockId::Monotonic;
    Duration::try_from(clock_gettime(CLOCK)).ok()
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn running() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_is_awake_was_not_suspended() {
        let suspended = Suspended::new();
        for _ in 0..1_000 {
            assert!(suspended.elapsed() < Duration::from_millis(50));
        }
    }

    #[test]
    fn the_time_by_which_the_running_clock_is_ahead_counts() {
        let mut suspended = Suspended::new();
        let Some(runs) = suspended.runs else {
            return;
        };
        // As if the machine had slept since then: the running clock was behind.
        let slept = runs / 2; // so that the other half is left
        suspended.runs = Some(slept);
        let measured = suspended.elapsed();
        assert!(measured + APART > slept && measured < slept + Duration::from_secs(60));
    }
}
