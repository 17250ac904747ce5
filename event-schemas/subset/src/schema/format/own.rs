//! Formats that schemars writes and the validator does not check.

use std::net::IpAddr;

/// A format and its check.
pub(crate) type Check = (&'static str, fn(&str) -> bool);

/// The formats that are checked besides those of the validator.
pub(crate) const OWN: &[Check] = &[
    ("partial-date-time", is_partial_date_time),
    ("partial-time", is_partial_time),
    ("zoned-date-time", is_zoned_date_time),
    ("ip", is_ip),
];

/// An IPv4 or an IPv6 address.
fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// A date and a time of day, without an offset.
fn is_partial_date_time(text: &str) -> bool {
    text.split_once(['T', 't'])
        .is_some_and(|(date, time)| is_date(date) && is_partial_time(time))
}

/// A time of day, without an offset.
fn is_partial_time(text: &str) -> bool {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let has_fraction = fraction.is_none_or(|digits| number(digits, digits.len()).is_some());
    has_fraction
        && parts(whole, ':', [2, 2, 2])
            .is_some_and(|[hour, minute, second]| hour < 24 && minute < 60 && second < 60)
}

/// A date and a time with an offset, and the name of a time zone in brackets.
fn is_zoned_date_time(text: &str) -> bool {
    let Some((date_time, zone)) = text.split_once('[') else {
        return false;
    };
    let is_zone = zone
        .strip_suffix(']')
        .is_some_and(|zone| !zone.is_empty() && !zone.contains(']'));
    let local = match date_time.strip_suffix(['Z', 'z']) {
        Some(local) => Some(local),
        None => date_time.rfind(['+', '-']).and_then(|at| {
            let offset = parts(&date_time[at + 1..], ':', [2, 2]);
            let fits = offset.is_some_and(|[hours, minutes]| hours < 24 && minutes < 60);
            fits.then(|| &date_time[..at])
        }),
    };
    is_zone && local.is_some_and(is_partial_date_time)
}

fn is_date(text: &str) -> bool {
    let Some([year, month, day]) = parts(text, '-', [4, 2, 2]) else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Numbers of so many digits each, between separators.
fn parts<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[u32; N]> {
    let mut numbers = [0; N];
    let mut parts = text.split(separator);
    for (number_of, digits) in numbers.iter_mut().zip(digits) {
        *number_of = number(parts.next()?, digits)?;
    }
    parts.next().is_none().then_some(numbers)
}

/// A number of exactly so many digits; of many digits only that they are some.
fn number(text: &str, digits: usize) -> Option<u32> {
    let fits = text.len() == digits && digits > 0 && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(format: &str, text: &str) -> bool {
        OWN.iter()
            .find(|(name, _)| *name == format)
            .is_some_and(|(_, check)| check(text))
    }

    #[test]
    fn formats_are_checked_in_full() {
        for (format, good, bad) in [
            (
                "partial-date-time",
                &["2026-01-31T12:00:00", "2024-02-29T23:59:59.5"][..],
                &[
                    "2026-02-29T12:00:00",
                    "2026-01-31",
                    "2026-01-31T12:00:00Z",
                    "",
                ][..],
            ),
            (
                "partial-time",
                &["12:00:00", "00:00:00.000000001"],
                &["24:00:00", "12:00", "12:00:00.", "12:00:0x", "12:00:00Z"],
            ),
            (
                "zoned-date-time",
                &[
                    "2026-01-31T12:00:00+01:00[Europe/Paris]",
                    "2026-01-31T12:00:00Z[UTC]",
                ],
                &[
                    "2026-01-31T12:00:00+01:00",
                    "2026-01-31T12:00:00[UTC]",
                    "2026-01-31T12:00:00Z[]",
                ],
            ),
            ("ip", &["192.0.2.1", "::1"], &["192.0.2", "x"]),
        ] {
            for text in good {
                assert!(has(format, text), "{format} {text}");
            }
            for text in bad {
                assert!(!has(format, text), "{format} {text}");
            }
        }
    }
}
