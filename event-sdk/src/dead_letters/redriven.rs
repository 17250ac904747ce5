//! `Redriven`: what the headers of a redriven event say of its origin and of its redrive.

use event_sdk_core::headers::{Headers, InvalidHeader};
use event_sdk_core::text::Text;
use jiff::Timestamp;

use super::escaping::{escaped, unescaped};
use super::letter::Origin;
use super::wire;

pub(super) const ID: &str = "Dead-Letter-Id";
pub(super) const AT: &str = "Dead-Letter-At";
pub(super) const BY: &str = "Dead-Letter-By";
pub(super) const NOTE: &str = "Dead-Letter-Note";
const EDITED: &str = "Dead-Letter-Edited";

/// The most bytes of a name or note in a header.
const MAX_NOTE: usize = 3000;

/// The contents of the headers of a message in the retry stream: the origin of the event, and its
/// redrive.
///
/// A consumer decodes the event by the subject of its [`origin`](Self::origin). Trust only headers
/// of messages from the retry stream: every publisher of events can write such headers to other
/// streams.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redriven {
    /// The consumer for which the event was redriven.
    pub consumer: Text,
    /// The place of the original message.
    pub origin: Origin,
    /// How often the event has been redriven, this time included.
    pub redrive: u32,
    /// When the event failed for the first time.
    pub first_failure: Option<Timestamp>,
    /// The sequence of the letter in the dead-letter stream.
    pub letter: u64,
    /// When the event was redriven.
    pub at: Option<Timestamp>,
    /// The person or program that redrove it.
    pub by: Option<String>,
    /// The reason that was given.
    pub note: Option<String>,
    /// Whether the body was edited.
    pub edited: bool,
}

impl Redriven {
    /// Reads the headers of a message in the retry stream; `None` if they are not the headers of a
    /// redriven event.
    #[must_use]
    pub fn from_headers(headers: &Headers) -> Option<Self> {
        let (consumer, origin) = wire::read_origin(headers)?;
        Some(Self {
            consumer,
            origin,
            redrive: wire::read_number(headers, wire::REDRIVE)?,
            first_failure: wire::read_time(headers, wire::FIRST_FAILURE),
            letter: wire::read_number(headers, ID)?,
            at: wire::read_time(headers, AT),
            by: headers.get(BY).map(unescaped),
            note: headers.get(NOTE).map(unescaped),
            edited: headers.get(EDITED).is_some(),
        })
    }

    /// Adds the headers to those of the original message.
    pub(super) fn write(&self, original: &Headers) -> Result<Headers, InvalidHeader> {
        let mut headers = wire::kept(original)?;
        wire::write_origin(&mut headers, &self.consumer, &self.origin)?;
        headers.insert(wire::REDRIVE, self.redrive.to_string())?;
        if let Some(first) = self.first_failure {
            headers.insert(wire::FIRST_FAILURE, first.to_string())?;
        }
        headers.insert(ID, self.letter.to_string())?;
        write_audit(
            &mut headers,
            self.at,
            self.by.as_deref(),
            self.note.as_deref(),
        )?;
        if self.edited {
            headers.insert(EDITED, "true")?;
        }
        Ok(headers)
    }
}

/// Writes when, by whom and why.
pub(super) fn write_audit(
    headers: &mut Headers,
    at: Option<Timestamp>,
    by: Option<&str>,
    note: Option<&str>,
) -> Result<(), InvalidHeader> {
    if let Some(at) = at {
        headers.insert(AT, at.to_string())?;
    }
    if let Some(by) = by {
        headers.insert(BY, escaped(by, MAX_NOTE))?;
    }
    if let Some(note) = note {
        headers.insert(NOTE, escaped(note, MAX_NOTE))?;
    }
    Ok(())
}
