//! Parses program versions of two or three numbers.

use std::fmt;
use std::str::FromStr;

/// A version of a server. A patch that is left out counts as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// The version of these three numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }

    /// The first number.
    pub const fn major(self) -> u32 {
        self.major
    }

    /// The second number.
    pub const fn minor(self) -> u32 {
        self.minor
    }

    /// Whether both are of the same minor version: 2.15.0 and 2.15.1, not 2.14.1.
    pub const fn same_minor(self, other: Self) -> bool {
        self.major == other.major && self.minor == other.minor
    }

    /// The first version among the words of what a program printed about itself.
    ///
    /// # Errors
    ///
    /// [`InvalidVersion`] if no word is one.
    pub fn first_in(text: &str) -> Result<Self, InvalidVersion> {
        text.split_whitespace()
            .find_map(|word| word.parse().ok())
            .ok_or_else(|| InvalidVersion(text.trim().to_owned()))
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    /// Reads `2.10`, `2.10.1` and `v2.10.1`; of `2.12.0-RC.1` the release it leads to; of four
    /// numbers, as browsers have, the first three.
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let plain = text.strip_prefix('v').unwrap_or(text);
        let release = plain.split(['-', '+']).next().unwrap_or_default();
        let numbers: Option<Vec<u32>> = release.split('.').map(number).collect();
        match numbers.as_deref() {
            Some(&[major, minor]) => Ok(Self::new(major, minor, 0)),
            Some(&[major, minor, patch] | &[major, minor, patch, _]) => {
                Ok(Self::new(major, minor, patch))
            }
            _ => Err(InvalidVersion(text.to_owned())),
        }
    }
}

/// Digits only: `u32`'s own parser would take a sign as well.
fn number(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// A text that was expected to tell a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` tells no version such as 2.10.1")]
pub struct InvalidVersion(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_print_is_read() {
        let read = |text| Version::first_in(text).unwrap();
        assert_eq!(read("nats-server: v2.9.10\n"), Version::new(2, 9, 10));
        assert_eq!(read("nats-server: v2.12.0-RC.1"), Version::new(2, 12, 0));
        assert_eq!(
            read("postgres (PostgreSQL) 15.3 (Debian 15.3-0+deb12u1)"),
            Version::new(15, 3, 0)
        );
    }

    #[test]
    fn numbers_compare_as_numbers_not_as_text() {
        assert!(Version::new(2, 9, 10) < Version::new(2, 10, 0));
        assert!(Version::new(2, 11, 0) > Version::new(2, 9, 99));
    }

    #[test]
    fn a_patch_is_of_the_same_minor_version() {
        let version = Version::new(2, 15, 1);
        assert!(version.same_minor(Version::new(2, 15, 0)));
        assert!(!version.same_minor(Version::new(2, 14, 1)));
        assert!(!version.same_minor(Version::new(3, 15, 1)));
    }

    #[test]
    fn what_is_no_version_is_refused_by_name() {
        for text in ["", "2", "2.x", "2.+1", "2.1.1.1.1", "nats", "2.99999999999"] {
            let error = text.parse::<Version>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
        assert!(Version::first_in("usage: nats-server [options]").is_err());
    }
}
