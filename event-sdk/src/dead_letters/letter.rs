//! `DeadLetter`: an event that a consumer gave up, with its origin, the reason and the original
//! bytes.

use std::fmt;

use bytes::Bytes;
use event_sdk_core::headers::Headers;
use event_sdk_core::text::Text;
use jiff::Timestamp;
use uuid::Uuid;

use super::class::DeadLetterClass;

/// An event that a consumer gave up: where it was stored, why it failed, and its original bytes.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
///
/// `Debug` does not show the body, the key and the values of the original headers, because they may
/// be personal data.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The consumer that gave the event up.
    pub consumer: Text,
    /// Where the original message was stored.
    pub origin: Origin,
    /// The id of the event, if its envelope can be read.
    pub event_id: Option<Uuid>,
    /// The type of the event, if its envelope can be read.
    pub event_type: Option<Text>,
    /// The key of the event, if it has one. A key of more than 500 bytes is represented by its
    /// beginning and a hash.
    pub key: Option<String>,
    /// Whether later events of the key wait for this event, in the [`Park`](super::Park) of the key
    /// ([sequenced mode](super::DeadLetters::sequenced)).
    pub sequenced: bool,
    /// How often the event was redriven before it failed this time: zero for the first letter.
    pub redrive: u32,
    /// The reason.
    pub class: DeadLetterClass,
    /// Summaries of the error and of its sources, the outermost first.
    ///
    /// Lists and logs show them. They contain kinds and types of errors, and no values.
    pub errors: Vec<String>,
    /// The reason that another client gave when it terminated the message. **It may contain data of
    /// the event**: lists and `Debug` do not show it.
    pub reason: Option<String>,
    /// How many attempts were made: how many times a handler was started.
    pub attempts: u32,
    /// When the event failed for the first time.
    pub first_failure: Timestamp,
    /// When the event failed for the last time.
    pub last_failure: Timestamp,
    /// The headers of the original message.
    pub headers: Headers,
    /// The body of the original message, byte for byte.
    pub body: Bytes,
}

impl DeadLetter {
    /// Makes the letter of an event that failed now, at its first attempt. The letter has no
    /// headers.
    #[must_use]
    pub fn new(
        consumer: impl Into<Text>,
        origin: Origin,
        class: DeadLetterClass,
        failed: Timestamp,
        body: Bytes,
    ) -> Self {
        Self {
            consumer: consumer.into(),
            origin,
            event_id: None,
            event_type: None,
            key: None,
            sequenced: false,
            redrive: 0,
            class,
            errors: Vec::new(),
            reason: None,
            attempts: 1,
            first_failure: failed,
            last_failure: failed,
            headers: Headers::new(),
            body,
        }
    }
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("consumer", &self.consumer)
            .field("origin", &self.origin)
            .field("event_id", &self.event_id)
            .field("event_type", &self.event_type)
            .field("sequenced", &self.sequenced)
            .field("redrive", &self.redrive)
            .field("class", &self.class)
            .field("errors", &self.errors)
            .field("attempts", &self.attempts)
            .field("first_failure", &self.first_failure)
            .field("last_failure", &self.last_failure)
            .field("headers", &self.headers)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The place of the original message of a [`DeadLetter`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The stream.
    pub stream: Text,
    /// The sequence in the stream.
    pub sequence: u64,
    /// The whole subject. It is not a `Subject`, because another client may have published the
    /// message to a subject that this SDK refuses.
    pub subject: Text,
    /// The prefix of the bus, if the subject lies below it.
    pub prefix: Option<Text>,
}

impl Origin {
    /// The place of a message, on a bus with this prefix.
    #[must_use]
    pub fn new(
        stream: impl Into<Text>,
        sequence: u64,
        subject: impl Into<Text>,
        prefix: &str,
    ) -> Self {
        let subject = subject.into();
        let below = below(&subject, prefix).is_some();
        Self {
            stream: stream.into(),
            sequence,
            subject,
            prefix: below.then(|| Text::copy_of(prefix)),
        }
    }

    /// The subject without the prefix; the whole subject if it lies outside of the prefix.
    #[must_use]
    pub fn relative_subject(&self) -> &str {
        let prefix = self.prefix.as_deref();
        prefix
            .and_then(|prefix| below(&self.subject, prefix))
            .unwrap_or(&self.subject)
    }
}

/// What follows the prefix and a dot.
fn below<'a>(subject: &'a str, prefix: &str) -> Option<&'a str> {
    subject.strip_prefix(prefix)?.strip_prefix('.')
}
