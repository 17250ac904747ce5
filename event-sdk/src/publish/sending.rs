//! The future of one publish: its options (message id, headers, cause, expected sequence),
//! encoding, hand-over to the transport and confirmation.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use event_sdk_core::text::Text;
use event_sdk_core::time::Sleep;
use event_sdk_core::transport::{
    Completion, Confirmation, Error, ErrorKind, Operation, RollUp, Stored,
};
use event_sdk_core::{Event, LooseId};
use jiff::Timestamp;
use tokio::task::coop;
use uuid::Uuid;

use super::dispatch::Dispatch;
use super::prepared::Expect;
use super::{Prepared, PublishError, Publishable};
use crate::cause::AsCause;
use crate::observer::Observation;
use crate::trace::{PublishSpan, TraceContext};

/// A publish of one event: set options, then await it.
///
/// Nothing is sent before the first poll. Not cancel-safe: after dropping the future, the event may
/// be stored or not. Publishing the same [prepared](crate::Publisher::prepare) event again is safe.
///
/// Awaiting it fails with a [`PublishError`]. Its kinds: [`ErrorKind::NoStream`],
/// [`ErrorKind::StreamFull`], [`ErrorKind::TooLarge`], [`ErrorKind::WrongLastSequence`],
/// [`ErrorKind::DeletionDenied`] for a roll-up,
/// [`ErrorKind::InvalidSubject`], [`ErrorKind::InvalidHeader`], [`ErrorKind::InvalidOption`],
/// [`ErrorKind::Encode`], [`ErrorKind::PermissionDenied`], [`ErrorKind::Unsupported`],
/// [`ErrorKind::Timeout`], [`ErrorKind::Disconnected`] and [`ErrorKind::Closed`].
#[must_use = "nothing is published until this is awaited"]
pub struct Publish<'a, E> {
    dispatch: &'a Dispatch<E>,
    event: Publishable<E>,
    timeout: Option<Duration>,
}

impl<'a, E: Event> Publish<'a, E> {
    pub(super) fn new(dispatch: &'a Dispatch<E>, event: Publishable<E>) -> Self {
        Self {
            dispatch,
            event,
            timeout: None,
        }
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

    /// Sets the time of the event. Default: now.
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

    /// Sets the id by which the stream recognizes duplicates. Default: the event's id.
    pub fn message_id(self, id: impl Into<Text>) -> Self {
        self.change(|prepared| prepared.message_id(id))
    }

    /// Stores the event only if `sequence` is the last sequence of the stream; zero: only if the
    /// stream is empty.
    pub fn expect_last_sequence(self, sequence: u64) -> Self {
        self.expect(|expect| expect.stream = Some(sequence))
    }

    /// Stores the event only if `sequence` is the last sequence on the event's subject; zero: only
    /// if the subject has no event. If the key is in the subject, only events of this type with the
    /// same key count.
    pub fn expect_last_subject_sequence(self, sequence: u64) -> Self {
        self.expect(|expect| expect.subject = Some(sequence))
    }

    /// Stores the event only if `sequence` is the last sequence of all events of the entity with
    /// this key; zero: only if the entity has no event.
    ///
    /// Only events in the same stream count, so keep all events of an entity in one stream.
    /// Requires `#[event(key, in_subject)]`.
    pub fn expect_last_entity_sequence(self, sequence: u64) -> Self {
        self.expect(|expect| expect.entity = Some(sequence))
    }

    /// Deletes earlier messages of the same subject, or of the whole stream, when the event is
    /// stored. The stream has to allow roll-ups
    /// ([`allow_rollup`](event_sdk_core::stream::StreamSpec::allow_rollup)); otherwise the publish
    /// fails with [`ErrorKind::DeletionDenied`].
    pub fn roll_up(self, earlier: RollUp) -> Self {
        self.change(|prepared| prepared.roll_up(earlier))
    }

    /// Sets the time limit for the confirmation of the publish. Default: the bus's
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

    fn expect(self, change: impl FnOnce(&mut Expect)) -> Self {
        self.change(|mut prepared| {
            change(&mut prepared.extra_mut().expect);
            prepared
        })
    }
}

impl<'a, E: Event> IntoFuture for Publish<'a, E> {
    type Output = Result<Published, PublishError<E>>;
    type IntoFuture = PublishFuture<'a, E>;

    fn into_future(self) -> PublishFuture<'a, E> {
        let Self {
            dispatch,
            event,
            timeout,
        } = self;
        PublishFuture {
            dispatch,
            event: Some(event),
            timeout,
            waiting: None,
            span: None,
        }
    }
}

