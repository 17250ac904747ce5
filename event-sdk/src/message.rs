//! `Message`: one received or stored message. Its envelope is read on first use, `decode()` reads
//! its data, and `DecodeError` is the error of both.

mod spans;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use event_sdk_core::codec::{Codec, DecodeErrorKind, DecodeFault, EncodeError, RawEnvelope};
use event_sdk_core::event::{EventSpec, KeyUse};
use event_sdk_core::headers::Headers;
use event_sdk_core::set::{Content, Opened};
use event_sdk_core::subject::grammar;
use event_sdk_core::text::Text;
use event_sdk_core::transport::Body;
use event_sdk_core::{EnvelopeHeader, EventKey, EventSet, RawEvent, Subject};
use uuid::Uuid;

use crate::trace::{TraceContext, Tracing};

/// How the messages of one subscription are opened.
#[derive(Debug)]
pub(crate) struct Opener {
    pub(crate) codec: Arc<dyn Codec>,
    pub(crate) prefix: Text,
    pub(crate) max_payload: usize,
    /// The events of the set.
    pub(crate) members: &'static [&'static EventSpec],
    pub(crate) tracing: Tracing,
}

/// A received or stored message. The envelope is read on first use. The data is read by each call
/// of [`decode`](Self::decode).
///
/// A message that is not an event of the set `S` is a `Message` too: its
/// [`subject`](Self::subject), [`headers`](Self::headers) and [`body`](Self::body) can be read,
/// and [`decode`](Self::decode) returns the error.
pub struct Message<S> {
    subject: Subject,
    headers: Headers,
    body: Body,
    opener: Arc<Opener>,
    /// Boxed, because a value that was passed without encoding usually has none.
    opened: OnceLock<Result<Box<RawEnvelope>, Arc<DecodeFault>>>,
    set: PhantomData<fn() -> S>,
}

impl<S> Message<S> {
    pub(crate) fn new(
        subject: Subject,
        headers: Headers,
        body: Body,
        opener: &Arc<Opener>,
    ) -> Self {
        Self {
            subject,
            headers,
            body,
            opener: Arc::clone(opener),
            opened: OnceLock::new(),
            set: PhantomData,
        }
    }

    /// Decodes the event as the variant of the set that has the event's subject.
    ///
    /// # Errors
    ///
    /// [`DecodeError`]. It contains the raw message. Its [`kind`](DecodeError::kind) is the reason:
    /// the body is not an envelope, no event of the set has this subject or type, the data does not
    /// match, or the version is not supported.
    pub fn decode(&self) -> Result<S, DecodeError>
    where
        S: EventSet,
    {
        self.decode_as()
    }

    /// Decodes the event as a variant of another set.
    pub(crate) fn decode_as<T: EventSet>(&self) -> Result<T, DecodeError> {
        let content = match &self.body {
            Body::Value(value) => Content::Value(&value.head, &value.event),
            Body::Encoded(_) => {
                let envelope = self.envelope()?;
                Content::Encoded(&envelope.head, &envelope.data)
            }
        };
        let opened = Opened::new(&self.subject, &self.opener.prefix, content);
        T::decode(&opened).map_err(|fault| self.error(Arc::new(fault)))
    }

    /// The envelope without the data.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the message is not an envelope.
    pub fn head(&self) -> Result<&EnvelopeHeader, DecodeError> {
        Ok(&self.envelope()?.head)
    }

    /// The id of the event.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the message is not an envelope.
    pub fn event_id(&self) -> Result<Uuid, DecodeError> {
        match &self.body {
            Body::Value(value) => Ok(value.head.event_id()),
            Body::Encoded(_) => Ok(self.envelope()?.head.event_id),
        }
    }

