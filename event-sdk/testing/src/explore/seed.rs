//! `Seed`: what makes one run differ from the others, as a text that replays it.

use std::fmt;
use std::str::FromStr;

/// Names the disturbance of one run of a scenario: none, a crash at a point, or faults from a seed.
/// The text of this value (`undisturbed`, `crash:17`, `faults:42`) replays the run.
///
/// ```
/// use event_sdk_testing::Seed;
///
/// assert_eq!("crash:17".parse(), Ok(Seed::crash_at(17)));
/// assert_eq!(Seed::faults(42).to_string(), "faults:42");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Undisturbed,
    Crash(u32),
    Faults(u64),
}

impl Seed {
    /// The run without crash and faults.
    pub const UNDISTURBED: Self = Self(Kind::Undisturbed);

    /// A crash at the point with this number, counted from one.
    #[must_use]
    pub const fn crash_at(point: u32) -> Self {
        Self(Kind::Crash(point))
    }

    /// The faults of this seed; see [`Faults::from_seed`](crate::Faults::from_seed).
    #[must_use]
    pub const fn faults(seed: u64) -> Self {
        Self(Kind::Faults(seed))
    }

    /// The number of the point at which the process crashes; `None` without a crash.
    #[must_use]
    pub const fn crash_point(self) -> Option<u32> {
        match self.0 {
            Kind::Crash(point) => Some(point),
            _ => None,
        }
    }

    /// The seed of the faults; `None` without faults.
    #[must_use]
    pub const fn fault_seed(self) -> Option<u64> {
        match self.0 {
            Kind::Faults(seed) => Some(seed),
            _ => None,
        }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Undisturbed => f.write_str("undisturbed"),
            Kind::Crash(point) => write!(f, "crash:{point}"),
            Kind::Faults(seed) => write!(f, "faults:{seed}"),
        }
    }
}

impl FromStr for Seed {
    type Err = InvalidSeed;

    fn from_str(text: &str) -> Result<Self, InvalidSeed> {
        let invalid = || InvalidSeed(text.to_owned());
        if text == "undisturbed" {
            return Ok(Self::UNDISTURBED);
        }
        match text.split_once(':') {
            Some(("crash", point)) => point.parse().map(Self::crash_at).map_err(|_| invalid()),
            Some(("faults", seed)) => seed.parse().map(Self::faults).map_err(|_| invalid()),
            _ => Err(invalid()),
        }
    }
}

/// The text is not a [`Seed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSeed(String);

impl fmt::Display for InvalidSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no seed; write `undisturbed`, `crash:<point>` or `faults:<number>`",
            self.0
        )
    }
}

impl std::error::Error for InvalidSeed {}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn the_text_of_a_seed_is_read_as_the_seed() {
        for seed in [Seed::UNDISTURBED, Seed::crash_at(3), Seed::faults(u64::MAX)] {
            assert_eq!(seed.to_string().parse(), Ok(seed));
        }
        for text in ["", "crash", "crash:x", "crash:-1", "faults:1.5", "7"] {
            let error = text.parse::<Seed>().unwrap_err().to_string();
            assert!(error.contains("crash:<point>"), "{error}");
        }
    }
}
