//! Timestamps of the envelope: strict RFC 3339 reading, writing in microseconds, and the range
//! of years.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

/// The years that an envelope's timestamp can have, in UTC and as it is written:
/// those that every language's own times can say, in whatever zone.
const YEARS: std::ops::RangeInclusive<&str> = "0001"..="9998";

/// `0001-01-01T00:00:00Z` and `9999-01-01T00:00:00Z`, in seconds.
const SECONDS: std::ops::Range<i64> = -62_135_596_800..253_370_764_800;

/// Appends `2025-11-06T12:00:00.123456Z` to `out`.
///
/// # Errors
///
/// [`OutOfYears`] when the contract has no such instant.
pub(crate) fn write_timestamp(instant: Timestamp, out: &mut Vec<u8>) -> Result<(), OutOfYears> {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
    check(instant)?;
    // Writing into memory has no way to fail.
    let _ = PRINTER.print_timestamp(&instant, out);
    Ok(())
}

/// Reads RFC 3339 and nothing else: `T` and `Z` in either case, any offset of hours and
/// minutes, any number of fractional digits. What is finer than a nanosecond is cut, and
/// a leap second is read as the second before it.
///
/// # Errors
///
/// What is wrong with it, for a reader; without the text.
pub(crate) fn read_timestamp(text: &str) -> Result<Timestamp, &'static str> {
    let instant = rfc_3339(text).ok_or(NO_TIME)?;
    let written = text.get(..4).is_some_and(|year| YEARS.contains(&year));
    if !written || check(instant).is_err() {
        return Err(OutOfYears::REASON);
    }
    Ok(instant)
}

const NO_TIME: &str = "a time by RFC 3339 with an offset (2025-11-06T12:00:00Z)";

/// The grammar of RFC 3339, section 5.6, with the rules of 5.7.
fn rfc_3339(text: &str) -> Option<Timestamp> {
    let mut rest = text.as_bytes();
    let year = number(&mut rest, 4)?;
    sign(&mut rest, b"-")?;
    let month = number(&mut rest, 2)?;
    sign(&mut rest, b"-")?;
    let day = number(&mut rest, 2)?;
    sign(&mut rest, b"Tt")?;
    let hour = number(&mut rest, 2)?;
    sign(&mut rest, b":")?;
    let minute = number(&mut rest, 2)?;
    sign(&mut rest, b":")?;
    let second = number(&mut rest, 2)?;
    let nano = fraction(&mut rest)?;
    let ahead = offset(rest)?;
    let real = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !real {
        return None;
    }
    let seconds = days_before(year, month, day) * 86_400
        + i64::from(hour * 3600 + minute * 60 + second.min(59))
        - ahead;
    let instant = Timestamp::new(seconds, nano).ok()?;
    (second < 60 || may_leap(seconds)).then_some(instant)
}

/// Takes a number of exactly this many digits.
fn number(rest: &mut &[u8], digits: usize) -> Option<u32> {
    let (digits, behind) = rest.split_at_checked(digits)?;
    *rest = behind;
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
    })
}

/// Takes one of the signs, and says which.
fn sign(rest: &mut &[u8], signs: &[u8]) -> Option<u8> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    signs.contains(first).then_some(*first)
}

/// Takes the fraction of a second, if there is one: its nanoseconds.
fn fraction(rest: &mut &[u8]) -> Option<i32> {
    let Some(behind) = rest.strip_prefix(b".") else {
        return Some(0);
    };
    let digits = behind.iter().take_while(|b| b.is_ascii_digit()).count();
    *rest = &behind[digits..];
    let nine = behind[..digits].iter().chain(std::iter::repeat(&b'0'));
    let nanos = nine
        .take(9)
        .fold(0, |nanos, digit| nanos * 10 + i32::from(digit - b'0'));
    (digits > 0).then_some(nanos)
}

/// All of `rest` as an offset: how many seconds it is ahead of UTC.
fn offset(mut rest: &[u8]) -> Option<i64> {
    let sign_of = sign(&mut rest, b"Zz+-")?;
    if let b'+' | b'-' = sign_of {
        let hours = number(&mut rest, 2)?;
        sign(&mut rest, b":")?;
        let minutes = number(&mut rest, 2)?;
        let ahead = i64::from(hours * 3600 + minutes * 60);
        let is_one = rest.is_empty() && hours < 24 && minutes < 60;
        return is_one.then_some(if sign_of == b'-' { -ahead } else { ahead });
    }
    rest.is_empty().then_some(0)
}