    /// The key of the event: `metadata.key` of the envelope, or else the key in the subject, if an
    /// event of the set declares its key there. `None` if there is neither.
    ///
    /// The key is also found in events that [`decode`](Self::decode) refuses: events outside the
    /// set, and events of a newer version.
    #[must_use]
    pub fn key(&self) -> Option<Cow<'_, str>> {
        self.key_among(self.opener.members)
    }

    /// The key, if the events of the set are these.
    pub(crate) fn key_among(&self, members: &[&EventSpec]) -> Option<Cow<'_, str>> {
        let key = match &self.body {
            Body::Value(value) => value.key(),
            Body::Encoded(_) => {
                let envelope = self.envelope().ok();
                let key = envelope.and_then(|envelope| envelope.head.metadata.key.as_ref());
                key.map(EventKey::text)
            }
        };
        key.or_else(|| self.key_in_subject(members).map(Cow::Owned))
    }

    /// The text by whose hash the event belongs to a partition: `metadata.key` of the envelope, or
    /// else the unescaped last token of the subject, which is the key if the event has it there.
    ///
    /// Instances with different versions of a set must agree on the partition of an event, so this
    /// depends on the message alone.
    pub(crate) fn partition_key(&self) -> Cow<'_, str> {
        // No member: a key in the subject is the last token in any case.
        if let Some(key) = self.key_among(&[]) {
            return key;
        }
        let subject = self.subject.as_str();
        let token = subject.rsplit_once('.').map_or(subject, |(_, token)| token);
        grammar::unescape_key(token).map_or(Cow::Borrowed(token), Cow::Owned)
    }

    /// The unescaped last token of the subject, if it is the key of one of these events.
    fn key_in_subject(&self, members: &[&EventSpec]) -> Option<String> {
        let (whole, relative) = (self.subject.as_str(), self.relative_subject());
        let is_keyed = |spec: &&EventSpec| {
            spec.key_use() == KeyUse::InSubject && spec.is_subject(whole, relative)
        };
        members.iter().copied().find(is_keyed)?;
        let (_, token) = whole.rsplit_once('.')?;
        grammar::unescape_key(token).ok()
    }

    /// The event with its envelope and undecoded data.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the message is not an envelope.
    pub fn raw(&self) -> Result<RawEvent, DecodeError> {
        match &self.body {
            Body::Encoded(_) => {
                let RawEnvelope { head, data } = self.envelope()?.clone();
                Ok(RawEvent {
                    subject: self.subject.clone(),
                    head,
                    data,
                })
            }
            Body::Value(value) => {
                let content = Content::Value(&value.head, &value.event);
                Opened::new(&self.subject, &self.opener.prefix, content)
                    .to_raw()
                    .map_err(|fault| self.error(Arc::new(fault)))
            }
        }
    }

    /// The subject to which the message was published.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The subject without the bus's prefix; `None` if the subject does not begin with the prefix.
    #[must_use]
    pub fn relative_subject(&self) -> Option<&str> {
        self.subject.relative_to(&self.opener.prefix)
    }

    /// Takes another subject for that of the message.
    pub(crate) fn set_subject(&mut self, subject: Subject) {
        self.subject = subject;
    }

    /// The message headers.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The bytes of the envelope as received. A value that was passed without encoding is encoded
    /// by this call.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if a value that was passed without encoding cannot be encoded.
    pub fn body(&self) -> Result<Bytes, EncodeError> {
        match &self.body {
            Body::Encoded(body) => Ok(body.clone()),
            Body::Value(value) => {
                let mut out = Vec::new();
                let mut headers = Headers::new();
                self.opener.codec.encode(
                    &value.to_header(),
                    &*value.event,
                    &mut headers,
                    &mut out,
                )?;
                Ok(out.into())
            }
        }
    }

    /// The trace context of the message; `None` if it is missing or invalid.
    #[must_use]
    pub fn trace(&self) -> Option<TraceContext> {
        TraceContext::from_headers(&self.headers)
    }

    fn envelope(&self) -> Result<&RawEnvelope, DecodeError> {
        let opened = self
            .opened
            .get_or_init(|| self.open().map(Box::new).map_err(Arc::new));
        opened
            .as_deref()
            .map_err(|fault| self.error(Arc::clone(fault)))
    }

    fn open(&self) -> Result<RawEnvelope, DecodeFault> {
        let body = match &self.body {
            Body::Encoded(body) => body,
            // Only its head is asked for: the data are taken as they are.
            Body::Value(value) => {
                return Ok(RawEnvelope {
                    head: value.to_header().into_owned(),
                    data: Bytes::new(),
                });
            }
        };
        let limit = self.opener.max_payload;
        if body.len() > limit {
            return Err(DecodeFault::new(
                DecodeErrorKind::TooLarge,
                format!(
                    "the body has {} bytes, and this program accepts at most {limit}; raise `max_payload` of the bus, or send less",
                    body.len()
                ),
            ));
        }
        self.opener.codec.decode(body, &self.headers)
    }

    fn error(&self, fault: Arc<DecodeFault>) -> DecodeError {
        DecodeError(Box::new(Failed {
            fault,
            subject: self.subject.clone(),
            body: self.body().unwrap_or_default(),
        }))
    }
}

impl<S> fmt::Debug for Message<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("subject", &self.subject)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// A message could not be decoded as an event of the requested set. The error contains its bytes.
///
/// `Display`, `Debug` and the sources show no data of the event: only the path, and the expected
/// and the found kind of value.
#[derive(Clone)]
pub struct DecodeError(Box<Failed>);

#[derive(Clone)]
struct Failed {
    fault: Arc<DecodeFault>,
    subject: Subject,
    body: Bytes,
}

impl DecodeError {
    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.fault.kind()
    }

    /// Whether the event has a newer major version than this program supports. Such an event is
    /// valid: [`Delivery::refuse`](crate::Delivery::refuse) gives it back with a delay, so that an
    /// instance of a newer version can receive it.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.kind() == DecodeErrorKind::Newer
    }

    /// The subject of the message.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.0.subject
    }

    /// The path of the value that does not match, such as `items[2].price`. `None` if the path is
    /// unknown, or if the data does not match as a whole.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.0.fault.path()
    }

    /// The message of the JSON reader, of a type or of an upcaster. **It may contain data of the
    /// event**, which may be personal: do not log it. `None` if `Display` already shows the whole
    /// message.
    #[must_use]
    pub fn expose(&self) -> Option<&str> {
        self.0.fault.expose()
    }

    /// The body of the message as received.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "decode {}: {}", self.0.subject, self.0.fault)
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeError")
            .field("subject", &self.0.subject)
            .field("fault", &self.0.fault)
            .field("body_len", &self.0.body.len())
            .finish()
    }
}

impl std::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.fault.source()
    }
}
