//! `HeaderBlock`: parses a header block as it is on the wire, in linear time, and says why one
//! cannot be read.

use std::borrow::Cow;
use std::fmt;

/// A header block that was checked as a whole: `NATS/1.0`, a status for what a server says of
/// a request, and a line for each header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeaderBlock<'a> {
    status: Option<u16>,
    description: &'a str,
    /// All after the first line.
    lines: &'a str,
}

/// Why a header block cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    /// It is not UTF-8.
    NotUtf8,
    /// Its first line is not `NATS/1.0`, or has a status that is no number.
    Version,
    /// This line, counted from one, has no colon.
    NoColon(usize),
    /// The name in this line has a blank or another character that is not visible ASCII.
    Name(usize),
    /// There are more than [`MOST`].
    TooMany,
}

/// The most headers of a message: a lookup compares the name with each of them.
const MOST: usize = 1024;

const VERSION: &str = "NATS/1.0";

impl<'a> HeaderBlock<'a> {
    /// Reads a block.
    pub(crate) fn parse(block: &'a [u8]) -> Result<Self, HeaderFault> {
        let text = std::str::from_utf8(block).map_err(|_| HeaderFault::NotUtf8)?;
        let (first, lines) = cut(text, b'\n').unwrap_or((text, ""));
        let rest = first.strip_prefix(VERSION).ok_or(HeaderFault::Version)?;
        let (status, description) = match rest.trim() {
            "" => (None, ""),
            rest => {
                let (code, description) = rest.split_once(' ').unwrap_or((rest, ""));
                let code = code.parse().ok().filter(|code| (100..1000).contains(code));
                (Some(code.ok_or(HeaderFault::Version)?), description.trim())
            }
        };
        let parsed = Self {
            status,
            description,
            lines,
        };
        parsed.check()?;
        Ok(parsed)
    }

    /// What a server says of a request, such as 404.
    pub(crate) fn status(&self) -> Option<u16> {
        self.status
    }

    /// What it says beside the number.
    pub(crate) fn description(&self) -> &'a str {
        self.description
    }

    /// The first value of the header with this name, whatever its case.
    pub(crate) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        self.iter()
            .find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }

    /// Names and values, in order, without white space around the values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let mut lines = self.lines().peekable();
        std::iter::from_fn(move || {
            let (_, line) = lines.next()?;
            let (name, value) = cut(line, b':').unwrap_or((line, ""));
            let mut value = Cow::Borrowed(value);
            while let Some((_, more)) = lines.next_if(|(_, line)| continues(line)) {
                value.to_mut().push_str(more);
            }
            let value = match value {
                Cow::Borrowed(value) => Cow::Borrowed(value.trim()),
                Cow::Owned(value) => Cow::Owned(value.trim().to_owned()),
            };
            Some((name, value))
        })
    }

    fn check(&self) -> Result<(), HeaderFault> {
        let mut headers = 0;
        for (number, line) in self.lines() {
            if headers > 0 && continues(line) {
                continue;
            }
            let (name, _) = cut(line, b':').ok_or(HeaderFault::NoColon(number))?;
            if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(HeaderFault::Name(number));
            }
            headers += 1;
            if headers > MOST {
                return Err(HeaderFault::TooMany);
            }
        }
        Ok(())
    }

    /// The lines that are not empty, with their numbers.
    fn lines(&self) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
        let mut rest = self.lines;
        // The first line is behind it.
        let mut number = 1;
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                let (line, after) = match cut(rest, b'\n') {
                    Some((line, after)) => (line.strip_suffix('\r').unwrap_or(line), after),
                    None => (rest, ""),
                };
                rest = after;
                number += 1;
                if !line.is_empty() {
                    return Some((number, line));
                }
            }
            None
        })
    }
}

/// Splits a text at the first place of an ASCII character, like `split_once`. Each message has a header block,
/// and `split_once` took a third of the instructions that reading it cost.
fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    debug_assert!(at.is_ascii());
    let at = memchr::memchr(at, text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

/// Whether a line belongs to the value before it.
fn continues(line: &str) -> bool {
    line.starts_with(char::is_whitespace)
}

impl fmt::Display for HeaderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("they are not UTF-8"),
            Self::Version => f.write_str("they do not begin with NATS/1.0"),
            Self::NoColon(line) => write!(f, "line {line} has no colon"),
            Self::Name(line) => write!(f, "the name in line {line} is not visible ASCII"),
            Self::TooMany => write!(f, "there are more than {MOST}"),
        }
    }
}

