//! The arguments of `MSG` and `HMSG`, read from the end of the line: only the subject at its
//! beginning was chosen by another client.

use std::ops::Range;

use super::WireFault;

/// `<subject> <sid> [reply] <bytes>`, or with `<header bytes>` before the last.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) subject: Range<usize>,
    pub(super) sid: u64,
    pub(super) reply: Option<Range<usize>>,
    /// Zero for `MSG`.
    pub(super) headers: usize,
    /// Bytes of headers and body.
    pub(super) total: usize,
}

impl Arguments {
    /// Reads the arguments that begin at `start` of the line.
    pub(super) fn read(line: &[u8], start: usize, has_headers: bool) -> Result<Self, WireFault> {
        let mut rest = start..line.len();
        let total = size(line, &last(line, &mut rest)?)?;
        let headers = if has_headers {
            size(line, &last(line, &mut rest)?)?
        } else {
            0
        };
        if headers > total {
            return Err(WireFault::Arguments);
        }
        let word = last(line, &mut rest)?;
        let mut before = rest.clone();
        let (subject, sid, reply) = match last(line, &mut before) {
            // Another word before: this one is the reply subject, if a number is there.
            // A subject with blanks has words before the number as well.
            Ok(sid) if !before.is_empty() => match number(&line[sid]) {
                Some(sid) => (before, sid, Some(word)),
                None => (rest, sid_of(line, &word)?, None),
            },
            _ => (rest, sid_of(line, &word)?, None),
        };
        if subject.is_empty() {
            return Err(WireFault::Arguments);
        }
        Ok(Self {
            subject,
            sid,
            reply,
            headers,
            total,
        })
    }
}

/// Takes the last word off `rest`, with the blank before it.
fn last(line: &[u8], rest: &mut Range<usize>) -> Result<Range<usize>, WireFault> {
    let text = &line[rest.clone()];
    // The words are short: a search would not pay.
    let blank = text.iter().rposition(|byte| *byte == b' ');
    let (end, begin) = match blank {
        Some(blank) => (rest.start + blank, rest.start + blank + 1),
        None => (rest.start, rest.start),
    };
    let word = begin..rest.end;
    if word.is_empty() {
        return Err(WireFault::Arguments);
    }
    rest.end = end;
    Ok(word)
}

fn sid_of(line: &[u8], word: &Range<usize>) -> Result<u64, WireFault> {
    number(&line[word.clone()]).ok_or(WireFault::Arguments)
}

fn size(line: &[u8], word: &Range<usize>) -> Result<usize, WireFault> {
    let number = number(&line[word.clone()]).ok_or(WireFault::Arguments)?;
    usize::try_from(number).map_err(|_| WireFault::TooLarge)
}

/// Decimal digits and nothing else.
fn number(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}
