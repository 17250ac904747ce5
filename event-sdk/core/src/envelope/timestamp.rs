//! Writes an instant as the wire contract has it: UTC, six fractional digits.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

/// Appends `2025-11-06T12:00:00.123456Z` to `out`.
pub(crate) fn write_timestamp(instant: Timestamp, out: &mut Vec<u8>) {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));
    // Writing into memory has no way to fail.
    let _ = PRINTER.print_timestamp(&instant, out);
}
