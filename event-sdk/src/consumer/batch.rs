//! `EventBatch`: several events as the argument of one handler; `BatchFailure`: which of them failed.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::vec;

use event_sdk_core::EventSet;

use super::stop::Stop;
use super::watchdog::WatchId;
use super::{Ctx, Failure, Inbox};

/// Events that a handler processes together, for example in one database transaction.
///
/// [`Consumer::on_batches`](super::Consumer::on_batches) passes them in the order of the stream.
/// With [`ordered_by_key`](super::Consumer::ordered_by_key) a batch can contain several events of a
/// key.
pub struct EventBatch<S> {
    events: Vec<(S, Ctx)>,
}

impl<S> EventBatch<S> {
    /// How many events there are: at least one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether the batch has no events. A batch that a handler gets always has at least one event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The events, each with its context.
    pub fn iter(&self) -> std::slice::Iter<'_, (S, Ctx)> {
        self.events.iter()
    }
}

impl<S> IntoIterator for EventBatch<S> {
    type Item = (S, Ctx);
    type IntoIter = vec::IntoIter<(S, Ctx)>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.into_iter()
    }
}

impl<'a, S> IntoIterator for &'a EventBatch<S> {
    type Item = &'a (S, Ctx);
    type IntoIter = std::slice::Iter<'a, (S, Ctx)>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.iter()
    }
}

impl<S> fmt::Debug for EventBatch<S> {
    /// Does not show the events, which may contain personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBatch")
            .field("len", &self.events.len())
            .finish_non_exhaustive()
    }
}

/// Which events of a batch failed.
///
/// - [`of`](Self::of): these events failed, and the others are done. With
///   [`ordered_by_key`](super::Consumer::ordered_by_key), later events with the key of a failed
///   event are not done either. They are handled after the failed event, and this run does not
///   count as an attempt for them.
/// - Any other error, by `?`: the whole batch failed, and none of its events is done. If the batch
///   had several events, each of them is then handled alone, so one event cannot make the others
///   fail. The failed batch does not count as an attempt.
pub struct BatchFailure(Repr);

enum Repr {
    Whole(Failure),
    Some(Vec<(usize, Failure)>),
}

impl BatchFailure {
    /// The failed events, by their index in the batch. The others are done.
    pub fn of(failures: impl IntoIterator<Item = (usize, Failure)>) -> Self {
        Self(Repr::Some(failures.into_iter().collect()))
    }
}

impl From<Failure> for BatchFailure {
    fn from(failure: Failure) -> Self {
        Self(Repr::Whole(failure))
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for BatchFailure {
    fn from(error: E) -> Self {
        Self(Repr::Whole(error.into()))
    }
}

impl fmt::Debug for BatchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Whole(failure) => f.debug_tuple("Whole").field(failure).finish(),
            Repr::Some(failures) => f
                .debug_map()
                .entries(failures.iter().map(|(at, why)| (at, why)))
                .finish(),
        }
    }
}

/// Handles several events of the set `S` together, for
/// [`Consumer::batches_handled_by`](super::Consumer::batches_handled_by).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle batches of `{S}`",
    label = "not a handler of batches of `{S}`",
    note = "write `impl HandleBatch<{S}> for {Self}`; a handler of single events is passed to `handled_by`"
)]
pub trait HandleBatch<S>: Send + Sync + 'static {
    /// Handles the events of a batch.
    ///
    /// # Errors
    ///
    /// A [`BatchFailure`] says which events failed, or that all of them failed.
    fn handle_batch(
        &self,
        batch: EventBatch<S>,
    ) -> impl Future<Output = Result<(), BatchFailure>> + Send;

    /// The inbox in which the handler records the events that are done: see
    /// [`Handle::inbox`](super::Handle::inbox).
    fn inbox(&self) -> Option<Arc<dyn Inbox>> {
        None
    }
}

/// How a batch ended.
pub(super) enum BatchEnd {
    /// Each event is done but these, by their place in the batch.
    DoneBut(BTreeMap<usize, Stop>),
    /// Nothing is done.
    Whole(Failure),
}

impl BatchEnd {
    /// The kind of the first failure, for a span.
    pub(super) fn first_failure(&self) -> Option<&'static str> {
        match self {
            Self::DoneBut(stops) => stops.values().next().map(Stop::kind),
            Self::Whole(failure) => Some(failure.class().as_str()),
        }
    }
}

pub(super) type RunningBatch = std::pin::Pin<Box<dyn Future<Output = BatchEnd> + Send>>;

/// The handler of batches.
#[derive(Clone)]
pub(super) struct BatchHandler {
    pub(super) call: Arc<dyn Fn(Vec<Ctx>) -> RunningBatch + Send + Sync>,
    pub(super) max: usize,
    pub(super) within: std::time::Duration,
    /// Set when the consumer starts.
    pub(super) watch: Option<WatchId>,
}

/// Passes batches to a value.
pub(super) fn call_by<S, H>(handler: H) -> Arc<dyn Fn(Vec<Ctx>) -> RunningBatch + Send + Sync>
where
    S: EventSet,
    H: HandleBatch<S>,
{
    let handler = Arc::new(handler);
    call(move |batch| {
        let handler = Arc::clone(&handler);
        async move { handler.handle_batch(batch).await }
    })
}

/// Decodes the events, and passes those that can be read.
pub(super) fn call<S, F, Fut>(handle: F) -> Arc<dyn Fn(Vec<Ctx>) -> RunningBatch + Send + Sync>
where
    S: EventSet,
    F: Fn(EventBatch<S>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), BatchFailure>> + Send + 'static,
{
    Arc::new(move |batch: Vec<Ctx>| {
        let mut unreadable = BTreeMap::new();
        let mut events = Vec::with_capacity(batch.len());
        for (place, ctx) in batch.into_iter().enumerate() {
            match ctx.message().decode_as::<S>() {
                Ok(event) => events.push((event, ctx)),
                Err(error) => drop(unreadable.insert(place, error.into())),
            }
        }
        let readable = events.len();
        if readable == 0 {
            return Box::pin(std::future::ready(BatchEnd::DoneBut(unreadable)));
        }
        let running = handle(EventBatch { events });
        Box::pin(async move {
            match running.await {
                Ok(()) => BatchEnd::DoneBut(unreadable),
                Err(BatchFailure(Repr::Whole(failure))) => BatchEnd::Whole(failure),
                Err(BatchFailure(Repr::Some(failures))) => {
                    end_of_some(failures, readable, unreadable)
                }
            }
        })
    })
}

/// How a batch ended. The failures have the index of their event among those that could be read.
fn end_of_some(
    failures: Vec<(usize, Failure)>,
    readable: usize,
    unreadable: BTreeMap<usize, Stop>,
) -> BatchEnd {
    let all = readable + unreadable.len();
    let places: Vec<usize> = (0..all).filter(|it| !unreadable.contains_key(it)).collect();
    let mut stops = unreadable;
    for (index, failure) in failures {
        let Some(place) = places.get(index) else {
            return BatchEnd::Whole(failure);
        };
        stops.insert(*place, Stop::Failed(failure));
    }
    BatchEnd::DoneBut(stops)
}
