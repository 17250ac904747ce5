//! How a message that is too large for the server is divided: its body, or its original headers and
//! its body, in as few parts as fit.

use bytes::Bytes;
use event_sdk_core::headers::Headers;
use event_sdk_core::transport::{Error, ErrorKind};

use super::moved_headers::move_into;
use super::outgoing::invalid_header;

/// What is divided.
pub(super) struct Parts {
    /// The headers of the first part.
    pub(super) headers: Headers,
    content: Bytes,
    /// Whether the original headers are in the content.
    is_moved: bool,
    /// How many parts there are: two or more.
    number: usize,
}

/// The most bytes of the headers that say how long the whole is, on the wire.
const OF_PARTS: usize = 128;

/// The most bytes that the header of the first part has for each further part: a sequence and a comma.
const OF_PART: usize = 21;

/// The most parts: their sequences take a third of what all headers together may have.
pub(super) const MOST: usize = 1_000;

impl Parts {
    /// How to divide a message that was refused because of its size, at first or when it was divided
    /// as `refused`. `None` if it was refused for another reason, or if nothing of it can be divided.
    pub(super) fn after(
        error: &Error,
        headers: &Headers,
        body: &Bytes,
        refused: Option<&Self>,
    ) -> Result<Option<Self>, Error> {
        let (limit, has_room) = match *error.kind() {
            ErrorKind::TooLarge { limit, .. } => (limit, refused.is_none_or(|it| !it.is_moved)),
            // All headers together have a limit of their own, and their message may fit in two parts.
            ErrorKind::InvalidHeader => (usize::MAX, false),
            _ => return Ok(None),
        };
        if has_room && let Some(number) = number(headers, body.len(), limit) {
            return Ok(Some(Self {
                headers: headers.clone(),
                content: body.clone(),
                is_moved: false,
                number,
            }));
        }
        let moved = move_into(headers, body).map_err(|why| invalid_header(&why))?;
        let (headers, content) = moved.unwrap_or_else(|| (headers.clone(), body.clone()));
        // Two that do not fit either: the server says why.
        let number = number(&headers, content.len(), limit).unwrap_or(2);
        Ok((content.len() > 1).then_some(Self {
            headers,
            content,
            is_moved: true,
            number,
        }))
    }

    /// Whether this is another division than one that was refused, so that an end is reached.
    pub(super) fn is_finer_than(&self, refused: &Self) -> bool {
        self.number > refused.number || self.is_moved && !refused.is_moved
    }

    /// The content of the first part.
    pub(super) fn first(&self) -> Bytes {
        self.part(0)
    }

    /// The further parts, in order.
    pub(super) fn rest(&self) -> impl Iterator<Item = Bytes> {
        (1..self.number).map(|index| self.part(index))
    }

    fn part(&self, index: usize) -> Bytes {
        let place = |index: usize| self.content.len() * index / self.number;
        self.content.slice(place(index)..place(index + 1))
    }
}

/// The smallest number of parts that fit, if all fit at all.
fn number(headers: &Headers, content: usize, limit: usize) -> Option<usize> {
    // The first and the empty line, and the signs beside names and values.
    let of_headers = 12 + headers.byte_len() + 4 * headers.len();
    let fits = |number: &usize| {
        let part = content.div_ceil(*number);
        let first = of_headers + OF_PARTS + OF_PART * (number - 1) + part;
        first <= limit
    };
    (2..=MOST.min(content.max(2)))
        .find(fits)
        .filter(|_| content > 1)
}
