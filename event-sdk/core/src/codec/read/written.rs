//! Fast path for reading: an envelope in exactly the form that this SDK writes.
//!
//! Most envelopes have this form. Comparing with a known text takes a fraction of the time of
//! reading an object whose members may be anything in any order.

use std::str::FromStr as _;

use bytes::Bytes;
use uuid::Uuid;

use crate::codec::RawEnvelope;
use crate::envelope::{EnvelopeHeader, EventKey, MAX_METADATA, Metadata, Version, read_timestamp};
use crate::json::{plain_len, value_end};
use crate::text::Text;

/// Reads the envelope in `body` if it has the form in which this SDK writes it and
/// nothing is unusual about it; `None` says nothing about it.
pub(super) fn envelope(body: &Bytes) -> Option<RawEnvelope> {
    let mut rest = Rest(std::str::from_utf8(body).ok()?);
    rest.pass("{\"event_id\":")?;
    let event_id = Uuid::try_parse(rest.text()?).ok()?;
    rest.pass(",\"event_type\":")?;
    let event_type = rest.text()?;
    rest.pass(",\"timestamp\":")?;
    let timestamp = read_timestamp(rest.text()?).ok()?;
    rest.pass(",\"source\":")?;
    let source = rest.text()?;
    rest.pass(",\"version\":")?;
    let version = Version::from_str(rest.text()?).ok()?;
    rest.pass(",\"data\":")?;
    let data = rest.value()?;
    rest.pass(",\"metadata\":{")?;
    let metadata = rest.metadata()?;
    rest.pass("}")?;
    if !rest.0.is_empty() {
        return None;
    }
    let mut head = EnvelopeHeader::new(event_id, Text::copy_of(event_type), timestamp);
    head.source = Text::copy_of(source);
    head.version = version;
    head.metadata = metadata;
    Some(RawEnvelope {
        head,
        data: body.slice_ref(data.as_bytes()),
    })
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn pass(&mut self, expected: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// A string without escapes.
    fn text(&mut self) -> Option<&'a str> {
        self.pass("\"")?;
        let (text, rest) = self.0.split_at_checked(plain_len(self.0.as_bytes()))?;
        self.0 = rest.strip_prefix('"')?;
        Some(text)
    }

    /// Any value, with nothing before it.
    fn value(&mut self) -> Option<&'a str> {
        if self.0.starts_with([' ', '\n', '\t', '\r']) {
            return None;
        }
        let (value, rest) = self.0.split_at_checked(value_end(self.0.as_bytes())?)?;
        self.0 = rest;
        Some(value)
    }

    /// The members of the metadata, of which each is a string, and their end.
    fn metadata(&mut self) -> Option<Metadata> {
        let mut metadata = Metadata::default();
        if self.pass("}").is_some() {
            return Some(metadata);
        }
        for _ in 0..MAX_METADATA {
            let name = self.text()?;
            self.pass(":")?;
            let text = self.text()?;
            match name {
                "correlation_id" if metadata.correlation_id.is_none() => {
                    metadata.correlation_id = Some(text.into());
                }
                "causation_id" if metadata.causation_id.is_none() => {
                    metadata.causation_id = Some(text.into());
                }
                // Too long is left to the general reader.
                "key" if metadata.key.is_none() => metadata.key = Some(EventKey::new(text).ok()?),
                // There twice.
                "correlation_id" | "causation_id" | "key" => return None,
                _ => metadata.insert(name, text),
            }
            if self.pass("}").is_some() {
                return Some(metadata);
            }
            self.pass(",")?;
        }
        None
    }
}

#[cfg(test)]
mod tests;
