//! `Dispatch<E>`: dates and encodes an event, and hands it to the transport.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use event_sdk_core::event::{ErasedEvent, KeyUse};
use event_sdk_core::headers::Headers;
use event_sdk_core::subject::{InvalidSubject, grammar};
use event_sdk_core::time::Reading;
use event_sdk_core::transport::{
    Body, Capabilities, Capability, Completion, Confirmation, Error, ErrorKind, Expectations,
    MessageId, Operation, PublishRequest, TransportExt as _, ValueBody,
};
use event_sdk_core::{Event, EventKey, Pattern, Subject};

use super::prepared::Expect;
use super::{Prepared, Publishable};
use crate::bus::EventBus;
use crate::schedules::event_subject;
use crate::trace::{About, Destination, PublishSpan};

/// Maximum number of bytes that are reserved before the size of an event is known.
const MAX_SIZE_HINT: usize = 64 * 1024;

/// Publishes the events of one type; computes the subject once.
pub(super) struct Dispatch<E> {
    bus: EventBus,
    /// The subject, or the reason why it is invalid; the part before the key if the key is in the
    /// subject.
    pub(super) subject: Result<Subject, InvalidSubject>,
    /// The capabilities of the transport when the publisher was created.
    capabilities: Capabilities,
    /// The size of the last body: the number of bytes to reserve for the next one.
    size_hint: AtomicUsize,
    event: PhantomData<fn(E)>,
}

impl<E: Event> Dispatch<E> {
    pub(super) fn new(bus: EventBus) -> Self {
        Self {
            subject: event_subject(&E::SPEC, bus.prefix()),
            capabilities: bus.transport().capabilities(),
            size_hint: AtomicUsize::new(512),
            bus,
            event: PhantomData,
        }
    }

    pub(super) fn bus(&self) -> &EventBus {
        &self.bus
    }

    /// Sets the id and time of an event that is not prepared.
    pub(super) fn prepare(&self, event: Publishable<E>) -> Prepared<E> {
        match event {
            Publishable::New(event) => self.prepare_at(event, self.read_clock()),
            Publishable::Prepared(prepared) => prepared,
        }
    }

    /// The subject of `event`, with its key if the key is in the subject.
    pub(super) fn subject_of(&self, event: &E) -> Result<Subject, Error> {
        let subject = self.subject.as_ref().map_err(invalid_subject)?;
        match (E::SPEC.key_use(), event.key()) {
            (KeyUse::InSubject, Some(key)) => {
                let mut text = String::with_capacity(subject.as_str().len() + 33);
                text.push_str(subject.as_str());
                text.push('.');
                grammar::escape_key_into(key, &mut text)
                    .map_err(|why| invalid_subject(&why).at_subject(subject))?;
                Subject::parse(text).map_err(|why| invalid_subject(&why))
            }
            _ => Ok(subject.clone()),
        }
    }

    /// The subject of the events without a key.
    pub(super) fn event_subject(&self) -> Result<&Subject, Error> {
        self.subject.as_ref().map_err(invalid_subject)
    }

    /// Headers and body of a message to `subject` that is published later. Sets `span` to the span
    /// of the publish.
    pub(super) fn message(
        &self,
        prepared: &Prepared<E>,
        subject: &Subject,
        span: &mut Option<PublishSpan>,
    ) -> Result<(Headers, Body), Error> {
        let mut headers = prepared.headers().clone();
        *span = self.open_span(prepared, subject, &mut headers);
        let _entered = span.as_ref().map(|span| span.span().enter());
        let body = self
            .body(prepared, &mut headers)
            .map_err(|error| error.at_subject(subject))?;
        Ok((headers, body))
    }

