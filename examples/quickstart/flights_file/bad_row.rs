//! `BadRow`: why a row of the file cannot be used.

use jiff::civil::Date;
use thiserror::Error;

use super::header::Column;

/// A row that cannot be used; the rows after it can.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {reason}")]
pub(crate) struct BadRow {
    /// The row's line in the file; the header is line 1.
    pub(crate) line: u64,
    /// What is wrong with it.
    pub(crate) reason: Reason,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Reason {
    #[error("longer than {limit} bytes, which no flight is")]
    TooLong { limit: usize },
    #[error("{found} fields where the header has {expected}")]
    FieldCount { found: usize, expected: usize },
    #[error("column {column}: {problem}")]
    Field { column: Column, problem: Problem },
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Problem {
    #[error("not valid UTF-8")]
    NotUtf8,
    #[error("empty; a missing value is written NA")]
    Empty,
    #[error("NA, but every flight needs a value here")]
    Missing,
    #[error("NA, although {known} has a value")]
    MissingBeside { known: Column },
    #[error("has a value, although {missing} is NA")]
    PresentWithout { missing: Column },
    #[error("{value:?} is no whole number")]
    NotANumber { value: String },
    #[error("{value} is outside {min} to {max}")]
    OutOfRange { value: i64, min: i64, max: i64 },
    #[error("{value:?} is no time of day; 5:15 is written 515, midnight 2400")]
    NotATime { value: String },
    #[error("{year}-{month:02} has no day {day}")]
    NotADate { year: i16, month: i8, day: i8 },
    #[error("{value:?} is no instant in UTC like 2013-01-01T10:00:00Z")]
    NotAnInstant { value: String },
    #[error("{value:?} is {hour}:00 on {date} in no time zone")]
    WrongHour {
        value: String,
        hour: i64,
        date: Date,
    },
    #[error("{value:?} is no {kind}")]
    NotACode { value: String, kind: &'static str },
}