impl std::error::Error for HeaderFault {}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn all(block: &[u8]) -> Result<Vec<(String, String)>, HeaderFault> {
        let block = HeaderBlock::parse(block)?;
        let owned = |(name, value): (&str, Cow<'_, str>)| (name.to_owned(), value.into_owned());
        Ok(block.iter().map(owned).collect())
    }

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        all.iter().map(owned).collect()
    }

    #[test]
    fn headers_are_read_in_order_and_values_trimmed() {
        let block = "NATS/1.0\r\nB:  two: three \r\nEmpty:\r\nA: Zürich\r\nB: 2\r\n\r\n";
        let expected = [
            ("B", "two: three"),
            ("Empty", ""),
            ("A", "Zürich"),
            ("B", "2"),
        ];
        assert_eq!(all(block.as_bytes()), Ok(pairs(&expected)));
        let parsed = HeaderBlock::parse(block.as_bytes()).unwrap();
        assert_eq!(parsed.get("B").as_deref(), Some("two: three"));
        assert_eq!(parsed.get("c"), None);
        assert_eq!(parsed.status(), None);
    }

    #[test]
    fn a_value_may_go_on_in_the_next_line() {
        let block = b"NATS/1.0\r\nA: one\r\n  two\r\n\tthree \r\nB: x\r\n\r\n";
        let expected = pairs(&[("A", "one  two\tthree"), ("B", "x")]);
        assert_eq!(all(block), Ok(expected));
    }

    #[test]
    fn a_status_is_read() {
        for (block, status, description) in [
            (
                "NATS/1.0 100 Idle Heartbeat\r\n\r\n",
                Some(100),
                "Idle Heartbeat",
            ),
            ("NATS/1.0 503\r\n\r\n", Some(503), ""),
            ("NATS/1.0\r\n\r\n", None, ""),
            ("NATS/1.0", None, ""),
        ] {
            let parsed = HeaderBlock::parse(block.as_bytes()).unwrap();
            assert_eq!(
                (parsed.status(), parsed.description()),
                (status, description)
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_apart() {
        use HeaderFault as Fault;
        for (block, fault) in [
            (&b"NATS/1.0\r\nA: \xff\xfe\r\n\r\n"[..], Fault::NotUtf8),
            (b"NATS/2.0\r\nA: x\r\n\r\n", Fault::Version),
            (b"NATS/1.1\r\n\r\n", Fault::Version),
            (b"NATS/1.0x\r\n\r\n", Fault::Version),
            (b"NATS/1.0 99\r\n\r\n", Fault::Version),
            (b"NATS/1.0 abc\r\n\r\n", Fault::Version),
            (b"", Fault::Version),
            (b"HTTP/1.1 200 OK\r\n\r\n", Fault::Version),
            (b"NATS/1.0\r\nA: x\r\nno colon\r\n\r\n", Fault::NoColon(3)),
            (b"NATS/1.0\r\n A: x\r\n\r\n", Fault::Name(2)),
            (b"NATS/1.0\r\na b: x\r\n\r\n", Fault::Name(2)),
            ("NATS/1.0\r\n\u{e9}: x\r\n\r\n".as_bytes(), Fault::Name(2)),
        ] {
            let shown = String::from_utf8_lossy(block);
            assert_eq!(all(block), Err(fault), "{shown}");
        }
    }

    #[test]
    fn the_number_is_limited_and_many_are_refused_at_once() {
        let block = |count| format!("NATS/1.0\r\n{}\r\n", "a: b\r\n".repeat(count));
        assert_eq!(all(block(MOST).as_bytes()).unwrap().len(), MOST);
        let begun = Instant::now();
        let refused = all(block(1_000_000).as_bytes());
        assert_eq!(refused, Err(HeaderFault::TooMany));
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
