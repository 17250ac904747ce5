//! `PublishRequest`, `Body`, `MessageId` and `Expectations`: one message to be stored, and the
//! confirmation of its stream.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::capability::asked;
use super::{Capability, Completion, Error, RollUp};
use crate::envelope::{EnvelopeHeader, EventKey};
use crate::event::{ErasedEvent, ValueHeader};
use crate::headers::{Headers, InvalidHeader, MAX_HEADER_LEN, is_trimmed};
use crate::subject::{Pattern, Subject};
use crate::text::Text;
use crate::time::Reading;

/// A message to be published.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[derive(Debug)]
#[non_exhaustive]
pub struct PublishRequest<'a> {
    /// The subject.
    pub subject: &'a Subject,
    /// The headers.
    pub headers: Headers,
    /// The event, encoded or as a value.
    pub body: Body,
    /// The deduplication id; `None` for no deduplication.
    pub message_id: Option<MessageId>,
    /// Conditions for the message to be stored.
    pub expect: Expectations,
    /// The earlier messages that this message replaces; `None`: none.
    pub roll_up: Option<RollUp>,
    /// The reading of the clock, if the clock was just read for this message.
    pub reading: Option<Reading<'a>>,
}

impl<'a> PublishRequest<'a> {
    /// A message without headers, message id, expectations and roll-up.
    #[must_use]
    pub fn new(subject: &'a Subject, body: Body) -> Self {
        Self {
            subject,
            headers: Headers::new(),
            body,
            message_id: None,
            expect: Expectations::default(),
            roll_up: None,
            reading: None,
        }
    }

    /// The capabilities that the request needs. A transport that lacks one of them returns
    /// [`ErrorKind::Unsupported`](super::ErrorKind::Unsupported).
    pub fn needs(&self) -> impl Iterator<Item = Capability> + use<> {
        let expect = &self.expect;
        asked([
            (Capability::Deduplication, self.message_id.is_some()),
            (Capability::ExpectStream, expect.last_sequence.is_some()),
            (
                Capability::ExpectSubject,
                expect.last_subject_sequence.is_some(),
            ),
            (
                Capability::ExpectPattern,
                expect.last_pattern_sequence.is_some(),
            ),
            (
                Capability::ValueHandover,
                matches!(self.body, Body::Value(_)),
            ),
            (Capability::RollUp, self.roll_up.is_some()),
        ])
    }
}

/// The body of a message: bytes, or the event value itself.
#[derive(Clone)]
pub enum Body {
    /// The encoded envelope.
    Encoded(Bytes),
    /// The value, for a transport that passes values without encoding. All consumers share it
    /// without copies.
    Value(ValueBody),
}

impl fmt::Debug for Body {
    /// Without the event, whose data may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoded(bytes) => write!(f, "Encoded({} bytes)", bytes.len()),
            Self::Value(value) => f.debug_tuple("Value").field(value).finish(),
        }
    }
}

/// An event that is passed without encoding.
#[derive(Debug, Clone)]
pub struct ValueBody {
    /// The envelope without the data.
    pub head: ValueHeader,
    /// The data.
    pub event: Arc<dyn ErasedEvent>,
}

impl ValueBody {
    /// The full envelope header, as it is encoded.
    #[must_use]
    pub fn to_header(&self) -> Cow<'_, EnvelopeHeader> {
        self.head.to_header(&*self.event)
    }

    /// The key of the event: the key of the header if it is set, otherwise the event's own key.
    /// `None` for a key that [`EventKey`] refuses. Nothing is encoded.
    #[must_use]
    pub fn key(&self) -> Option<Cow<'_, str>> {
        if let Some(key) = self.head.key() {
            return Some(key.text());
        }
        let key = EventKey::of(self.event.event_key()?).ok()?;
        Some(Cow::Owned(key.text().into_owned()))
    }
}

/// The id by which a stream recognizes duplicates.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum MessageId {
    /// The event's id (the default).
    Event(Uuid),
    /// Any other text.
    Text(Text),
}

impl MessageId {
    /// Maximum length in bytes: with the header's name, `Nats-Msg-Id`, it reaches
    /// [`MAX_HEADER_LEN`].
    pub const MAX_LEN: usize = MAX_HEADER_LEN - HEADER.len();