    pub(super) fn read_clock(&self) -> Reading<'_> {
        Reading::of(self.bus.clock())
    }

    /// Sets the id and this time of an event.
    #[inline]
    pub(super) fn prepare_at(&self, event: Arc<E>, reading: Reading<'_>) -> Prepared<E> {
        Prepared::new(self.bus.new_head(&*event, reading.now()), event)
    }

    /// Passes the event to the transport; with `reading` if the clock was just read. Sets `span` to
    /// the span of the publish.
    pub(super) fn send(
        &self,
        prepared: &Prepared<E>,
        reading: Option<Reading<'_>>,
        span: &mut Option<PublishSpan>,
    ) -> Result<Completion<Result<Confirmation, Error>>, Error> {
        let keyed;
        let subject = if let (Ok(subject), KeyUse::None | KeyUse::Order) =
            (&self.subject, E::SPEC.key_use())
        {
            subject
        } else {
            keyed = self.subject_of(&prepared.event)?;
            &keyed
        };
        let mut headers = prepared.headers().clone();
        *span = self.open_span(prepared, subject, &mut headers);
        let _entered = span.as_ref().map(|span| span.span().enter());
        let body = self
            .body(prepared, &mut headers)
            .map_err(|error| error.at_subject(subject))?;
        let own_id = prepared.extra().and_then(|extra| extra.message_id.clone());
        let message_id = match own_id {
            Some(id) => Some(id),
            None => self
                .capabilities
                .has(Capability::Deduplication)
                .then_some(MessageId::Event(prepared.id())),
        };
        let expect = self.expectations(prepared)?;
        let mut request = PublishRequest::new(subject, body);
        request.headers = headers;
        request.message_id = message_id;
        request.expect = expect;
        request.roll_up = prepared.extra().and_then(|extra| extra.roll_up);
        request.reading = reading;
        let transport = self.bus.transport();
        let missing = request.needs().find(|need| !self.capabilities.has(*need));
        if let Some(missing) = missing {
            let error = transport.unsupported(missing, Operation::Publish);
            return Err(error.at_subject(subject));
        }
        Ok(transport.publish(request))
    }

    #[inline]
    pub(super) fn open_span(
        &self,
        prepared: &Prepared<E>,
        subject: &Subject,
        headers: &mut Headers,
    ) -> Option<PublishSpan> {
        let origin = prepared.extra().map(|extra| extra.trace_origin);
        let about = || About {
            destination: Destination::of_event(subject, self.bus.prefix(), &E::SPEC),
            event_id: Some(prepared.id()),
            conversation: prepared.head().metadata.correlation_id.clone(),
        };
        let tracing = &self.bus.inner().tracing;
        PublishSpan::open(tracing, headers, origin.unwrap_or_default(), about)
    }

    fn body(&self, prepared: &Prepared<E>, headers: &mut Headers) -> Result<Body, Error> {
        if self.capabilities.has(Capability::ValueHandover) {
            check_key(&*prepared.event)?;
            let event: Arc<dyn ErasedEvent> = prepared.event.clone();
            return Ok(Body::Value(ValueBody {
                head: prepared.head.clone(),
                event,
            }));
        }
        self.encoded(prepared, headers).map(Body::Encoded)
    }

    /// Encodes the envelope with the codec of the bus, and adds the codec's headers. Checks the size
    /// against the limits of bus and transport.
    pub(super) fn encoded(
        &self,
        prepared: &Prepared<E>,
        headers: &mut Headers,
    ) -> Result<Bytes, Error> {
        let mut out = Vec::with_capacity(self.size_hint.load(Ordering::Relaxed));
        let head = prepared.head();
        if head.metadata.key.is_none() {
            check_key(&*prepared.event)?;
        }
        let codec = &self.bus.inner().codec;
        codec
            .encode(&head, &*prepared.event, headers, &mut out)
            .map_err(|why| {
                Error::new(
                    ErrorKind::Encode,
                    Operation::Publish,
                    format!("the {} cannot be written", E::SPEC.name()),
                )
                .with_source(why)
            })?;
        check_size(&self.bus, &self.capabilities, out.len(), headers)?;
        // A little more than the last size, because the number of digits varies.
        let hint = (out.len() + out.len() / 8).min(MAX_SIZE_HINT);
        self.size_hint.store(hint, Ordering::Relaxed);
        // A stream counts the bytes of the message, so the buffer must not be much larger.
        if out.capacity() > out.len() + out.len() / 4 {
            out.shrink_to_fit();
        }
        Ok(out.into())
    }

    fn expectations(&self, prepared: &Prepared<E>) -> Result<Expectations, Error> {
        let expect = prepared
            .extra()
            .map_or_else(Expect::default, |extra| extra.expect);
        let last_pattern_sequence = match expect.entity {
            None => None,
            Some(sequence) => Some((self.entity_pattern(prepared)?, sequence)),
        };
        let mut expected = Expectations::none();
        expected.last_sequence = expect.stream;
        expected.last_subject_sequence = expect.subject;
        expected.last_pattern_sequence = last_pattern_sequence;
        Ok(expected)
    }

    /// All actions of the entity that the key names: `<domain>.<entity>.*.<key>`.
    fn entity_pattern(&self, prepared: &Prepared<E>) -> Result<Pattern, Error> {
        let spec = &E::SPEC;
        let entity = (
            spec.domain(),
            spec.entity(),
            spec.key_use(),
            prepared.event.key(),
        );
        let (Some(domain), Some(entity), KeyUse::InSubject, Some(key)) = entity else {
            return Err(Error::new(
                ErrorKind::InvalidOption,
                Operation::Publish,
                format!(
                    "the last sequence of an entity cannot be expected of {}: that takes a domain, an entity, and a key in the subject (`#[event(key, in_subject)]`)",
                    spec.name()
                ),
            ));
        };
        let token = grammar::escape_key(key).map_err(|why| invalid_subject(&why))?;
        Pattern::parse(format!("{domain}.{entity}.*.{token}"))
            .and_then(|pattern| pattern.under(self.bus.prefix()))
            .map_err(|why| invalid_subject(&why))
    }
}

