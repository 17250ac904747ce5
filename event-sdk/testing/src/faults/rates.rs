//! `Rates`: how often each kind of fault is injected.

use std::fmt;
use std::time::Duration;

use super::Fault;

/// The rate of each kind of [`Fault`]: the probability, from 0 to 1, that it is injected at an
/// occasion.
///
/// ```
/// use event_sdk_testing::{Fault, Rates};
///
/// let rates = Rates::none().duplicate(0.5).publish_stored(1.0);
/// assert_eq!(rates.of(Fault::Duplicate), 0.5);
/// assert_eq!(rates.of(Fault::LostAck), 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    rates: [f64; Fault::ALL.len()],
    longest_delay: Duration,
}

macro_rules! setters {
    ($($name:ident: $fault:ident;)*) => {$(
        #[doc = concat!("Sets the rate of [`Fault::", stringify!($fault), "`].")]
        #[must_use]
        pub fn $name(self, rate: f64) -> Self {
            self.with(Fault::$fault, rate)
        }
    )*};
}

impl Rates {
    /// No faults.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            rates: [0.0; Fault::ALL.len()],
            longest_delay: Duration::from_secs(5),
        }
    }

    /// Every kind at this rate.
    #[must_use]
    pub fn all(rate: f64) -> Self {
        let set = |rates: Self, fault: &Fault| rates.with(*fault, rate);
        Fault::ALL.iter().fold(Self::none(), set)
    }

    setters! {
        duplicate: Duplicate;
        redelivered: Redelivered;
        reorder: Reorder;
        delay: Delay;
        lost_ack: LostAck;
        publish_not_stored: PublishNotStored;
        publish_stored: PublishStored;
        crash: Crash;
    }

    /// Sets the rate of a kind, between 0 and 1. A rate below 0 counts as 0, a rate above 1 as 1.
    #[must_use]
    pub fn with(mut self, fault: Fault, rate: f64) -> Self {
        self.rates[fault as usize] = if rate.is_nan() {
            0.0
        } else {
            rate.clamp(0.0, 1.0)
        };
        self
    }

    /// Sets the longest delay of a delayed or repeated delivery. Default: 5 s. A delayed delivery
    /// is held for at most half of its ack wait.
    #[must_use]
    pub fn longest_delay(mut self, delay: Duration) -> Self {
        self.longest_delay = delay;
        self
    }

    /// The rate of a kind.
    #[must_use]
    pub fn of(&self, fault: Fault) -> f64 {
        self.rates[fault as usize]
    }

    pub(super) fn delay_limit(&self) -> Duration {
        self.longest_delay
    }
}

/// One in ten of each kind except [`Fault::Crash`], which needs a test that starts the service
/// again.
impl Default for Rates {
    fn default() -> Self {
        Self::all(0.1).crash(0.0)
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = Fault::ALL.iter().filter(|fault| self.of(**fault) > 0.0);
        let set: Vec<_> = set
            .map(|fault| format!("{fault} {}", self.of(*fault)))
            .collect();
        if set.is_empty() {
            return f.write_str("all rates zero");
        }
        f.write_str(&set.join(", "))
    }
}
