//! `Prepared`: an event with fixed id and timestamp. If it is published again, the stream
//! recognizes the duplicate.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use event_sdk_core::envelope::MetaValue;
use event_sdk_core::event::{KeyUse, ValueHeader};
use event_sdk_core::headers::{Headers, InvalidHeader};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, MessageId, Operation, RollUp};
use event_sdk_core::{EnvelopeHeader, Event, EventKey, LooseId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::bus::micros;
use crate::cause::{AsCause, Cause};
use crate::trace::{Origin, TraceContext};

/// An event with fixed id and time, and the options of its publish (headers, message id,
/// expectations, roll-up). Publishing it again repeats the same publish. The stream recognizes the duplicate
/// by the message id, which by default is the event's id.
///
/// [`Publisher::prepare`](super::Publisher::prepare) returns it, and each publish error contains
/// it. A clone is the same event.
pub struct Prepared<E> {
    pub(super) head: ValueHeader,
    pub(super) event: Arc<E>,
    /// Options that few publishes have; `None` allocates nothing.
    extra: Option<Box<Extra>>,
}

/// The options of a publish.
#[derive(Debug, Clone, Default)]
pub(super) struct Extra {
    pub(super) headers: Headers,
    pub(super) message_id: Option<MessageId>,
    pub(super) expect: Expect,
    pub(super) roll_up: Option<RollUp>,
    /// Where the trace headers come from.
    pub(super) trace_origin: Origin,
    /// The first invalid header; the publish returns it as an error.
    pub(super) invalid: Option<InvalidHeader>,
    /// The reason why a key of the caller's own was refused; the publish returns it as an error.
    pub(super) refused_key: Option<String>,
}

impl Extra {
    /// Sets a header of the caller. An invalid one is kept for the error of the publish.
    pub(super) fn set_header(&mut self, name: Text, value: String) {
        if let Err(why) = insert_own(&mut self.headers, name, value) {
            self.invalid.get_or_insert(why);
        }
    }

    /// Copies the headers of another message, including its trace context, except those that a
    /// server obeys.
    pub(super) fn set_headers_of(&mut self, headers: &Headers) {
        self.trace_origin = Origin::Caller;
        for (name, value) in headers.iter() {
            if is_the_servers(name) {
                continue;
            }
            if let Err(why) = self.headers.insert(Text::copy_of(name), value) {
                self.invalid.get_or_insert(why);
            }
        }
    }

    /// Sets the headers of a trace context.
    pub(super) fn set_trace(&mut self, trace: &TraceContext, origin: Origin) {
        self.trace_origin = origin;
        // A checked context has only characters that a header may have.
        let _ = trace.write(&mut self.headers);
    }

    /// Validates headers, message id and key.
    pub(super) fn check(&self) -> Result<(), Error> {
        let invalid = |why| {
            Err(Error::new(
                ErrorKind::InvalidHeader,
                Operation::Publish,
                why,
            ))
        };
        if let Some(why) = &self.invalid {
            return invalid(why.to_string());
        }
        if let Some(why) = &self.refused_key {
            return Err(Error::new(
                ErrorKind::InvalidOption,
                Operation::Publish,
                why.clone(),
            ));
        }
        match self.message_id.as_ref().map(MessageId::check) {
            Some(Err(why)) => invalid(why.to_string()),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

/// Expectations of a publish, before the entity is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Expect {
    pub(super) stream: Option<u64>,
    pub(super) subject: Option<u64>,
    pub(super) entity: Option<u64>,
}

impl Expect {
    /// Whether nothing is expected.
    pub(super) fn is_empty(&self) -> bool {
        self.stream.is_none() && self.subject.is_none() && self.entity.is_none()
    }
}

impl<E> Prepared<E> {
    pub(super) const fn new(head: ValueHeader, event: Arc<E>) -> Self {
        Self {
            head,
            event,
            extra: None,
        }
    }

    /// The id of the event.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.head.event_id()
    }

    /// The event itself.
    #[must_use]
    pub fn event(&self) -> &E {
        &self.event
    }

    /// The message headers.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        const NONE: &Headers = &Headers::new();
        self.extra().map_or(NONE, |extra| &extra.headers)
    }

    /// Sets the trace context of the event: its trace headers and, if the bus has a
    /// [`TraceSource`](crate::trace::TraceSource), the parent of its `publish` span.
    #[must_use]
    pub fn trace(mut self, trace: &TraceContext) -> Self {
        self.extra_mut().set_trace(trace, Origin::Caller);
        self
    }

    /// Sets the id by which the stream recognizes duplicates. Default: the event's id.
    #[must_use]
    pub fn message_id(mut self, id: impl Into<Text>) -> Self {
        self.extra_mut().message_id = Some(MessageId::Text(id.into()));
        self
    }

    /// Deletes earlier messages when the event is stored. The stream has to allow roll-ups.
    #[must_use]
    pub fn roll_up(mut self, earlier: RollUp) -> Self {
        self.extra_mut().roll_up = Some(earlier);
        self
    }

    /// Adds a header.
    ///
    /// # Errors
    ///
    /// [`InvalidHeader`] if the name or value is not allowed in a header.
    pub fn header(
        mut self,
        name: impl Into<Text>,
        value: impl Into<String>,
    ) -> Result<Self, InvalidHeader> {
        insert_own(&mut self.extra_mut().headers, name.into(), value.into())?;
        Ok(self)
    }

    /// Sets a header of the caller's own.
    pub(crate) fn set_header(&mut self, name: Text, value: String) {
        self.extra_mut().set_header(name, value);
    }

    /// What was said of the publish, if anything was.
    pub(super) fn extra(&self) -> Option<&Extra> {
        self.extra.as_deref()
    }

    pub(super) fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }
}

