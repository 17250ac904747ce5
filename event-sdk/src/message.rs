//! `Message`: one received or stored message; its envelope is opened on first use, `decode()`
//! reads its data, and decode errors are reported here.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use event_sdk_core::codec::{Codec, DecodeErrorKind, DecodeFault, EncodeError, RawEnvelope};
use event_sdk_core::headers::Headers;
use event_sdk_core::set::{Content, Opened};
use event_sdk_core::text::Text;
use event_sdk_core::transport::Body;
use event_sdk_core::{EnvelopeHeader, EventSet, RawEvent, Subject};
use uuid::Uuid;

use crate::trace::TraceContext;

/// How the messages of one subscription are opened.
#[derive(Debug)]
pub(crate) struct Opener {
    pub(crate) codec: Arc<dyn Codec>,
    pub(crate) prefix: Text,
    pub(crate) max_payload: usize,
}

/// A message whose envelope is opened when it is first asked for, and whose data
/// are read each time they are asked for.
///
/// A message that is no event of the set `S` is a value like any other: its
/// [`subject`](Self::subject), [`headers`](Self::headers) and
/// [`body`](Self::body) can be read, and [`decode`](Self::decode) says what is
/// wrong with it.
pub struct Message<S> {
    subject: Subject,
    headers: Headers,
    body: Body,
    opener: Arc<Opener>,
    /// In a box: a value that was handed over mostly has none.
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

    /// The event, as the variant of the set that has its subject.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], which keeps the raw message: not an envelope, not an
    /// event of the set, the wrong type, data that do not fit, or a version
    /// that this program does not know.
    pub fn decode(&self) -> Result<S, DecodeError>
    where
        S: EventSet,
    {
        let content = match &self.body {
            Body::Value(value) => Content::Value(&value.head, &value.event),
            Body::Encoded(_) => {
                let envelope = self.envelope()?;
                Content::Encoded(&envelope.head, &envelope.data)
            }
        };
        let opened = Opened::new(&self.subject, &self.opener.prefix, content);
        S::decode(&opened).map_err(|fault| self.error(Arc::new(fault)))
    }

    /// Everything in the envelope but the data.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the message is no envelope.
    pub fn head(&self) -> Result<&EnvelopeHeader, DecodeError> {
        Ok(&self.envelope()?.head)
    }

    /// The id of the event.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the message is no envelope.
    pub fn event_id(&self) -> Result<Uuid, DecodeError> {
        match &self.body {
            Body::Value(value) => Ok(value.head.event_id()),
            Body::Encoded(_) => Ok(self.envelope()?.head.event_id),
        }
    }

    /// The event without a type: its envelope is read, its data are not.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the message is no envelope.
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

    /// Where it was published.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What travelled beside the body.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The bytes of the envelope, as they arrived; those of a value that was
    /// handed over are written now.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] when a value that was handed over cannot be written.
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

    /// The trace that it belongs to; `None` if it has none, or none that is valid.
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
                    "the body has {} bytes, and this program takes {limit}; raise `max_payload` of the bus, or send less",
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

/// Why a message is no event of the wanted set; it keeps the raw bytes.
///
/// Neither `Display` nor `Debug` nor a source shows a value of the event: they say the
/// path, what was expected and what kind of value was found.
#[derive(Clone)]
pub struct DecodeError(Box<Failed>);

#[derive(Clone)]
struct Failed {
    fault: Arc<DecodeFault>,
    subject: Subject,
    body: Bytes,
}

impl DecodeError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.fault.kind()
    }

    /// Whether the event is of a newer major version than this program knows:
    /// it is not poison, but came too early.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.kind() == DecodeErrorKind::Newer
    }

    /// Where the message was published.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.0.subject
    }

    /// Where in the data the value stands that does not fit, as `items[2].price`; `None`
    /// if that is not known, or it is the whole.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.0.fault.path()
    }

    /// What the reader, a type or an upcaster says of the event, **with its values**,
    /// which may be personal data; `None` if nobody said more than `Display` does. It is
    /// for eyes that may see the event, and for no log.
    #[must_use]
    pub fn expose(&self) -> Option<&str> {
        self.0.fault.expose()
    }

    /// The bytes of the message as they arrived.
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
