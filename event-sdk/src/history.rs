//! `bus.history()`: reads stored events of a set without a consumer, by pattern, key, sequence
//! or time, forwards or backwards.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Error, HistoryRequest, HistoryStart, HistoryStream, Operation, Order, StoredMessage,
    TransportExt as _,
};
use event_sdk_core::{EventSet, Pattern};
use futures_core::Stream;
use jiff::Timestamp;

use crate::bus::{EventBus, Routes, Wanted, one_stream};
use crate::cause::{AsCause, Cause};
use crate::message::{Message, Opener};

impl EventBus {
    /// Reads the stored events of the set `S`, without a consumer.
    ///
    /// Add options, then await the query.
    pub fn history<S: EventSet>(&self) -> HistoryQuery<S> {
        HistoryQuery::new(self.clone(), Wanted::events_of::<S>())
    }
}

/// A query for stored events of the set `S`: set options, then await the query.
///
/// The query reads the events that are stored when it is awaited, by default the oldest first.
/// Events of several streams are merged by stored time.
///
/// Awaiting it fails with [`NoStream`](event_sdk_core::ErrorKind::NoStream) if no stream stores
/// the events, [`InvalidOption`](event_sdk_core::ErrorKind::InvalidOption) or
/// [`InvalidSubject`](event_sdk_core::ErrorKind::InvalidSubject) for options that do not fit the
/// set, [`Unsupported`](event_sdk_core::ErrorKind::Unsupported) on a transport without history,
/// or errors of the connection. It is cancel-safe.
#[must_use = "nothing is read until this is awaited"]
pub struct HistoryQuery<S> {
    bus: EventBus,
    wanted: Wanted,
    routes: Routes,
    from: HistoryStart,
    order: Order,
    limit: Option<usize>,
    set: PhantomData<fn() -> S>,
}

impl<S> HistoryQuery<S> {
    pub(crate) fn new(bus: EventBus, wanted: Wanted) -> Self {
        Self {
            bus,
            wanted,
            routes: Routes::default(),
            from: HistoryStart::End,
            order: Order::OldestFirst,
            limit: None,
            set: PhantomData,
        }
    }

    /// Reads only events whose subjects also match this pattern. The pattern is relative to the
    /// prefix.
    pub fn subject(mut self, pattern: Pattern) -> Self {
        self.routes.narrow(pattern);
        self
    }

    /// Reads only this stream.
    pub fn stream(mut self, name: impl Into<Text>) -> Self {
        self.routes.stream(name.into());
        self
    }

    /// Starts at the event with this sequence. If there is no such event, it starts at the next
    /// event in reading order. All events must be in one stream.
    pub fn from_sequence(mut self, sequence: u64) -> Self {
        self.from = HistoryStart::Sequence(sequence);
        self
    }

    /// Starts at the event that was stored at this time. If there is no such event, it starts at
    /// the next event in reading order.
    pub fn from_time(mut self, instant: Timestamp) -> Self {
        self.from = HistoryStart::Time(instant);
        self
    }

    /// Reads the newest events first.
    pub fn newest_first(mut self) -> Self {
        self.order = Order::NewestFirst;
        self
    }

    /// Reads at most this many events.
    pub fn limit(mut self, events: usize) -> Self {
        self.limit = Some(events);
        self
    }

    async fn open(self) -> Result<History<S>, Error> {
        let routes = self
            .wanted
            .resolve(&self.routes, &self.bus, Operation::Read);
        let routes = routes.await?;
        if let HistoryStart::Sequence(sequence) = self.from {
            one_stream(sequence, &routes, Operation::Read)?;
        }
        let inner = self.bus.inner();
        let mut sources = Vec::new();
        for (stream, filters) in routes {
            let mut request = HistoryRequest::new(stream, filters);
            request.from = self.from;
            request.order = self.order;
            request.limit = self.limit;
            let supported = inner
                .transport
                .check_needs(request.needs(), Operation::Read);
            supported.map_err(|error| error.at_stream(request.stream.clone()))?;
            sources.push(Source {
                stream: inner.transport.read_history(request).await?,
                head: None,
            });
        }
        Ok(History {
            sources,
            order: self.order,
            left: self.limit.unwrap_or(usize::MAX),
            opener: Arc::new(Opener {
                codec: Arc::clone(&inner.codec),
                prefix: inner.prefix.clone(),
                max_payload: inner.max_payload,
                members: self.wanted.members(),
                tracing: inner.tracing.clone(),
            }),
            set: PhantomData,
        })
    }
}