/// The future of a publish. See [`Publish`] about dropping it.
///
/// # Panics
///
/// Panics if it is polled after completion.
#[must_use = "nothing is published until this is awaited"]
pub struct PublishFuture<'a, E> {
    dispatch: &'a Dispatch<E>,
    /// `None` after completion.
    event: Option<Publishable<E>>,
    timeout: Option<Duration>,
    /// Boxed, because it is rarely needed (a transport in this process is ready at once), and the
    /// future is moved before it is polled.
    waiting: Option<Box<Waiting>>,
    /// The span, from the first poll until the result; `None` if nobody records it.
    span: Option<PublishSpan>,
}

/// A publish that waits for the transport.
struct Waiting {
    phase: Phase,
    /// The start, by the bus's clock.
    since: Duration,
    /// The timer, created at the first wait.
    deadline: Option<Sleep>,
}

enum Phase {
    HandingOver(Completion<Result<Confirmation, Error>>),
    Storing(Confirmation),
}

// Everything that is polled in here is pinned in a box of its own.
impl<E> Unpin for PublishFuture<'_, E> {}

impl<E: Event> PublishFuture<'_, E> {
    /// Polls until the transport has accepted the event. Returns the result if it is already known.
    pub(super) fn poll_handed_over(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Published, PublishError<E>>>> {
        let budget = ready!(coop::poll_proceed(cx));
        let result = match self.poll_handing_over(cx) {
            Poll::Ready(Ok(None)) => {
                budget.made_progress();
                return Poll::Ready(None);
            }
            Poll::Ready(Ok(Some(stored))) => Ok(stored),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Err(ready!(self.poll_deadline(cx))),
        };
        budget.made_progress();
        self.answer(result).map(Some)
    }

    /// Polls an accepted event without a timer: the caller watches the time.
    pub(super) fn poll_confirmed(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Published, PublishError<E>>> {
        let budget = ready!(coop::poll_proceed(cx));
        let result = ready!(self.poll_storing(cx));
        budget.made_progress();
        self.answer(result)
    }

    /// The time, by the bus's clock, at which `patience` or the timeout has passed since the start.
    pub(super) fn late_after(&self, patience: Duration) -> Duration {
        let since = self.waiting.as_ref().map(|waiting| waiting.since);
        let since = since.unwrap_or_default();
        since.saturating_add(patience.min(self.limit()))
    }

    /// The timeout.
    fn limit(&self) -> Duration {
        let bus = self.dispatch.bus().inner();
        self.timeout.unwrap_or(bus.publish_timeout)
    }

    /// Passes the event to the transport: everything before the first wait.
    fn start(&mut self) -> Result<Completion<Result<Confirmation, Error>>, Error> {
        let mut reading = None;
        if let Some(Publishable::New(_)) = self.event
            && let Some(Publishable::New(event)) = self.event.take()
        {
            let now = reading.insert(self.dispatch.read_clock());
            let prepared = self.dispatch.prepare_at(event, *now);
            self.event = Some(Publishable::Prepared(prepared));
        }
        let Some(Publishable::Prepared(prepared)) = &self.event else {
            // Polled after completion.
            return Ok(Completion::later(std::future::pending()));
        };
        if let Some(extra) = prepared.extra() {
            extra.check()?;
        }
        self.dispatch.send(prepared, reading, &mut self.span)
    }

    /// Polls until the transport has accepted the event. Returns the result if it is already known.
    fn poll_handing_over(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Stored>, Error>> {
        // The first poll opens the span.
        let span = self.span.clone();
        let _entered = span.as_ref().map(|span| span.span().enter());
        let waiting = if let Some(waiting) = &mut self.waiting {
            waiting
        } else {
            let phase = match self.start()?.try_into_ready() {
                Ok(confirmation) => match confirmation?.try_into_ready() {
                    Ok(stored) => return Poll::Ready(stored.map(Some)),
                    Err(confirmation) => Phase::Storing(confirmation),
                },
                Err(answer) => Phase::HandingOver(answer),
            };
            self.waiting.insert(Box::new(Waiting {
                phase,
                since: self.dispatch.bus().inner().clock.monotonic(),
                deadline: None,
            }))
        };
        if let Phase::HandingOver(answer) = &mut waiting.phase {
            let confirmation = ready!(Pin::new(answer).poll(cx))?;
            waiting.phase = Phase::Storing(confirmation);
            // Waiting for the confirmation creates a new timer if necessary.
            waiting.deadline = None;
        }
        Poll::Ready(Ok(None))
    }

    /// Polls the confirmation of an accepted event.
    fn poll_storing(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stored, Error>> {
        let span = self.span.clone();
        let _entered = span.as_ref().map(|span| span.span().enter());
        match self.waiting.as_mut().map(|waiting| &mut waiting.phase) {
            Some(Phase::Storing(confirmation)) => Pin::new(confirmation).poll(cx),
            _ => Poll::Pending,
        }
    }

    /// Polls the timeout.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let timeout = self.limit();
        let Some(waiting) = &mut self.waiting else {
            return Poll::Pending;
        };
        let bus = self.dispatch.bus().inner();
        let until = waiting.since.saturating_add(timeout);
        let deadline = waiting
            .deadline
            .get_or_insert_with(|| bus.clock.sleep_until(until));
        ready!(deadline.as_mut().poll(cx));
        let remedy = "publish the same prepared event again";
        Poll::Ready(not_confirmed(timeout, remedy))
    }

    /// The result for the caller, returned once.
    fn answer(
        &mut self,
        result: Result<Stored, Error>,
    ) -> Poll<Result<Published, PublishError<E>>> {
        match (result, &self.event) {
            (Ok(stored), Some(Publishable::Prepared(prepared))) => {
                self.observe(None);
                let published = Published::new(prepared.id(), stored);
                // Dropped in place: moving it takes longer.
                self.event = None;
                self.span = None;
                Poll::Ready(Ok(published))
            }
            (Err(error), _) => self.failed(error),
            (Ok(_), _) => Poll::Pending,
        }
    }

    #[cold]
    fn failed(&mut self, error: Error) -> Poll<Result<Published, PublishError<E>>> {
        match self.event.take() {
            None => Poll::Pending,
            Some(event) => {
                if let Some(span) = self.span.take() {
                    span.failed(&error);
                }
                self.observe(Some(&error));
                let prepared = self.dispatch.prepare(event);
                let error = self.named(error, prepared.event());
                Poll::Ready(Err(PublishError::new(error, prepared)))
            }
        }
    }

    /// Tells the observer of the bus the result.
    fn observe(&self, error: Option<&Error>) {
        let bus = self.dispatch.bus().inner();
        let Some(observer) = &bus.observer else {
            return;
        };
        let since = self.waiting.as_ref().map(|waiting| waiting.since);
        let took = since.map(|since| bus.clock.monotonic().saturating_sub(since));
        observer.observe(&Observation::Published {
            event_type: Some(E::SPEC.event_type()),
            error,
            took: took.unwrap_or_default(),
        });
    }

    /// Adds the whole subject to the error, or the event's declared subject if there is no valid
    /// one.
    fn named(&self, error: Error, event: &E) -> Error {
        if error.subject().is_some() {
            return error;
        }
        match self.dispatch.subject_of(event) {
            Ok(subject) => error.at_subject(subject),
            Err(_) => error.at_subject(E::SPEC.subject()),
        }
    }
}

impl<E: Event> Future for PublishFuture<'_, E> {
    type Output = Result<Published, PublishError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // A transport in this process is always ready, but a loop of publishes must let other tasks
        // run.
        let budget = ready!(coop::poll_proceed(cx));
        // Waiting would hang; futures of the standard library panic, too.
        assert!(
            self.event.is_some(),
            "`PublishFuture` was polled after it was ready"
        );
        let result = match self.poll_handing_over(cx) {
            Poll::Ready(Ok(Some(stored))) => Ok(stored),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Ready(Ok(None)) => match self.poll_storing(cx) {
                Poll::Ready(result) => result,
                Poll::Pending => Err(ready!(self.poll_deadline(cx))),
            },
            Poll::Pending => Err(ready!(self.poll_deadline(cx))),
        };
        budget.made_progress();
        self.answer(result)
    }
}

