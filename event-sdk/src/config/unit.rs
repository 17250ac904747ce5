//! Durations and sizes as texts, and `Unit`: the unit of a bare number in another system's name.

use std::time::Duration;

use jiff::fmt::friendly::{SpanParser, SpanPrinter};

/// What a duration is, for errors.
pub(super) const DURATION: &str = "a duration such as `250ms`, `60s`, `5m` or `720h`";

/// What a size is, for errors.
pub(super) const BYTES: &str = "a size such as `65536`, `512KiB` or `8MiB`";

/// Reads a duration with its unit: `250ms`, `60s`, `1h 30m`, `720h`.
///
/// The SDK reads all its own durations with this function; use it for settings of your own.
///
/// ```
/// use std::time::Duration;
/// use event_sdk::config::parse_duration;
///
/// assert_eq!(parse_duration("1m 30s"), Ok(Duration::from_secs(90)));
/// assert!(parse_duration("90").unwrap_err().contains("`90s`"));
/// ```
///
/// # Errors
///
/// A text that says what is wrong, and how to write a duration. A number without a unit, a negative
/// duration, and a text that is no duration are refused.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A longer number may be a secret in the wrong place.
        let number = if text.len() > 12 { "60" } else { text };
        return Err(format!(
            "a number without a unit is not a duration; write `{number}s` for seconds, or `ms`, `m` or `h`"
        ));
    }
    SpanParser::new()
        .parse_unsigned_duration(text)
        .map_err(|_| format!("it has to be {DURATION}"))
}

/// The shortest text that [`parse_duration`] reads as this duration.
pub(super) fn duration_text(duration: Duration) -> String {
    SpanPrinter::new().unsigned_duration_to_string(&duration)
}

/// The unit of a bare number in a setting of another system.
///
/// ```
/// use std::time::Duration;
/// use event_sdk::config::Unit;
///
/// assert_eq!(Unit::Hours.read("720"), Ok(Duration::from_secs(30 * 24 * 60 * 60)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Hours.
    Hours,
}

impl Unit {
    /// Reads a bare number of this unit, or a duration with a unit of its own.
    ///
    /// # Errors
    ///
    /// A text that says what is wrong, and how to write a duration.
    pub fn read(self, text: &str) -> Result<Duration, String> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return parse_duration(text);
        }
        let number: u64 = text.parse().map_err(|_| "it is too large".to_owned())?;
        match self {
            Self::Milliseconds => Ok(Duration::from_millis(number)),
            Self::Seconds => Ok(Duration::from_secs(number)),
            Self::Hours => match number.checked_mul(60 * 60) {
                Some(seconds) => Ok(Duration::from_secs(seconds)),
                None => Err("it is too large".to_owned()),
            },
        }
    }
}

const SIZES: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads a size in bytes, with or without a unit.
pub(super) fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let unit = unit.trim();
    if unit.is_empty() {
        return Some(number);
    }
    let mut sizes = SIZES.iter();
    let (_, size) = sizes.find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.checked_mul(*size)
}

/// The shortest text that [`parse_bytes`] reads as this size.
pub(super) fn bytes_text(bytes: u64) -> String {
    let whole = |size: u64| bytes != 0 && bytes.is_multiple_of(size);
    let mut sizes = SIZES[..3].iter();
    match sizes.find(|(_, size)| whole(*size)) {
        Some((name, size)) => format!("{}{name}", bytes / size),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_have_a_unit() {
        let read = |text| parse_duration(text).ok();
        assert_eq!(read("60s"), Some(Duration::from_secs(60)));
        assert_eq!(read(" 250 ms "), Some(Duration::from_millis(250)));
        assert_eq!(read("720h"), Some(Duration::from_secs(720 * 3600)));
        assert_eq!(read("0s"), Some(Duration::ZERO));
        for text in [
            "",
            "5",
            "-5s",
            "5s ago",
            "5x",
            "1.5",
            "s",
            "99999999999999999999h",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        let secret = parse_duration("48151623421548151623").unwrap_err();
        assert!(!secret.contains("4815"), "{secret}");
    }

    #[test]
    fn bare_numbers_of_other_systems_have_their_unit() {
        assert_eq!(Unit::Hours.read("168"), parse_duration("168h"));
        assert_eq!(Unit::Seconds.read("5"), parse_duration("5s"));
        assert_eq!(Unit::Milliseconds.read("5000"), parse_duration("5s"));
        assert_eq!(Unit::Hours.read("30s"), parse_duration("30s"));
        assert!(Unit::Hours.read("18446744073709551615").is_err());
        assert!(Unit::Seconds.read("18446744073709551616").is_err());
    }

    #[test]
    fn sizes_may_have_a_unit() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("65536", Some(65_536)),
            ("8MiB", Some(8 << 20)),
            ("8 mib", Some(8 << 20)),
            ("1kB", Some(1_000)),
            ("2GB", Some(2_000_000_000)),
            ("", None),
            ("MiB", None),
            ("8 parsecs", None),
            ("-1", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
        assert_eq!(bytes_text(8 << 20), "8MiB");
        assert_eq!(bytes_text(1_000), "1000");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(millis in 0..u64::from(u32::MAX), bytes: u64) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&duration_text(duration)), Ok(duration));
            prop_assert_eq!(parse_bytes(&bytes_text(bytes)), Some(bytes));
        }
    }
}
