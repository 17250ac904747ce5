//! `Retry`: when a failed attempt is repeated (steps or exponential backoff, cap, jitter), and
//! after how many attempts the event is given up (`max_attempts`).

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

/// The delays between the attempts of one event, and the number of attempts.
///
/// Each start of the handler for an event is an attempt. A start that ends in an
/// [outage](super::FailureClass::Outage) does not count.
///
/// During a delay, the consumer holds the event in the process and restarts its ack wait. So a
/// delay should be at most a few minutes.
///
/// ```
/// use std::time::Duration;
/// use event_sdk::consumer::Retry;
///
/// const RETRY: Retry = Retry::steps([Duration::from_secs(1), Duration::from_secs(5)]).max_attempts(4);
///
/// assert_eq!(RETRY.delay(1, 0), Some(Duration::from_secs(1)));
/// assert_eq!(RETRY.delay(2, 0), Some(Duration::from_secs(5)));
/// assert_eq!(RETRY.delay(3, 0), Some(Duration::from_secs(5))); // the last step repeats
/// assert_eq!(RETRY.delay(4, 0), None); // the fourth attempt was the last
/// ```
///
/// Write the steps as an array. An empty array does not compile:
///
/// ```compile_fail,E0080
/// let never = event_sdk::consumer::Retry::steps([]);
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct Retry {
    delays: Delays,
    jitter: f64,
    max_attempts: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Delays {
    /// There is one attempt.
    None,
    /// The first `count` of `steps`.
    Steps {
        steps: [Duration; Retry::MAX_STEPS],
        count: usize,
    },
    Exponential {
        first: Duration,
        factor: f64,
        cap: Duration,
    },
}

impl Retry {
    /// The number of attempts unless [`max_attempts`](Self::max_attempts) says otherwise: 5.
    pub const DEFAULT_MAX_ATTEMPTS: u32 = 5;

    /// The largest number of steps: 12.
    pub const MAX_STEPS: usize = 12;

    /// Waits for the first step after the first attempt, for the second step after the second
    /// attempt, and so on; the last step repeats. Five attempts unless
    /// [`max_attempts`](Self::max_attempts) says otherwise.
    ///
    /// Between 1 and 12 steps; other arrays do not compile. For steps that are only known at run
    /// time, see [`from_steps`](Self::from_steps).
    #[must_use]
    pub const fn steps<const N: usize>(steps: [Duration; N]) -> Self {
        const {
            assert!(
                N > 0,
                "Retry::steps needs at least one step; Retry::none() never retries"
            );
            assert!(N <= Self::MAX_STEPS, "Retry::steps takes at most 12 steps");
        }
        Self::of_slice(&steps)
    }

    /// Like [`steps`](Self::steps), for steps from a configuration.
    ///
    /// # Errors
    ///
    /// [`InvalidRetry::Steps`] if there is no step, or if there are more than 12.
    pub const fn from_steps(steps: &[Duration]) -> Result<Self, InvalidRetry> {
        if steps.is_empty() || steps.len() > Self::MAX_STEPS {
            return Err(InvalidRetry::Steps(steps.len()));
        }
        Ok(Self::of_slice(steps))
    }

    const fn of_slice(from: &[Duration]) -> Self {
        let mut steps = [Duration::ZERO; Self::MAX_STEPS];
        let mut index = 0;
        while index < from.len() && index < Self::MAX_STEPS {
            steps[index] = from[index];
            index += 1;
        }
        Self::new(Delays::Steps {
            steps,
            count: index,
        })
    }

    /// Waits for `first` after the first attempt. Each further delay is `factor` times as long as
    /// the delay before it, but never longer than `cap`. Five attempts unless
    /// [`max_attempts`](Self::max_attempts) says otherwise.
    ///
    /// [`check`](Self::check) refuses a `first` of zero, a `cap` below `first`, and a `factor` that
    /// is below one or not finite.
    #[must_use]
    pub const fn exponential(first: Duration, factor: f64, cap: Duration) -> Self {
        Self::new(Delays::Exponential { first, factor, cap })
    }

    /// One attempt: an event whose handler fails is given up at once.
    #[must_use]
    pub const fn none() -> Self {
        let mut none = Self::new(Delays::None);
        none.max_attempts = 1;
        none
    }

    /// Five attempts with 1, 5, 30 and 120 seconds between them. This is the default of a consumer,
    /// and the usual policy for effects that must happen.
    #[must_use]
    pub const fn at_least_once() -> Self {
        Self::steps([secs(1), secs(5), secs(30), secs(120)])
    }

    /// Five attempts with 1, 5, 15 and 30 seconds between them. If
    /// [`max_attempts`](Self::max_attempts) is raised, each further delay is 60 seconds.
    #[must_use]
    pub const fn up_to_a_minute() -> Self {
        Self::steps([secs(1), secs(5), secs(15), secs(30), secs(60)])
    }

    /// Five attempts with 0.1, 0.2, 0.4 and 0.8 seconds between them, each delay shortened at
    /// random by up to half: the delays are at most 1.5 seconds together. If
    /// [`max_attempts`](Self::max_attempts) is raised, the delay doubles up to 2 seconds. This
    /// policy is for consumers that hold few unsettled events, and must not hold an event for long.
    #[must_use]
    pub const fn low_latency() -> Self {
        Self::exponential(Duration::from_millis(100), 2.0, secs(2)).jitter(0.5)
    }

    const fn new(delays: Delays) -> Self {
        Self {
            delays,
            jitter: 0.0,
            max_attempts: Self::DEFAULT_MAX_ATTEMPTS,
        }
    }

    /// Shortens each delay at random by up to this fraction, so that events that failed together
    /// are not all repeated at the same time. With `0.0` there is no jitter. With `0.25`, a delay
    /// of 4 s becomes a delay between 3 s and 4 s. With `1.0`, it becomes a delay between zero and
    /// 4 s.
    ///
    /// [`check`](Self::check) refuses a fraction that is not between zero and one.
    #[must_use]
    pub const fn jitter(mut self, fraction: f64) -> Self {
        self.jitter = fraction;
        self
    }

    /// Sets the number of attempts, the first one included. When the last attempt has failed, the
    /// event is given up: it becomes a dead letter.
    ///
    /// [`check`](Self::check) refuses zero, and more than one for [`none`](Self::none).
    #[must_use]
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// The number of attempts, the first one included.
    pub const fn attempts(&self) -> u32 {
        self.max_attempts
    }

    /// How long to wait after attempt number `attempt` has failed; `None` after the last attempt.
    /// Attempts are counted from one.
    ///
    /// The delay depends on the arguments alone: the jitter comes from `seed`, so the same seed
    /// gives the same delays. Different events need different seeds. Even for a policy that
    /// [`check`](Self::check) refuses, this method does not panic, and the number of attempts has a
    /// limit.
    pub fn delay(&self, attempt: u32, seed: u64) -> Option<Duration> {
        if attempt >= self.max_attempts {
            return None;
        }
        let repeated = attempt.saturating_sub(1);
        let delay = match &self.delays {
            Delays::None => return None,
            Delays::Steps { steps, count } => {
                let index = usize::try_from(repeated).unwrap_or(usize::MAX);
                *steps.get(index.min(count.checked_sub(1)?))?
            }
            Delays::Exponential { first, factor, cap } => grown(*first, *factor, *cap, repeated),
        };
        Some(self.shortened(delay, attempt, seed))
    }

    fn shortened(&self, delay: Duration, attempt: u32, seed: u64) -> Duration {
        if !(self.jitter > 0.0 && self.jitter <= 1.0) {
            return delay;
        }
        let part = 1.0 - self.jitter * unit(mix(seed ^ mix(u64::from(attempt))));
        // At most one, so neither the product nor the conversion can exceed a duration by more than
        // its rounding.
        Duration::try_from_secs_f64(delay.as_secs_f64() * part)
            .map_or(delay, |short| short.min(delay))
    }

    /// Checks whether the policy can be used. A consumer calls this method when it starts.
    ///
    /// # Errors
    ///
    /// [`InvalidRetry`] names the argument that is invalid.
    pub fn check(&self) -> Result<(), InvalidRetry> {
        match self.delays {
            Delays::None if self.max_attempts > 1 => {
                return Err(InvalidRetry::AttemptsWithoutDelay(self.max_attempts));
            }
            Delays::None | Delays::Steps { .. } => {}
            Delays::Exponential { first, factor, cap } => {
                if first.is_zero() {
                    return Err(InvalidRetry::NoFirstDelay);
                }
                if !factor.is_finite() || factor < 1.0 {
                    return Err(InvalidRetry::Factor(factor));
                }
                if cap < first {
                    return Err(InvalidRetry::Cap { first, cap });
                }
            }
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(InvalidRetry::Jitter(self.jitter));
        }
        if self.max_attempts == 0 {
            return Err(InvalidRetry::NoAttempts);
        }
        Ok(())
    }
}

impl Default for Retry {
    /// [`at_least_once`](Retry::at_least_once).
    fn default() -> Self {
        Self::at_least_once()
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Retry");
        match &self.delays {
            Delays::None => {}
            Delays::Steps { steps, count } => {
                out.field("steps", &steps.get(..*count).unwrap_or(steps));
            }
            Delays::Exponential { first, factor, cap } => {
                out.field("first", first)
                    .field("factor", factor)
                    .field("cap", cap);
            }
        }
        out.field("jitter", &self.jitter)
            .field("max_attempts", &self.max_attempts)
            .finish()
    }
}

/// Why a [`Retry`] cannot be used.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum InvalidRetry {
    /// There is this number of steps, instead of 1 to 12.
    Steps(usize),
    /// The first delay of an exponential backoff is zero, and would never grow.
    NoFirstDelay,
    /// The factor of an exponential backoff is below one or not finite.
    Factor(f64),
    /// The cap of an exponential backoff is below its first delay.
    Cap {
        /// The first delay.
        first: Duration,
        /// The cap.
        cap: Duration,
    },
    /// The jitter is not a fraction between zero and one.
    Jitter(f64),
    /// The number of attempts is zero.
    NoAttempts,
    /// [`Retry::none`] was given this number of attempts, but has no delay between them.
    AttemptsWithoutDelay(u32),
}

