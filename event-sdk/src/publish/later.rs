//! `PublishLater`: schedules an event to be published at a time, or after a delay.

use std::fmt;
use std::future::{Future, IntoFuture, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use event_sdk_core::event::KeyUse;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation, ScheduleRequest, TransportExt as _};
use event_sdk_core::{Event, LooseId, Pattern};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::dispatch::Dispatch;
use super::{Prepared, PublishError, Publishable};
use crate::cause::AsCause;
use crate::schedules::{schedule_key, streams_of};
use crate::trace::{PublishSpan, TraceContext};

/// A publish of one event at a later time: set options, then await it.
/// [`Publisher::publish_at`](crate::Publisher::publish_at) and
/// [`publish_after`](crate::Publisher::publish_after) return it.
///
/// The future completes when the stream has stored the schedule. The schedule then fires even if
/// this process has ended.
///
/// - **Stream.** The event waits in the stream that will store it. That stream must allow schedules
///   ([`StreamSpec::schedules`](crate::stream::StreamSpec::schedules)). The memory transport and
///   NATS servers from 2.12 on support this.
/// - **Envelope.** Id and time of the event are set when the event is scheduled
///   ([`occurred_at`](Self::occurred_at) sets another time). Its stored time is the time when it is
///   published. Subject, correlation and trace are the same as for a publish.
/// - **Precision.** The event is published at its time or up to a second later, never before. A
///   time in the past counts as now. Events whose times are at least a second apart are published
///   in the order of their times.
/// - **Key.** An event type has at most one waiting event for each key. If another event of the
///   type is scheduled with the same key, it replaces the waiting event. So an event that is
///   scheduled again after an error, or by a repeated handler, still waits only once.
/// - **Duplicates.** The published event has no message id, so the stream recognizes no duplicate
///   of it. If an event is scheduled again after it was published, it is published twice. This may
///   happen after a [`Timeout`](ErrorKind::Timeout) with an unknown outcome. If the same
///   [prepared](crate::Publisher::prepare) event is scheduled, both messages have the same event
///   id.
/// - **Crash.** A schedule is stored like a message. If an event is due while the server is
///   unavailable, it is published when the server is back. The memory transport keeps schedules as
///   long as its streams.
/// - **Transactions.** Scheduling is not part of a database transaction. If the event must be
///   published only if a transaction commits, use an outbox with `not_before` instead. This works
///   on any transport.
/// - **Limits.** On NATS, a full stream drops waiting events like other messages, without notice;
///   see [`StreamSpec::schedules`](crate::stream::StreamSpec::schedules).
///
/// Not cancel-safe: after dropping the future, the event may be scheduled or not.
///
/// Awaiting it fails with a [`PublishError`]. Its kinds: [`ErrorKind::NoStream`],
/// [`ErrorKind::InvalidOption`] (the stream allows no schedules, the time is after
/// [`ScheduleRequest::LATEST`], the event has a message id or expects a sequence),
/// [`ErrorKind::StreamFull`], [`ErrorKind::TooLarge`], [`ErrorKind::InvalidSubject`],
/// [`ErrorKind::InvalidHeader`], [`ErrorKind::Encode`], [`ErrorKind::PermissionDenied`],
/// [`ErrorKind::Unsupported`], [`ErrorKind::Timeout`], [`ErrorKind::Disconnected`] and
/// [`ErrorKind::Closed`].
#[must_use = "nothing is scheduled until this is awaited"]
pub struct PublishLater<'a, E> {
    dispatch: &'a Dispatch<E>,
    event: Publishable<E>,
    when: When,
    key: Option<String>,
    timeout: Option<Duration>,
}

/// When an event is published.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    At(Timestamp),
    After(Duration),
}

impl<'a, E: Event> PublishLater<'a, E> {
    pub(super) fn new(dispatch: &'a Dispatch<E>, event: Publishable<E>, when: When) -> Self {
        Self {
            dispatch,
            event,
            when,
            key: None,
            timeout: None,
        }
    }

    /// Sets the key by which the waiting event is replaced and
    /// [cancelled](crate::Schedules::cancel). Default: the key of the event, or the id of an event
    /// without a key. The key of the event itself does not change.
    pub fn schedule_key(mut self, key: impl fmt::Display) -> Self {
        self.key = Some(key.to_string());
        self
    }

    /// Inherits correlation id and trace from the cause; see [`Prepared::caused_by`].
    pub fn caused_by(self, cause: &impl AsCause) -> Self {
        self.change(|prepared| prepared.caused_by(cause))
    }

    /// Sets the correlation id.
    pub fn correlation_id(self, id: impl Into<LooseId>) -> Self {
        self.change(|prepared| prepared.correlation_id(id))
    }

    /// Adds a metadata entry; see [`Prepared::metadata`] about `key`.
    pub fn metadata(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.change(|prepared| prepared.metadata(name, text))
    }

    /// Sets the time of the event in its envelope. Default: now.
    pub fn occurred_at(self, instant: Timestamp) -> Self {
        self.change(|prepared| prepared.occurred_at(instant))
    }

    /// Sets the trace context of the event; see [`Prepared::trace`].
    pub fn trace(self, trace: &TraceContext) -> Self {
        self.change(|prepared| prepared.trace(trace))
    }

    /// Adds a header. An invalid header makes the publish fail with [`ErrorKind::InvalidHeader`].
    pub fn header(self, name: impl Into<Text>, value: impl Into<String>) -> Self {
        self.change(|mut prepared| {
            prepared.set_header(name.into(), value.into());
            prepared
        })
    }