    /// Length of its text in bytes.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        match self {
            Self::Event(_) => Hyphenated::LENGTH,
            Self::Text(text) => text.len(),
        }
    }

    /// Checks that it is a valid header value.
    ///
    /// # Errors
    ///
    /// [`InvalidHeader`] if it is empty, longer than [`MAX_LEN`](Self::MAX_LEN) bytes, contains a
    /// control character, or has white space at its ends.
    pub fn check(&self) -> Result<(), InvalidHeader> {
        let Self::Text(text) = self else {
            return Ok(());
        };
        let refuse = |reason| Err(InvalidHeader::refused(HEADER, reason));
        if text.is_empty() {
            return refuse("a message id has at least one character");
        }
        if text.len() > Self::MAX_LEN {
            return refuse("a message id has at most 4085 bytes; use a hash of what is longer");
        }
        if text.chars().any(char::is_control) {
            return refuse("a message id has no control characters; it travels in a header");
        }
        if is_trimmed(text) {
            return refuse(
                "a message id has no white space at its ends: a NATS server cuts it off, and would take the message for a duplicate of one whose id has none",
            );
        }
        Ok(())
    }
}

/// The header in which a message id travels to a NATS server.
const HEADER: &str = "Nats-Msg-Id";

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(id) => id.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl fmt::Debug for MessageId {
    /// Shows only the size of a text, because it usually contains data of the event.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(id) => id.fmt(f),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
        }
    }
}

/// Conditions on the stream for a message to be stored (optimistic concurrency).
///
/// Sequence zero means that there is no message yet. Fields may be added: start with
/// [`none`](Self::none), and set the expectations.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Expectations {
    /// Expected last sequence of the stream.
    pub last_sequence: Option<u64>,
    /// Expected last sequence on the message's subject.
    pub last_subject_sequence: Option<u64>,
    /// Expected last sequence of the messages in the stream that match a pattern.
    ///
    /// Messages in other streams do not count. If the pattern matches no subject of this stream,
    /// the expectation is always met, or is refused if the transport knows the stream's subjects.
    pub last_pattern_sequence: Option<(Pattern, u64)>,
}

impl Expectations {
    /// Expects nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            last_sequence: None,
            last_subject_sequence: None,
            last_pattern_sequence: None,
        }
    }

    /// Whether nothing is expected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.last_sequence.is_none()
            && self.last_subject_sequence.is_none()
            && self.last_pattern_sequence.is_none()
    }
}

/// The inner future of a publish: completes when the message is stored.
pub type Confirmation = Completion<Result<Stored, Error>>;

/// The result of a stored publish.
///
/// Fields may be added: a transport starts with [`new`](Self::new).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// The stream; `None` on a transport without streams (core NATS).
    pub stream: Option<Text>,
    /// The sequence in that stream; `None` on a transport without streams.
    pub sequence: Option<u64>,
    /// Whether the stream already had the message and did not store it again.
    pub duplicate: bool,
}

impl Stored {
    /// The result of a message that was stored and is no duplicate.
    #[must_use]
    pub const fn new(stream: Option<Text>, sequence: Option<u64>) -> Self {
        Self {
            stream,
            sequence,
            duplicate: false,
        }
    }

    /// Sets whether the stream already had the message.
    #[must_use]
    pub const fn duplicate(mut self, duplicate: bool) -> Self {
        self.duplicate = duplicate;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{MessageId, Uuid};

    fn text(text: &str) -> MessageId {
        MessageId::Text(text.to_owned().into())
    }

    #[test]
    fn an_id_travels_in_a_header() {
        assert_eq!(MessageId::Event(Uuid::nil()).check(), Ok(()));
        assert_eq!(text(&"x".repeat(MessageId::MAX_LEN)).check(), Ok(()));
        assert_eq!(text("4 2").check(), Ok(()));
        for (id, reason) in [
            (text(""), "at least one character"),
            (
                text(&"x".repeat(MessageId::MAX_LEN + 1)),
                "at most 4085 bytes",
            ),
            (text("a\r\nb"), "no control characters"),
            (text(" 42"), "no white space"),
            (text("42\u{a0}"), "no white space"),
            (text("\u{feff}42"), "no white space"),
            (text(" "), "no white space"),
        ] {
            let error = id.check().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        assert!(
            text(&"x".repeat(1 << 20))
                .check()
                .unwrap_err()
                .to_string()
                .contains(&MessageId::MAX_LEN.to_string())
        );
    }

    #[test]
    fn an_id_has_as_many_bytes_as_its_text() {
        for id in [MessageId::Event(Uuid::nil()), text("Zürich")] {
            assert_eq!(id.byte_len(), id.to_string().len());
        }
    }
}
