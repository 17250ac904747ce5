//! `RawPublish`: publishes bytes without a Rust type, with the confirmation, options and limits of a
//! typed publish.

use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use event_sdk_core::headers::Headers;
use event_sdk_core::subject::InvalidSubject;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Body, Error, Expectations, MessageId, Operation, PublishRequest, RollUp, Stored,
    TransportExt as _,
};
use event_sdk_core::{Pattern, Subject};
use tracing::Instrument as _;

use super::dispatch::{check_size, invalid_subject};
use super::prepared::Extra;
use super::sending::not_confirmed;
use crate::bus::EventBus;
use crate::observer::Observation;
use crate::trace::{About, Destination, Origin, PublishSpan, TraceContext};

/// A publish of bytes: set options, then await it. [`RawBus::publish`](crate::RawBus::publish)
/// returns it.
///
/// Nothing is sent before the first poll. Not cancel-safe: after dropping the future, the message
/// may be stored or not.
///
/// Awaiting it fails with the kinds of [`Publish`](crate::Publish) except
/// [`Encode`](crate::ErrorKind::Encode).
#[must_use = "nothing is published until this is awaited"]
pub struct RawPublish {
    bus: EventBus,
    subject: Result<Subject, InvalidSubject>,
    body: Bytes,
    extra: Extra,
    expect_pattern: Option<(Result<Pattern, InvalidSubject>, u64)>,
    /// Whether patterns are whole too.
    absolute: bool,
    timeout: Option<Duration>,
}

impl RawPublish {
    pub(crate) fn new(
        bus: EventBus,
        subject: Result<Subject, InvalidSubject>,
        body: Bytes,
        absolute: bool,
    ) -> Self {
        Self {
            bus,
            subject,
            body,
            extra: Extra::default(),
            expect_pattern: None,
            absolute,
            timeout: None,
        }
    }

    /// Adds a header. An invalid header makes the publish fail with
    /// [`InvalidHeader`](crate::ErrorKind::InvalidHeader).
    pub fn header(mut self, name: impl Into<Text>, value: impl Into<String>) -> Self {
        self.extra.set_header(name.into(), value.into());
        self
    }

    /// Adds the headers of another message as they are, including its trace context.
    ///
    /// Headers that begin with `Nats-` are left out, because a server interprets them, and adds
    /// some of them to the messages of streams with sources. To keep the id for deduplication, set
    /// [`message_id`](Self::message_id).
    pub fn headers(mut self, headers: &Headers) -> Self {
        self.extra.set_headers_of(headers);
        self
    }

    /// Sets the trace context of the message: its trace headers and, if the bus has a
    /// [`TraceSource`](crate::trace::TraceSource), the parent of its `publish` span.
    pub fn trace(mut self, trace: &TraceContext) -> Self {
        self.extra.set_trace(trace, Origin::Caller);
        self
    }

    /// Sets the id by which the stream recognizes duplicates. Default: none. The same bytes are
    /// then stored as often as they are published.
    pub fn message_id(mut self, id: impl Into<Text>) -> Self {
        self.extra.message_id = Some(MessageId::Text(id.into()));
        self
    }

    /// Stores the message only if `sequence` is the last sequence of the stream; zero: only if the
    /// stream is empty.
    pub fn expect_last_sequence(mut self, sequence: u64) -> Self {
        self.extra.expect.stream = Some(sequence);
        self
    }

    /// Stores the message only if `sequence` is the last sequence on its subject; zero: only if the
    /// subject has no message.
    pub fn expect_last_subject_sequence(mut self, sequence: u64) -> Self {
        self.extra.expect.subject = Some(sequence);
        self
    }

    /// Stores the message only if `sequence` is the last sequence of the messages in its stream
    /// whose subjects match `pattern`; zero: only if no message matches. The pattern is relative or
    /// absolute, like the subject.
    pub fn expect_last_pattern_sequence(mut self, pattern: &Pattern, sequence: u64) -> Self {
        let whole = if self.absolute {
            Ok(pattern.clone())
        } else {
            pattern.under(self.bus.prefix())
        };
        self.expect_pattern = Some((whole, sequence));
        self
    }

