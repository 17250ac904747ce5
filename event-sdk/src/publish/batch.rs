//! `publish_all`: publishes many events with several in flight, and reports a result for each
//! (`PublishAllError`).

use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::Poll;

use event_sdk_core::Event;

use super::dispatch::Dispatch;
use super::window::Window;
use super::{IntoPublishable, Prepared, Publish, PublishError, PublishFuture, Published};

/// A publish of several events: set options, then await it.
///
/// Events are sent in order, with a limited number in flight. If an event fails, the others are
/// still published, and the error contains a result for each event. The iterator is advanced only
/// when an event can be sent.
///
/// Not cancel-safe: after dropping the future, events that were already sent may be stored, and the
/// others are not.
#[must_use = "nothing is published until this is awaited"]
pub struct PublishAll<'a, E, I> {
    dispatch: &'a Dispatch<E>,
    events: I,
    in_flight: NonZeroUsize,
}

/// How many events are sent before the confirmations are polled.
const LOOK_AFTER: usize = 16;

impl<'a, E: Event, I: Iterator<Item: IntoPublishable<E>>> PublishAll<'a, E, I> {
    /// Default maximum number of events in flight.
    pub const DEFAULT_IN_FLIGHT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

    pub(super) fn new(dispatch: &'a Dispatch<E>, events: I) -> Self {
        Self {
            dispatch,
            events,
            in_flight: Self::DEFAULT_IN_FLIGHT,
        }
    }

    /// Sets the maximum number of events in flight. Default: 256; zero counts as one.
    pub fn in_flight(mut self, events: usize) -> Self {
        self.in_flight = NonZeroUsize::new(events).unwrap_or(NonZeroUsize::MIN);
        self
    }

    async fn run(mut self) -> Result<Vec<Published>, PublishAllError<E>> {
        let mut results: Vec<Option<Result<Published, PublishError<E>>>> = Vec::new();
        let mut window = Window::new(self.dispatch.bus());
        while let Some(mut publish) = self.next_publish() {
            let index = results.len();
            results.push(None);
            let handed_over = poll_fn(|cx| {
                let handed_over = publish.poll_handed_over(cx);
                if handed_over.is_pending() || index.is_multiple_of(LOOK_AFTER) {
                    // The confirmations go on meanwhile: a transport may wait for one
                    // of them before it takes another message, and events may come
                    // slowly.
                    while let Poll::Ready(Some((index, result))) = window.poll_next(cx) {
                        results[index] = Some(result);
                    }
                }
                handed_over
            });
            match handed_over.await {
                Some(result) => results[index] = Some(result),
                None => window.push(index, publish),
            }
            while window.len() >= self.in_flight.get()
                && let Some((index, result)) = poll_fn(|cx| window.poll_next(cx)).await
            {
                results[index] = Some(result);
            }
        }
        while let Some((index, result)) = poll_fn(|cx| window.poll_next(cx)).await {
            results[index] = Some(result);
        }
        let results: Vec<_> = results.into_iter().flatten().collect();
        if results.iter().all(Result::is_ok) {
            Ok(results.into_iter().flatten().collect())
        } else {
            Err(PublishAllError { results })
        }
    }

    fn next_publish(&mut self) -> Option<PublishFuture<'a, E>> {
        let event = self.events.next()?;
        Some(Publish::new(self.dispatch, event.into_publishable()).into_future())
    }
}

impl<'a, E, I> IntoFuture for PublishAll<'a, E, I>
where
    E: Event,
    I: Iterator<Item: IntoPublishable<E>> + Send + 'a,
{
    type Output = Result<Vec<Published>, PublishAllError<E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<E, I> fmt::Debug for PublishAll<'_, E, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishAll")
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

/// At least one event of a [`PublishAll`] failed. Contains the result of each event.
///
/// Its [`source`](std::error::Error::source) is the [`Error`](crate::Error) of the first event that
/// failed.
pub struct PublishAllError<E> {
    results: Vec<Result<Published, PublishError<E>>>,
}

impl<E> PublishAllError<E> {
    /// The results, in the order of the events.
    pub fn results(&self) -> &[Result<Published, PublishError<E>>] {
        &self.results
    }

    /// The results, in the order of the events.
    pub fn into_results(self) -> Vec<Result<Published, PublishError<E>>> {
        self.results
    }

    /// The events that failed, to be published again.
    pub fn into_failed(self) -> Vec<Prepared<E>> {
        let failed = self.results.into_iter().filter_map(Result::err);
        failed.map(PublishError::into_prepared).collect()
    }

    fn errors(&self) -> impl Iterator<Item = &PublishError<E>> {
        self.results
            .iter()
            .filter_map(|result| result.as_ref().err())
    }
}

impl<E> fmt::Display for PublishAllError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.errors().count();
        write!(
            f,
            "{failed} of {} events were not published",
            self.results.len()
        )?;
        match self.errors().next() {
            Some(first) => write!(f, "; the first because {}", first.kind()),
            None => Ok(()),
        }
    }
}

impl<E> fmt::Debug for PublishAllError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishAllError")
            .field("events", &self.results.len())
            .field("errors", &self.errors().collect::<Vec<_>>())
            .finish()
    }
}

impl<E> std::error::Error for PublishAllError<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.errors().next()?.error())
    }
}
