//! Parses Rust versions of one, two or three numbers.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};

/// A version of Rust. Numbers left out count as zero, so `1.89` equals `1.89.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RustVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

impl RustVersion {
    /// Whether both name the same release line: `1.95.0` and `1.95.1`, not `1.94.0`.
    pub(crate) fn same_minor(self, other: Self) -> bool {
        (self.major, self.minor) == (other.major, other.minor)
    }
}

impl FromStr for RustVersion {
    type Err = anyhow::Error;

    /// Reads `1`, `1.89`, `1.89.0`, and a compiler's `1.97.0-nightly` as the release it leads to.
    fn from_str(text: &str) -> Result<Self> {
        let release = text.split_once('-').map_or(text, |(release, _)| release);
        let numbers: Option<Vec<u32>> = release.split('.').map(number).collect();
        match numbers.as_deref() {
            Some(&[major]) => Ok(Self::new(major, 0, 0)),
            Some(&[major, minor]) => Ok(Self::new(major, minor, 0)),
            Some(&[major, minor, patch]) => Ok(Self::new(major, minor, patch)),
            _ => bail!("`{text}` is no version of Rust: write it as `1.89` or `1.89.0`"),
        }
    }
}

impl RustVersion {
    const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

/// Digits only: `u32`'s own parser would take a sign as well.
fn number(digits: &str) -> Option<u32> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// As manifests write it: a patch of zero is left out.
impl fmt::Display for RustVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 {
            write!(f, ".{}", self.patch)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> RustVersion {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_left_out_are_zero() {
        assert_eq!(version("1.89"), version("1.89.0"));
        assert_eq!(version("1"), version("1.0.0"));
        assert_ne!(version("1.89"), version("1.89.1"));
    }

    #[test]
    fn numbers_compare_as_numbers_not_as_text() {
        assert!(version("1.9") < version("1.10"));
        assert!(version("1.89.9") < version("1.89.10"));
        assert!(version("1.94.1") > version("1.94"));
        assert!(version("2") > version("1.99.9"));
    }

    #[test]
    fn a_pre_release_of_the_compiler_counts_as_its_release() {
        assert_eq!(version("1.97.0-nightly"), version("1.97"));
        assert_eq!(version("1.96.0-beta.3"), version("1.96"));
    }

    #[test]
    fn the_release_line_ignores_the_patch() {
        assert!(version("1.95").same_minor(version("1.95.2")));
        assert!(!version("1.95").same_minor(version("1.96")));
        assert!(!version("1.95").same_minor(version("2.95")));
    }

    #[test]
    fn what_is_no_version_is_refused_by_name() {
        for text in [
            "",
            "1.",
            ".89",
            "1.89.0.1",
            "1.x",
            "v1.89",
            "+1.89",
            "1. 89",
            "1.99999999999",
        ] {
            let error = text.parse::<RustVersion>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")), "{error}");
        }
    }

    #[test]
    fn display_leaves_out_a_patch_of_zero() {
        assert_eq!(version("1.89.0").to_string(), "1.89");
        assert_eq!(version("1.89.2").to_string(), "1.89.2");
    }
}
