//! `ProbeInterval`: how often an open circuit breaker probes whether the dependency is back.

use std::fmt;
use std::time::Duration;

/// How often a consumer probes during an outage: after the first interval, then after intervals
/// that double, up to the longest one. Default: from 1 to 30 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeInterval {
    first: Duration,
    longest: Duration,
}

impl ProbeInterval {
    /// Probes after `first`, then after intervals that double, up to `longest`.
    ///
    /// A consumer refuses a `first` of zero, and a `longest` below `first`, when it starts.
    #[must_use]
    pub const fn between(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// Probes at a fixed interval.
    #[must_use]
    pub const fn every(interval: Duration) -> Self {
        Self::between(interval, interval)
    }

    /// The time from the outage to the first probe.
    pub const fn first(&self) -> Duration {
        self.first
    }

    /// The longest time between two probes.
    pub const fn longest(&self) -> Duration {
        self.longest
    }

    /// The interval that follows `interval`.
    pub(super) fn after(self, interval: Duration) -> Duration {
        interval.saturating_mul(2).min(self.longest)
    }

    /// Whether the interval can be used. A consumer calls this when it starts.
    ///
    /// # Errors
    ///
    /// [`InvalidProbeInterval`] if the first interval is zero, or above the longest one.
    pub const fn check(&self) -> Result<(), InvalidProbeInterval> {
        if self.first.is_zero() || self.longest.as_nanos() < self.first.as_nanos() {
            return Err(InvalidProbeInterval(*self));
        }
        Ok(())
    }
}

impl Default for ProbeInterval {
    fn default() -> Self {
        Self::between(Duration::from_secs(1), Duration::from_secs(30))
    }
}

/// A [`ProbeInterval`] that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidProbeInterval(ProbeInterval);

impl fmt::Display for InvalidProbeInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ProbeInterval { first, longest } = self.0;
        if first.is_zero() {
            f.write_str(
                "the first probe interval of the circuit breaker is zero, which would probe without \
                 a pause; give a longer one",
            )
        } else {
            write!(
                f,
                "the longest probe interval of the circuit breaker ({longest:?}) is below the first \
                 one ({first:?})"
            )
        }
    }
}

impl std::error::Error for InvalidProbeInterval {}
