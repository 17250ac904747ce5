//! Reads the CSV file of flights row by row in bounded memory.
//!
//! One line is one row. A line that cannot be used is reported with its number
//! and the reason, and the lines after it are read as if it were not there:
//! even a quotation mark that is never closed ends with its line.

mod bad_row;
mod fields;
mod header;
mod lines;
mod row;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, SeekFrom};
use std::path::Path;

use csv::{ByteRecord, Position, ReaderBuilder, Terminator};
use thiserror::Error;

pub(crate) use self::bad_row::BadRow;
use self::bad_row::Reason;
use self::header::Header;
use self::lines::{Line, Lines, MAX_LINE_BYTES};
pub(crate) use self::row::{Arrival, Outcome, Row};

/// What some programs write before the first line of a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The flights of a file, an iterator of its rows.
#[derive(Debug)]
pub(crate) struct FlightsFile<R> {
    lines: Lines<R>,
    parser: LineParser,
    header: Header,
}

/// Why a file of flights cannot be read, or not to its end.
#[derive(Debug, Error)]
pub(crate) enum FlightsFileError {
    /// The file cannot be opened, or its first line cannot be read.
    #[error("the flights cannot be read")]
    Open(#[source] io::Error),
    /// Reading fails further on.
    #[error("the flights cannot be read after line {line}")]
    Read {
        /// The last line that was read.
        line: u64,
        /// What the system says.
        source: io::Error,
    },
    /// The file is empty.
    #[error("the file is empty; its first line must name the columns")]
    NoHeader,
    /// The first line does not name the columns.
    #[error(
        "not a file of flights: {wrong}; compare the first line of \
         examples/data/flights-2013-01-01-to-03.csv"
    )]
    Header {
        /// The columns at fault.
        wrong: String,
    },
}

impl FlightsFile<BufReader<File>> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or its first line lacks a column.
    pub(crate) fn open(path: &Path) -> Result<Self, FlightsFileError> {
        let file = File::open(path).map_err(FlightsFileError::Open)?;
        Self::new(BufReader::new(file))
    }

    /// How many bytes the file has; `None` for a pipe, which does not tell.
    pub(crate) fn size(&self) -> Option<u64> {
        let metadata = self.lines.input().get_ref().metadata().ok()?;
        metadata.is_file().then_some(metadata.len())
    }
}

impl<R: BufRead> FlightsFile<R> {
    /// Reads the header of what `input` holds.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or its first line lacks a column.
    pub(crate) fn new(input: R) -> Result<Self, FlightsFileError> {
        let mut lines = Lines::new(input);
        let mut parser = LineParser::new();
        let record = match lines.next_line().map_err(FlightsFileError::Open)? {
            Some(Line::Text(text)) => {
                let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
                parser.parse(text).map_err(FlightsFileError::Open)?
            }
            Some(Line::TooLong) => {
                let wrong = format!("its first line is longer than {MAX_LINE_BYTES} bytes");
                return Err(FlightsFileError::Header { wrong });
            }
            None => return Err(FlightsFileError::NoHeader),
        };
        let header = Header::find(record).map_err(|wrong| {
            let wrong = wrong.to_string();
            FlightsFileError::Header { wrong }
        })?;
        Ok(Self {
            lines,
            parser,
            header,
        })
    }

    /// How many bytes of the file have been read.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.lines.bytes_read()
    }
}

impl<R: BufRead> Iterator for FlightsFile<R> {
    /// A row or what is wrong with it; the outer error ends the file.
    type Item = Result<Result<Row, BadRow>, FlightsFileError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let last_line = self.lines.number();
            let line = last_line + 1;
            let read_error = |source| {
                let line = last_line;
                Some(Err(FlightsFileError::Read { line, source }))
            };
            let row = match self.lines.next_line() {
                Ok(Some(Line::Text(text))) if text.trim_ascii().is_empty() => continue,
                Ok(Some(Line::Text(text))) => match self.parser.parse(text) {
                    Ok(record) => Row::parse(line, record, &self.header),
                    Err(source) => return read_error(source),
                },
                Ok(Some(Line::TooLong)) => Err(Reason::TooLong {
                    limit: MAX_LINE_BYTES,
                }),
                Ok(None) => return None,
                Err(source) => return read_error(source),
            };
            return Some(Ok(row.map_err(|reason| BadRow { line, reason })));
        }
    }
}

/// Splits single lines into fields, always with the same parser and buffers.
#[derive(Debug)]
struct LineParser {
    reader: csv::Reader<Cursor<Vec<u8>>>,
    record: ByteRecord,
}

impl LineParser {
    fn new() -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // a carriage return within a line is part of a field
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Cursor::new(Vec::new()));
        Self {
            reader,
            record: ByteRecord::new(),
        }
    }

    fn parse(&mut self, line: &[u8]) -> io::Result<&ByteRecord> {
        let text = self.reader.get_mut().get_mut();
        text.clear();
        text.extend_from_slice(line);
        self.reader.seek_raw(SeekFrom::Start(0), Position::new())?;
        self.reader.read_byte_record(&mut self.record)?;
        Ok(&self.record)
    }
}