impl fmt::Display for InvalidRetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(0) => f.write_str(
                "the retry policy has no step; give at least one, or use `Retry::none()`",
            ),
            Self::Steps(count) => write!(
                f,
                "the retry policy has {count} steps; give at most {}, the last one repeats",
                Retry::MAX_STEPS
            ),
            Self::NoFirstDelay => f.write_str(
                "the first delay of an exponential retry is zero and would never grow; \
                 give a delay above zero",
            ),
            Self::Factor(factor) => write!(
                f,
                "the factor of an exponential retry is {factor}; give a finite number of at least 1"
            ),
            Self::Cap { first, cap } => write!(
                f,
                "the cap of an exponential retry ({cap:?}) is below its first delay ({first:?})"
            ),
            Self::Jitter(jitter) => write!(
                f,
                "the jitter of a retry is {jitter}; give a fraction between 0 and 1"
            ),
            Self::NoAttempts => {
                f.write_str("`max_attempts` is zero, but the handler has to be started once")
            }
            Self::AttemptsWithoutDelay(attempts) => write!(
                f,
                "`Retry::none()` has no delay for {attempts} attempts; use `Retry::steps`"
            ),
        }
    }
}

impl std::error::Error for InvalidRetry {}

/// `first` times `factor` to the power of `times`, at most `cap`.
fn grown(first: Duration, factor: f64, cap: Duration, times: u32) -> Duration {
    let times = i32::try_from(times).unwrap_or(i32::MAX);
    // Infinite and NaN (an invalid factor) are no durations.
    Duration::try_from_secs_f64(first.as_secs_f64() * factor.powi(times))
        .map_or(cap, |d| d.min(cap))
}

/// A number in `[0, 1)` with the upper 53 bits of `random`.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits are what an f64 holds exactly"
)]
fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

/// `SplitMix64`: spreads the bits of a number, so that neighbouring seeds give unrelated delays.
const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