/// The error of a publish that has timed out.
pub(super) fn not_confirmed(timeout: Duration, remedy: &str) -> Error {
    Error::new(
        ErrorKind::Timeout,
        Operation::Publish,
        format!("not confirmed within {timeout:?}; {remedy}"),
    )
    .with_unknown_outcome()
}

/// Result of a successful publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    event_id: Uuid,
    stored: Stored,
}

impl Published {
    /// Creates a result, for tests of code that takes one.
    #[must_use]
    pub fn new(event_id: Uuid, stored: Stored) -> Self {
        Self { event_id, stored }
    }

    /// The id of the event.
    #[must_use]
    pub fn event_id(&self) -> Uuid {
        self.event_id
    }

    /// The stream that stores the event; `None` on a transport without streams (core NATS).
    #[must_use]
    pub fn stream(&self) -> Option<&str> {
        self.stored.stream.as_deref()
    }

    /// The sequence in the stream; `None` on a transport without streams.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.stored.sequence
    }

    /// Whether the stream already had the event and did not store it again.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.stored.duplicate
    }
}

impl<E> fmt::Debug for Publish<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish")
            .field("event", &self.event)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl<E> fmt::Debug for PublishFuture<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.waiting.as_ref().map(|waiting| &waiting.phase) {
            None => "start",
            Some(Phase::HandingOver(_)) => "handing over",
            Some(Phase::Storing(_)) => "storing",
        };
        f.debug_struct("PublishFuture")
            .field("phase", &phase)
            .finish_non_exhaustive()
    }
}
