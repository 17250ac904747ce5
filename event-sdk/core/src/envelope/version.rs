//! `Version`: the `major.minor` version of an event's data.

use std::fmt;
use std::str::FromStr;

/// The version of an event's data, `major.minor`: a compatible change raises the minor number, a
/// breaking change the major number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u16,
    minor: u16,
}

impl Version {
    /// The version `major.minor`.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// The major number, raised by breaking changes.
    #[must_use]
    pub const fn major(self) -> u16 {
        self.major
    }

    /// The minor number, raised by compatible changes.
    #[must_use]
    pub const fn minor(self) -> u16 {
        self.minor
    }
}

impl Default for Version {
    /// `1.0`, the version of an envelope that has none.
    fn default() -> Self {
        Self::new(1, 0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    /// Reads `major.minor`, or `major` alone, which means `major.0`.
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let invalid = || InvalidVersion(text.chars().take(40).collect());
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        };
        match (number(major), number(minor)) {
            (Some(major), Some(minor)) => Ok(Self { major, minor }),
            _ => Err(invalid()),
        }
    }
}

/// A malformed version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidVersion(String);

impl fmt::Display for InvalidVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no version; write `major.minor`, each a number up to 65535",
            self.0
        )
    }
}

impl std::error::Error for InvalidVersion {}