fn days_of(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

/// How many days lie between 1970-01-01 and a date; before it the number is negative.
fn days_before(year: u32, month: u32, day: u32) -> i64 {
    // Years that begin in March have their leap day at the end, so that the months
    // before it are as long in each.
    let year = i64::from(year) - i64::from(month < 3);
    let month = i64::from((month + 9) % 12);
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let in_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    year * 365 + leap_days + in_year - 719_468
}

/// Whether a leap second may follow this second: it is the last of a month, in UTC.
fn may_leap(seconds: i64) -> bool {
    let next = Timestamp::from_second(seconds + 1);
    next.is_ok_and(|next| {
        let next = jiff::tz::Offset::UTC.to_datetime(next);
        (next.day(), next.hour(), next.minute(), next.second()) == (1, 0, 0, 0)
    })
}

fn check(instant: Timestamp) -> Result<(), OutOfYears> {
    // Before 1970 seconds and nanoseconds are both counted down.
    let second = instant.as_second() - i64::from(instant.subsec_nanosecond() < 0);
    SECONDS.contains(&second).then_some(()).ok_or(OutOfYears)
}

/// That the contract has no such year.
#[derive(Debug)]
pub(crate) struct OutOfYears;

impl OutOfYears {
    const REASON: &str = "a time in the years 0001 to 9998, in UTC and as it is written";
}

impl fmt::Display for OutOfYears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a timestamp is {}", Self::REASON)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<String> {
        read_timestamp(text).ok().map(|instant| instant.to_string())
    }

    #[test]
    fn every_form_of_rfc_3339_is_read() {
        for (text, expected) in [
            ("2025-11-06T12:00:00Z", "2025-11-06T12:00:00Z"),
            ("2025-11-06t12:00:00z", "2025-11-06T12:00:00Z"),
            ("2025-11-06T12:00:00.5+01:00", "2025-11-06T11:00:00.5Z"),
            ("2025-11-06T12:00:00-00:00", "2025-11-06T12:00:00Z"),
            ("2025-11-06T12:00:00+23:59", "2025-11-05T12:01:00Z"),
            ("2025-11-06T12:00:00-23:59", "2025-11-07T11:59:00Z"),
            (
                "2025-11-06T12:00:00.123456789Z",
                "2025-11-06T12:00:00.123456789Z",
            ),
            (
                "2025-11-06T12:00:00.1234567891Z",
                "2025-11-06T12:00:00.123456789Z",
            ),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
            ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("1990-12-31T15:59:60-08:00", "1990-12-31T23:59:59Z"),
            ("2015-07-01T00:59:60.25+01:00", "2015-06-30T23:59:59.25Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        let long = format!("2025-11-06T12:00:00.{}Z", "0".repeat(1000));
        assert_eq!(read(&long).as_deref(), Some("2025-11-06T12:00:00Z"));
    }

    #[test]
    fn nothing_else_is_read() {
        for text in [
            "",
            "yesterday",
            "2025-11-06",
            "2025-11-06T12:00:00",
            "2025-11-06T12:00:00,5Z",
            "2025-11-06T12:00:00Z[Europe/Paris]",
            "2025-11-06T12:00:00+01:00[Europe/Paris]",
            "2025-11-06T12:00:00+24:00",
            "2025-11-06T12:00:00+01:60",
            "2025-11-06T12:00:00+01",
            "2025-11-06T12:00:00+0100",
            "2025-11-06T12:00:00+01:00:30",
            "2025-11-06T12:00:00+1:00",
            "2025-11-06T12:00:00\u{2212}01:00",
            "20251106T120000Z",
            "2025-11-06T120000Z",
            "20251106T12:00:00Z",
            "2025-11-06T12Z",
            "2025-11-06T12:00Z",
            "2025-11-06 12:00:00Z",
            "2025-11-06_12:00:00Z",
            " 2025-11-06T12:00:00Z",
            "2025-11-06T12:00:00Z ",
            "2025-11-06T12:00:00Z\n",
            "2025-11-06T12:00:00.Z",
            "2025-11-06T12:00:00.5",
            "2025-11-06T12:00:00ZZ",
            "2025-11-06T12:00:00Z+00:00",
            "2025-11-06T24:00:00Z",
            "2025-11-06T12:60:00Z",
            "2025-11-06T12:00:61Z",
            // Not where a leap second can be.
            "2025-11-06T12:00:60Z",
            "2025-11-06T23:59:60Z",
            "2016-12-31T23:59:60+01:00",
            "2016-12-31T23:58:60Z",
            "2025-00-06T12:00:00Z",
            "2025-13-06T12:00:00Z",
            "2025-11-00T12:00:00Z",
            "2025-11-31T12:00:00Z",
            "2025-02-29T12:00:00Z",
            "1900-02-29T12:00:00Z",
            "2025-11-6T12:00:00Z",
            "25-11-06T12:00:00Z",
            "+002025-11-06T12:00:00Z",
            "-2025-11-06T12:00:00Z",
            "2025-W45-4T12:00:00Z",
            "2025-310T12:00:00Z",
            "\u{ff12}025-11-06T12:00:00Z",
            "0000-12-31T23:59:59Z",
            "9999-01-01T00:00:00Z",
        ] {
            let why = read_timestamp(text).expect_err(text);
            assert!(
                why.contains("RFC 3339") || why.contains("0001 to 9998"),
                "{text}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_written_is_read(micros in -62_135_596_800_000_000_i64..253_370_764_800_000_000) {
            let instant = Timestamp::from_microsecond(micros).unwrap();
            let mut out = Vec::new();
            write_timestamp(instant, &mut out).unwrap();
            prop_assert_eq!(read_timestamp(str::from_utf8(&out).unwrap()), Ok(instant));
        }

        #[test]
        fn what_is_read_is_what_jiff_reads(
            date in (1..9999_u16, 0..14_u8, 0..33_u8),
            time in (0..25_u8, 0..61_u8, 0..60_u8),
            fraction in "(\\.[0-9]{1,9})?",
            offset in "[Zz]|[+-]([01][0-9]|2[0-5]):[0-6][0-9]",
        ) {
            let ((year, month, day), (hour, minute, second)) = (date, time);
            let text = format!(
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}"
            );
            let far = offset.starts_with(['+', '-']) && &offset[1..] > "23:59";
            let expected = text.parse::<Timestamp>().ok().filter(|found| !far && check(*found).is_ok());
            prop_assert_eq!(read_timestamp(&text).ok(), expected, "{}", text);
        }
    }
}