    /// Sets the time limit for the confirmation of the schedule. Default: the bus's
    /// `publish_timeout`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    fn change(mut self, change: impl FnOnce(Prepared<E>) -> Prepared<E>) -> Self {
        let prepared = self.dispatch.prepare(self.event);
        self.event = Publishable::Prepared(change(prepared));
        self
    }

    async fn run(self) -> Result<PublishedLater, PublishError<E>> {
        let Self {
            dispatch,
            event,
            when,
            key,
            timeout,
        } = self;
        let prepared = dispatch.prepare(event);
        let scheduling = Scheduling {
            dispatch,
            prepared: &prepared,
            when,
            key,
        };
        match scheduling.within(timeout).await {
            Ok(published) => Ok(published),
            Err(error) => {
                let error = match error.subject() {
                    Some(_) => error,
                    None => error.at_subject(E::SPEC.subject()),
                };
                Err(PublishError::new(error, prepared))
            }
        }
    }
}

/// An event that is being scheduled.
struct Scheduling<'a, E> {
    dispatch: &'a Dispatch<E>,
    prepared: &'a Prepared<E>,
    when: When,
    key: Option<String>,
}

impl<E: Event> Scheduling<'_, E> {
    async fn within(self, timeout: Option<Duration>) -> Result<PublishedLater, Error> {
        let inner = self.dispatch.bus().inner();
        let timeout = timeout.unwrap_or(inner.publish_timeout);
        let until = inner.clock.monotonic().saturating_add(timeout);
        let mut deadline = inner.clock.sleep_until(until);
        let mut span = None;
        let result = {
            let mut scheduled = pin!(self.run(&mut span));
            poll_fn(|cx| {
                if let Poll::Ready(result) = scheduled.as_mut().poll(cx) {
                    return Poll::Ready(result);
                }
                let late = deadline.as_mut().poll(cx);
                late.map(|()| Err(late_error(timeout)))
            })
            .await
        };
        if let (Err(error), Some(span)) = (&result, &span) {
            span.failed(error);
        }
        result
    }

    async fn run(self, span: &mut Option<PublishSpan>) -> Result<PublishedLater, Error> {
        let Self {
            dispatch, prepared, ..
        } = &self;
        if let Some(extra) = prepared.extra() {
            extra.check()?;
            if extra.message_id.is_some() || !extra.expect.is_empty() {
                return Err(option(
                    "a scheduled event has no message id and expects no sequence, since a server drops both when it publishes the event; schedule it without",
                ));
            }
            if extra.roll_up.is_some() {
                return Err(option(
                    "a scheduled event does not roll up earlier ones, since a server drops the header when it publishes the event; schedule it without",
                ));
            }
        }
        let bus = dispatch.bus();
        let at = self.when.time(bus.clock().now())?;
        let subject = dispatch.subject_of(prepared.event())?;
        let key = self.key()?;
        let streams = streams_of(Pattern::from(subject.clone()), bus).await?;
        let Some(stream) = streams.into_iter().next() else {
            let reason =
                "no stream stores this subject; declare one with a pattern that matches it";
            let error = Error::new(ErrorKind::NoStream, Operation::Schedule, reason);
            return Err(error.at_subject(subject));
        };
        let (headers, body) = dispatch.message(prepared, &subject, span)?;
        let mut request = ScheduleRequest::new(stream.clone(), key, subject, at, body);
        request.headers = headers;
        let transport = bus.transport();
        transport.check_needs(request.needs(), Operation::Schedule)?;
        let scheduled = transport.schedule_message(request).await?;
        Ok(PublishedLater {
            event_id: prepared.id(),
            stream,
            at,
            replaced: scheduled.replaced,
        })
    }

    /// The key of the schedule in its stream.
    fn key(&self) -> Result<Text, Error> {
        let subject = self.dispatch.event_subject()?;
        if let Some(key) = &self.key {
            return schedule_key(subject, key);
        }
        let event = self.prepared.event();
        match (E::SPEC.key_use(), event.key()) {
            (KeyUse::Order | KeyUse::InSubject, Some(key)) => schedule_key(subject, &key),
            _ => match &self.prepared.head().metadata.key {
                Some(key) => schedule_key(subject, &key.text()),
                None => schedule_key(subject, &self.prepared.id()),
            },
        }
    }
}

impl When {
    fn time(self, now: Timestamp) -> Result<Timestamp, Error> {
        match self {
            Self::At(at) => Ok(at),
            Self::After(delay) => SignedDuration::try_from(delay)
                .and_then(|delay| now.checked_add(delay))
                .map_err(|why| option("the delay leads to a time that cannot be").with_source(why)),
        }
    }
}

fn option(reason: &str) -> Error {
    Error::new(ErrorKind::InvalidOption, Operation::Schedule, reason)
}

fn late_error(timeout: Duration) -> Error {
    let reason = format!(
        "not confirmed within {timeout:?}; schedule the same event again, which replaces this one until its time"
    );
    Error::new(ErrorKind::Timeout, Operation::Schedule, reason).with_unknown_outcome()
}

impl<'a, E: Event> IntoFuture for PublishLater<'a, E> {
    type Output = Result<PublishedLater, PublishError<E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<E> fmt::Debug for PublishLater<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishLater")
            .field("event", &self.event)
            .field("when", &self.when)
            .finish_non_exhaustive()
    }
}

/// Result of a publish at a later time: the event is scheduled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedLater {
    event_id: Uuid,
    stream: Text,
    at: Timestamp,
    replaced: bool,
}

impl PublishedLater {
    /// The id of the event.
    #[must_use]
    pub fn event_id(&self) -> Uuid {
        self.event_id
    }

    /// The stream in which the event waits, and which will store it.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// When the event will be published.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether the event replaced another event that was waiting under the same key.
    #[must_use]
    pub fn replaced(&self) -> bool {
        self.replaced
    }
}
