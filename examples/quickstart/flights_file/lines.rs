//! Reads lines of bounded length.

use std::io::{self, BufRead, Read};

/// The longest line that is kept, in bytes without its end; rows of this kind
/// of file have about 110.
pub(super) const MAX_LINE_BYTES: usize = 16 * 1024;

/// The lines of a file, one at a time.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    text: Vec<u8>,
    number: u64,
    bytes_read: u64,
}

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Text(&'a [u8]),
    /// Longer than [`MAX_LINE_BYTES`]; its text was passed over.
    TooLong,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            text: Vec::new(),
            number: 0,
            bytes_read: 0,
        }
    }

    /// The next line, or `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub(super) fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.text.clear();
        // room for the longest line and its end
        let mut limited = self.input.by_ref().take(MAX_LINE_BYTES as u64 + 2);
        let read = limited.read_until(b'\n', &mut self.text)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.bytes_read += read as u64;

        let ended = self.text.last() == Some(&b'\n');
        if ended {
            self.text.pop();
        }
        if self.text.last() == Some(&b'\r') {
            self.text.pop();
        }
        if self.text.len() <= MAX_LINE_BYTES {
            return Ok(Some(Line::Text(&self.text)));
        }
        if !ended {
            self.bytes_read += self.input.skip_until(b'\n')? as u64;
        }
        Ok(Some(Line::TooLong))
    }

    /// What is read from.
    pub(super) fn input(&self) -> &R {
        &self.input
    }

    /// The number of the line that was read last; the first is 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// How many bytes of the file have been read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Lines, MAX_LINE_BYTES};

    /// Each line as text, `None` for one that is too long.
    fn read(input: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(input);
        let mut all = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            all.push(match line {
                Line::Text(text) => Some(text.to_vec()),
                Line::TooLong => None,
            });
        }
        assert_eq!(lines.bytes_read(), input.len() as u64);
        assert_eq!(lines.number(), all.len() as u64);
        all
    }

    #[test]
    fn both_line_ends_and_a_last_line_without_one() {
        let expected: Vec<_> = [&b"a"[..], b"", b"b", b"c"]
            .map(|text| Some(text.to_vec()))
            .into();
        assert_eq!(read(b"a\n\nb\r\nc"), expected);
        assert_eq!(read(b""), []);
    }

    #[test]
    fn only_a_line_above_the_limit_is_too_long_and_the_next_is_whole() {
        for (length, fits) in [
            (MAX_LINE_BYTES, true),
            (MAX_LINE_BYTES + 1, false),
            (MAX_LINE_BYTES + 2, false),
            (MAX_LINE_BYTES * 3, false),
        ] {
            for end in ["\n", "\r\n"] {
                let long = "x".repeat(length);
                let lines = read(format!("{long}{end}next{end}").as_bytes());
                assert_eq!(lines.len(), 2, "{length} {end:?}");
                assert_eq!(lines[0].is_some(), fits, "{length} {end:?}");
                assert_eq!(lines[1].as_deref(), Some(&b"next"[..]));
            }
            let last = read("x".repeat(length).as_bytes());
            assert_eq!(last.len(), 1);
            assert_eq!(last[0].is_some(), fits, "{length} at the end of the file");
        }
    }
}