    /// Deletes earlier messages of the same subject, or of the whole stream, when the message is
    /// stored. The stream has to allow roll-ups
    /// ([`allow_rollup`](event_sdk_core::stream::StreamSpec::allow_rollup)); otherwise the publish
    /// fails with [`DeletionDenied`](crate::ErrorKind::DeletionDenied).
    pub fn roll_up(mut self, earlier: RollUp) -> Self {
        self.extra.roll_up = Some(earlier);
        self
    }

    /// Sets the time limit for the confirmation of the publish. Default: the bus's
    /// `publish_timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    async fn run(self) -> Result<Stored, Error> {
        let bus = self.bus.inner();
        let observing = bus.observer.as_ref().map(|observer| {
            let clock = Arc::clone(&bus.clock);
            (Arc::clone(observer), clock.monotonic(), clock)
        });
        let result = self.publish().await;
        if let Some((observer, begun, clock)) = observing {
            observer.observe(&Observation::Published {
                event_type: None,
                error: result.as_ref().err(),
                took: clock.monotonic().saturating_sub(begun),
            });
        }
        result
    }

    async fn publish(mut self) -> Result<Stored, Error> {
        let subject = match &self.subject {
            Ok(subject) => subject.clone(),
            Err(why) => return Err(invalid_subject(why)),
        };
        let mut headers = std::mem::take(&mut self.extra.headers);
        let span = self.open_span(&subject, &mut headers);
        let send = self.send(&subject, headers);
        let result = match &span {
            Some(span) => send.instrument(span.span().clone()).await,
            None => send.await,
        };
        result.map_err(|error| {
            if let Some(span) = &span {
                span.failed(&error);
            }
            match error.subject() {
                Some(_) => error,
                None => error.at_subject(&subject),
            }
        })
    }

    fn open_span(&self, subject: &Subject, headers: &mut Headers) -> Option<PublishSpan> {
        // Nothing is known of the message: neither its id, nor whether its subject has a key.
        let about = || About {
            destination: Destination::of_any(subject, self.bus.prefix(), &[]),
            event_id: None,
            conversation: None,
        };
        let tracing = &self.bus.inner().tracing;
        PublishSpan::open(tracing, headers, self.extra.trace_origin, about)
    }

    async fn send(self, subject: &Subject, headers: Headers) -> Result<Stored, Error> {
        let inner = self.bus.inner();
        self.extra.check()?;
        let capabilities = inner.transport.capabilities();
        check_size(&self.bus, &capabilities, self.body.len(), &headers)?;
        let mut expect = Expectations::none();
        expect.last_sequence = self.extra.expect.stream;
        expect.last_subject_sequence = self.extra.expect.subject;
        if let Some((pattern, sequence)) = self.expect_pattern {
            let pattern = pattern.map_err(|why| invalid_subject(&why))?;
            expect.last_pattern_sequence = Some((pattern, sequence));
        }
        let mut request = PublishRequest::new(subject, Body::Encoded(self.body));
        request.headers = headers;
        let remedy = match &self.extra.message_id {
            Some(_) => "publish it again under the same message id",
            None => {
                "without a message id a second publish may store it twice: look for it with `history` first, or set a `message_id`"
            }
        };
        request.message_id = self.extra.message_id;
        request.expect = expect;
        request.roll_up = self.extra.roll_up;
        let needs = request.needs();
        inner.transport.check_needs(needs, Operation::Publish)?;
        let timeout = self.timeout.unwrap_or(inner.publish_timeout);
        let until = inner.clock.monotonic().saturating_add(timeout);
        let handed_over = inner.transport.publish(request);
        let mut stored = pin!(async { handed_over.await?.await });
        let mut deadline = inner.clock.sleep_until(until);
        poll_fn(|cx| {
            if let Poll::Ready(stored) = stored.as_mut().poll(cx) {
                return Poll::Ready(stored);
            }
            let late = deadline.as_mut().poll(cx);
            late.map(|()| Err(not_confirmed(timeout, remedy)))
        })
        .await
    }
}

impl IntoFuture for RawPublish {
    type Output = Result<Stored, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for RawPublish {
    /// Without the body, which may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawPublish")
            .field("subject", &self.subject)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}
