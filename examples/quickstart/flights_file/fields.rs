//! Fields of one CSV row, by column and type.

use std::ops::RangeInclusive;

use csv::ByteRecord;

use super::bad_row::{Problem, Reason};
use super::header::{Column, Header};
use super::row::ClockTime;

/// The fields of one row. Each kind comes in two forms: the plain one reports
/// `NA`, the optional one takes it as `None`.
pub(super) struct Fields<'a> {
    record: &'a ByteRecord,
    header: &'a Header,
}

impl<'a> Fields<'a> {
    /// The fields of a record that has as many as the header.
    ///
    /// # Errors
    ///
    /// When it has more or fewer.
    pub(super) fn new(record: &'a ByteRecord, header: &'a Header) -> Result<Self, Reason> {
        if record.len() == header.fields() {
            Ok(Self { record, header })
        } else {
            Err(Reason::FieldCount {
                found: record.len(),
                expected: header.fields(),
            })
        }
    }

    pub(super) fn text(&self, column: Column) -> Result<&'a str, Reason> {
        present(column, self.optional_text(column)?)
    }

    pub(super) fn optional_text(&self, column: Column) -> Result<Option<&'a str>, Reason> {
        let bytes = &self.record[self.header.position(column)];
        let text = std::str::from_utf8(bytes).map_err(|_| bad(column, Problem::NotUtf8))?;
        match text.trim() {
            "" => Err(bad(column, Problem::Empty)),
            "NA" => Ok(None),
            text => Ok(Some(text)),
        }
    }

    /// A whole number within the range.
    pub(super) fn number<T: TryFrom<i64>>(
        &self,
        column: Column,
        range: RangeInclusive<i64>,
    ) -> Result<T, Reason> {
        present(column, self.optional_number(column, range)?)
    }

    pub(super) fn optional_number<T: TryFrom<i64>>(
        &self,
        column: Column,
        range: RangeInclusive<i64>,
    ) -> Result<Option<T>, Reason> {
        let Some(text) = self.optional_text(column)? else {
            return Ok(None);
        };
        let value: i64 = text.parse().map_err(|_| {
            let value = quote(text);
            bad(column, Problem::NotANumber { value })
        })?;
        let typed = T::try_from(value).ok().filter(|_| range.contains(&value));
        typed.map(Some).ok_or_else(|| {
            let (min, max) = range.into_inner();
            bad(column, Problem::OutOfRange { value, min, max })
        })
    }

    pub(super) fn clock(&self, column: Column) -> Result<ClockTime, Reason> {
        present(column, self.optional_clock(column)?)
    }

    pub(super) fn optional_clock(&self, column: Column) -> Result<Option<ClockTime>, Reason> {
        let Some(text) = self.optional_text(column)? else {
            return Ok(None);
        };
        let clock = ClockTime::parse(text).ok_or_else(|| {
            let value = quote(text);
            bad(column, Problem::NotATime { value })
        })?;
        Ok(Some(clock))
    }

    /// A code of exactly so many capital letters and digits.
    pub(super) fn code(
        &self,
        column: Column,
        length: usize,
        kind: &'static str,
    ) -> Result<String, Reason> {
        let text = self.text(column)?;
        let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        if text.len() == length && text.bytes().all(allowed) {
            Ok(text.to_owned())
        } else {
            let value = quote(text);
            Err(bad(column, Problem::NotACode { value, kind }))
        }
    }

    /// A registration: a few printable characters, which airlines misspell.
    pub(super) fn optional_tail_number(&self, column: Column) -> Result<Option<String>, Reason> {
        match self.optional_text(column)? {
            Some(text) if text.len() > 10 || !text.bytes().all(|b| b.is_ascii_graphic()) => {
                let value = quote(text);
                let kind = "registration like N14228";
                Err(bad(column, Problem::NotACode { value, kind }))
            }
            text => Ok(text.map(str::to_owned)),
        }
    }
}

/// The reason for a problem in a column.
pub(super) fn bad(column: Column, problem: Problem) -> Reason {
    Reason::Field { column, problem }
}

/// The start of a value, to quote in a message.
pub(super) fn quote(value: &str) -> String {
    const MAX_CHARS: usize = 40;
    let mut quoted: String = value.chars().take(MAX_CHARS).collect();
    if quoted.len() < value.len() {
        quoted.push('…');
    }
    quoted
}

fn present<T>(column: Column, value: Option<T>) -> Result<T, Reason> {
    value.ok_or_else(|| bad(column, Problem::Missing))
}
