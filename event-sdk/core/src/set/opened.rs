//! `Opened`: a message whose envelope was read and whose data was not; finds the variant, and
//! decodes the data.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::RawEvent;
use crate::codec::{DecodeErrorKind, DecodeFault};
use crate::envelope::{EnvelopeHeader, Version};
use crate::event::{ErasedEvent, EventSpec, ValueHeader};
use crate::subject::{Subject, grammar};

/// A message with a decoded envelope and undecoded data. A set selects the variant by it.
#[derive(Debug)]
pub struct Opened<'a> {
    subject: &'a Subject,
    relative: Option<&'a str>,
    content: Content<'a>,
}

/// The envelope of an event: read from bytes, or passed without encoding.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// An encoded event; its data is one JSON value.
    Encoded(&'a EnvelopeHeader, &'a Bytes),
    /// An event that was passed without encoding.
    Value(&'a ValueHeader, &'a Arc<dyn ErasedEvent>),
}

impl fmt::Debug for Content<'_> {
    /// Without the data, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoded(head, data) => f
                .debug_struct("Encoded")
                .field("head", head)
                .field("data_len", &data.len())
                .finish(),
            Self::Value(head, event) => f.debug_tuple("Value").field(head).field(event).finish(),
        }
    }
}

impl<'a> Opened<'a> {
    /// A message that was received on `subject`, on a bus with this `prefix`.
    #[must_use]
    pub fn new(subject: &'a Subject, prefix: &str, content: Content<'a>) -> Self {
        Self {
            subject,
            relative: subject.relative_to(prefix),
            content,
        }
    }

    /// The envelope without the data.
    #[must_use]
    pub fn head(&self) -> Cow<'a, EnvelopeHeader> {
        match self.content {
            Content::Encoded(head, _) => Cow::Borrowed(head),
            Content::Value(head, event) => head.to_header(&**event),
        }
    }

    /// Head and data.
    pub(super) fn content(&self) -> Content<'a> {
        self.content
    }

    pub(super) fn event_type(&self) -> &'a str {
        match self.content {
            Content::Encoded(head, _) => &head.event_type,
            Content::Value(head, event) => head.event_type(event.spec()),
        }
    }

    pub(super) fn version(&self) -> Version {
        match self.content {
            Content::Encoded(head, _) => head.version,
            Content::Value(head, event) => head.version(event.spec()),
        }
    }

    /// Whether the message has the subject of the event `spec`.
    #[must_use]
    pub fn is(&self, spec: &EventSpec) -> bool {
        spec.is_subject(self.subject.as_str(), self.relative)
    }

    /// What a lookup tries, in order: the subject, whether it is absolute, and
    /// whether its last token was taken off as a key.
    pub(super) fn candidates(&self) -> impl Iterator<Item = (&str, bool, bool)> {
        let relative = self.relative.map(|subject| (subject, false));
        let absolute = (self.subject.as_str(), true);
        relative
            .into_iter()
            .chain([absolute])
            .flat_map(|(subject, absolute)| {
                let keyed = grammar::parent(subject).map(|parent| (parent, absolute, true));
                std::iter::once((subject, absolute, false)).chain(keyed)
            })
    }

    /// The error of a set in which no event has this subject.
    #[must_use]
    pub fn unknown_subject(&self) -> DecodeFault {
        DecodeFault::new(
            DecodeErrorKind::UnknownSubject,
            format!(
                "no event of the set has the subject {}; add a variant for it, or an `other` variant",
                self.relative.unwrap_or(self.subject.as_str())
            ),
        )
    }

    /// The undecoded event, for a set that does not know it.
    ///
    /// # Errors
    ///
    /// [`DecodeFault`] if a value that was passed without encoding cannot be encoded.
    pub fn to_raw(&self) -> Result<RawEvent, DecodeFault> {
        let data = match self.content {
            Content::Encoded(_, data) => data.clone(),
            Content::Value(_, event) => write_value(&**event)?,
        };
        Ok(RawEvent {
            subject: self.subject.clone(),
            head: self.head().into_owned(),
            data,
        })
    }
}

/// The data of a value that was handed over, as JSON.
pub(super) fn write_value<V: ErasedEvent + ?Sized>(value: &V) -> Result<Bytes, DecodeFault> {
    let mut out = Vec::new();
    value.write_json(&mut out).map_err(|why| {
        DecodeFault::new(
            DecodeErrorKind::Data,
            format!(
                "the value of {} was handed over and cannot be written: {why}",
                value.spec().name()
            ),
        )
        .exposing(why.expose())
    })?;
    Ok(out.into())
}
