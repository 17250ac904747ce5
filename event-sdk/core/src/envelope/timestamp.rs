//! Instants as the wire contract has them: of which years, and how written.

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

/// Reads RFC 3339 with any offset.
///
/// # Errors
///
/// What is wrong with it, for a reader.
pub(crate) fn read_timestamp(text: &str) -> Result<Timestamp, String> {
    let instant: Timestamp = text.parse().map_err(|why: jiff::Error| why.to_string())?;
    let written = text.get(..4).is_some_and(|year| YEARS.contains(&year));
    if !written || check(instant).is_err() {
        return Err(OutOfYears.to_string());
    }
    Ok(instant)
}

fn check(instant: Timestamp) -> Result<(), OutOfYears> {
    // Before 1970 seconds and nanoseconds are both counted down.
    let second = instant.as_second() - i64::from(instant.subsec_nanosecond() < 0);
    SECONDS.contains(&second).then_some(()).ok_or(OutOfYears)
}

/// That the contract has no such year.
#[derive(Debug)]
pub(crate) struct OutOfYears;

impl fmt::Display for OutOfYears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the year of a timestamp is {} to {}, in UTC and as it is written",
            YEARS.start(),
            YEARS.end()
        )
    }
}