/// Checks the key of an event, if it has one.
fn check_key<E: Event>(event: &E) -> Result<(), Error> {
    let (KeyUse::Order | KeyUse::InSubject, Some(key)) = (E::SPEC.key_use(), event.key()) else {
        return Ok(());
    };
    EventKey::check(key).map_err(|why| {
        let name = E::SPEC.name();
        let reason = format!("the key of the {name} cannot be written");
        Error::new(ErrorKind::Encode, Operation::Publish, reason).with_source(why)
    })
}

/// Checks the size of a message against the limits of transport and bus. `declared` has the
/// transport's capabilities when the publisher was created.
pub(super) fn check_size(
    bus: &EventBus,
    declared: &Capabilities,
    body: usize,
    headers: &Headers,
) -> Result<(), Error> {
    let readable = bus.inner().max_payload;
    if body > readable {
        return Err(unreadable(body, readable));
    }
    let size = body + headers.byte_len();
    if size > declared.max_payload() {
        // A server may have a higher limit after a restart.
        let limit = bus.transport().capabilities().max_payload();
        if size > limit {
            return Err(too_large(bus.transport().name(), size, limit));
        }
    }
    Ok(())
}

fn too_large(transport: &str, size: usize, limit: usize) -> Error {
    Error::new(
        ErrorKind::TooLarge { size, limit },
        Operation::Publish,
        format!(
            "the message has {size} bytes, and {transport} takes {limit}; send less, or a reference to the data"
        ),
    )
}

/// The error of a message that this bus would refuse to decode.
fn unreadable(size: usize, limit: usize) -> Error {
    Error::new(
        ErrorKind::TooLarge { size, limit },
        Operation::Publish,
        format!(
            "the body has {size} bytes, and this bus reads {limit}; raise `max_payload` of the bus here and where the event is read, send less, or a reference to the data"
        ),
    )
}

pub(super) fn invalid_subject(why: &impl fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidSubject,
        Operation::Publish,
        why.to_string(),
    )
}

impl<E> Clone for Dispatch<E> {
    fn clone(&self) -> Self {
        Self {
            bus: self.bus.clone(),
            subject: self.subject.clone(),
            capabilities: self.capabilities,
            size_hint: AtomicUsize::new(self.size_hint.load(Ordering::Relaxed)),
            event: PhantomData,
        }
    }
}