impl<S: EventSet> HistoryQuery<S> {
    /// Reads only events with this key. The events must declare their key `in_subject`.
    pub fn key(mut self, key: impl fmt::Display) -> Self {
        self.routes.key(&key);
        self
    }
}

impl<S: 'static> IntoFuture for HistoryQuery<S> {
    type Output = Result<History<S>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

/// A [`Stream`] of stored events, in order.
pub struct History<S> {
    sources: Vec<Source>,
    order: Order,
    left: usize,
    opener: Arc<Opener>,
    set: PhantomData<fn() -> S>,
}

/// One stream and its next message.
struct Source {
    stream: HistoryStream,
    head: Option<StoredMessage>,
}

impl<S> History<S> {
    /// Returns the next event, or `None` after the last.
    ///
    /// Cancel-safe: an event is either returned or kept for the next call.
    ///
    /// # Errors
    ///
    /// Errors of the transport if the stream cannot be read, such as
    /// [`Disconnected`](event_sdk_core::ErrorKind::Disconnected),
    /// [`Timeout`](event_sdk_core::ErrorKind::Timeout) or
    /// [`Closed`](event_sdk_core::ErrorKind::Closed).
    pub async fn next(&mut self) -> Option<Result<StoredEvent<S>, Error>> {
        std::future::poll_fn(|cx| self.poll_recorded(cx)).await
    }

    fn poll_recorded(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<StoredEvent<S>, Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut index = 0;
        let mut waiting = false;
        while index < self.sources.len() {
            let source = &mut self.sources[index];
            if source.head.is_none() {
                match source.stream.as_mut().poll_next(cx) {
                    Poll::Pending => waiting = true,
                    Poll::Ready(Some(Ok(message))) => source.head = Some(message),
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                    Poll::Ready(None) => {
                        drop(self.sources.remove(index));
                        continue;
                    }
                }
            }
            index += 1;
        }
        if waiting {
            return Poll::Pending;
        }
        let time = |source: &&mut Source| source.head.as_ref().map(|message| message.stored_at);
        let first = match self.order {
            Order::OldestFirst => self.sources.iter_mut().min_by_key(time),
            // Of equal times the first is taken, as in the other order.
            Order::NewestFirst => self.sources.iter_mut().rev().max_by_key(time),
        };
        let Some(message) = first.and_then(|source| source.head.take()) else {
            return Poll::Ready(None);
        };
        self.left -= 1;
        Poll::Ready(Some(Ok(StoredEvent::new(message, &self.opener))))
    }
}

impl<S> Stream for History<S> {
    type Item = Result<StoredEvent<S>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_recorded(cx)
    }
}

/// A stored event: a [`Message`] with its stream and sequence.
pub struct StoredEvent<S> {
    message: Message<S>,
    stream: Text,
    sequence: u64,
    stored_at: Timestamp,
}

impl<S> StoredEvent<S> {
    fn new(message: StoredMessage, opener: &Arc<Opener>) -> Self {
        let StoredMessage {
            subject,
            headers,
            body,
            stream,
            sequence,
            stored_at,
        } = message;
        Self {
            message: Message::new(subject, headers, body, opener),
            stream,
            sequence,
            stored_at,
        }
    }

    /// The stream that stores the event.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The sequence of the event in the stream.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When the event was stored.
    #[must_use]
    pub fn stored_at(&self) -> Timestamp {
        self.stored_at
    }
}

impl<S> Deref for StoredEvent<S> {
    type Target = Message<S>;

    fn deref(&self) -> &Message<S> {
        &self.message
    }
}

impl<S> AsCause for StoredEvent<S> {
    fn as_cause(&self) -> Option<Cause> {
        Message::as_cause(self)
    }
}

impl<S> fmt::Debug for StoredEvent<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredEvent")
            .field("message", &self.message)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for History<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for HistoryQuery<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryQuery")
            .field("routes", &self.routes)
            .field("from", &self.from)
            .field("order", &self.order)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