impl<E: Event> Prepared<E> {
    /// The envelope without the data.
    #[must_use]
    pub fn head(&self) -> Cow<'_, EnvelopeHeader> {
        self.head.to_header(&*self.event)
    }

    /// Takes over the correlation id and the trace of the cause, and sets the id of the cause as
    /// causation id.
    ///
    /// A cause that is not an envelope changes nothing.
    #[must_use]
    pub fn caused_by(mut self, cause: &impl AsCause) -> Self {
        if let Some(cause) = cause.as_cause() {
            self.change(|head| {
                head.metadata.correlation_id = Some(cause.correlation_id);
                head.metadata.causation_id = Some(cause.event_id);
            });
            if let Some(trace) = cause.trace {
                self.extra_mut().set_trace(&trace, Origin::Cause);
            }
        }
        self
    }

    /// Sets the correlation id, for example from a request. It must not be personal data, because
    /// logs and traces show it.
    #[must_use]
    pub fn correlation_id(mut self, id: impl Into<LooseId>) -> Self {
        self.change(|head| head.metadata.correlation_id = Some(id.into()));
        self
    }

    /// Adds a metadata entry.
    ///
    /// The name `key` gives a key to an event without a field marked `#[event(key)]`. The publish
    /// fails with [`ErrorKind::InvalidOption`] if the event has such a field, or if the key is
    /// longer than [`EventKey::MAX_LEN`](event_sdk_core::EventKey::MAX_LEN).
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        let (name, text) = (name.into(), text.into());
        if name == "key" {
            self.set_key(&text);
        } else {
            self.change(|head| head.metadata.insert(name, text));
        }
        self
    }

    /// Takes over these entries of the metadata of another event; those that are set stay, unless
    /// they are replaced.
    pub(crate) fn inherit(mut self, names: &[Text], from: &EnvelopeHeader, replaces: bool) -> Self {
        if names.is_empty() {
            return self;
        }
        self.change(|head| {
            for name in names {
                let is_set = head.metadata.value(name).is_some();
                match from.metadata.value(name) {
                    Some(MetaValue::Text(text)) if replaces || !is_set => {
                        head.metadata.insert(name.as_str(), text.as_str());
                    }
                    Some(MetaValue::Json(value)) if replaces || !is_set => {
                        // It was JSON.
                        let _ = head.metadata.insert_json(name.as_str(), value);
                    }
                    _ => {}
                }
            }
        });
        self
    }

    fn set_key(&mut self, text: &str) {
        let spec = &E::SPEC;
        let refused = match (spec.key_use(), EventKey::new(text)) {
            (KeyUse::None, Ok(key)) => {
                self.change(|head| head.metadata.key = Some(key));
                return;
            }
            (KeyUse::None, Err(why)) => format!("metadata `key` of {}: {why}", spec.name()),
            (KeyUse::Order | KeyUse::InSubject, _) => format!(
                "the key of {} is its field marked `#[event(key)]`, and metadata cannot set another one",
                spec.name()
            ),
        };
        self.extra_mut().refused_key.get_or_insert(refused);
    }

    /// Sets the time of the event, truncated to microseconds. Default: now.
    #[must_use]
    pub fn occurred_at(mut self, instant: Timestamp) -> Self {
        self.change(|head| head.timestamp = micros(instant));
        self
    }

    /// Replaces the id.
    pub(crate) fn with_id(mut self, id: Uuid) -> Self {
        self.change(|head| head.event_id = id);
        self
    }

    fn change(&mut self, change: impl FnOnce(&mut EnvelopeHeader)) {
        self.head.change(&*self.event, change);
    }
}

impl<E: Event> AsCause for Prepared<E> {
    fn as_cause(&self) -> Option<Cause> {
        let mut cause = Cause::new(&self.head());
        cause.trace = TraceContext::from_headers(self.headers());
        Some(cause)
    }
}

/// Sets a header of the caller's own: those that servers obey, and those of a trace, are set by
/// options that check them.
fn insert_own(headers: &mut Headers, name: Text, value: String) -> Result<(), InvalidHeader> {
    not_the_servers(&name)?;
    if name.eq_ignore_ascii_case("traceparent") || name.eq_ignore_ascii_case("tracestate") {
        return Err(InvalidHeader::refused(
            &name,
            "a trace context is checked before it is sent; set it with `trace`",
        ));
    }
    headers.insert(name, value)
}

/// Whether a server obeys this header.
fn is_the_servers(name: &str) -> bool {
    const PREFIX: &[u8] = b"nats-";
    let start = name.as_bytes().get(..PREFIX.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// Refuses the headers that a server obeys.
fn not_the_servers(name: &str) -> Result<(), InvalidHeader> {
    if is_the_servers(name) {
        return Err(InvalidHeader::refused(
            name,
            "the server obeys headers that begin with `Nats-`; use the options of the publish (`message_id`, `expect_last_sequence` and so on)",
        ));
    }
    Ok(())
}

impl<E> Clone for Prepared<E> {
    fn clone(&self) -> Self {
        Self {
            head: self.head.clone(),
            event: Arc::clone(&self.event),
            extra: self.extra.clone(),
        }
    }
}

impl<E> fmt::Debug for Prepared<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("event_id", &self.head.event_id())
            .finish_non_exhaustive()
    }
}
