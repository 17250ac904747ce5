//! Advisories about consumers, as a server publishes them: to listeners, and into the streams that
//! declare their subjects.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker, ready};

use futures_core::Stream;
use tokio::task::coop;

use super::MemoryTransport;
use super::connection::Connection;
use super::phase::Phase;
use super::reporter::{Audience, Report};
use super::stream::MemoryStream;
use super::streams::Streams;
use event_sdk_core::subject::{Pattern, Subject};
use event_sdk_core::transport::{
    Advisories, Advisory, AdvisoryItem, AdvisoryRequest, AdvisoryStream, Body, Completion, Error,
    ErrorKind, Notice, NoticeKind, Operation, PublishRequest,
};

/// Where the advisories of a broker go.
#[derive(Debug)]
pub(super) struct AdvisoryHub {
    streams: Weak<Streams>,
    listeners: Mutex<Vec<Weak<Listener>>>,
    /// Open until the last connection was closed.
    phase: Phase,
    published: AtomicU64,
}

/// A caller of `listen`, with the patterns of the advisories that it asked for.
#[derive(Debug)]
struct Listener {
    patterns: Vec<Pattern>,
    buffer: Mutex<Buffer>,
}

#[derive(Debug, Default)]
struct Buffer {
    advisories: VecDeque<Advisory>,
    /// How many there was no room for, behind those.
    dropped: u64,
    waker: Option<Waker>,
}

/// How many advisories a listener buffers.
const MAX_BUFFERED: usize = 65_536;

impl Advisories for MemoryTransport {
    fn listen(&self, request: AdvisoryRequest) -> Completion<Result<AdvisoryStream, Error>> {
        Completion::ready(self.listen_now(&request))
    }
}

impl MemoryTransport {
    fn listen_now(&self, request: &AdvisoryRequest) -> Result<AdvisoryStream, Error> {
        let operation = Operation::Subscribe;
        self.check_open(operation)?;
        let patterns = request
            .patterns()
            .map_err(|why| Error::new(ErrorKind::InvalidSubject, operation, why.to_string()))?;
        Ok(Box::pin(Listening {
            connection: Arc::clone(&self.0.connection),
            listener: self.0.advisories.add(patterns),
        }))
    }
}

impl AdvisoryHub {
    /// Hears of the consumers of these streams, and stores advisories in those that declare it.
    pub(super) fn of(streams: &Arc<Streams>) -> Arc<Self> {
        let hub = Arc::new(Self {
            streams: Arc::downgrade(streams),
            listeners: Mutex::default(),
            phase: Phase::open(),
            published: AtomicU64::new(0),
        });
        streams.desk().set(Arc::clone(&hub) as Arc<dyn Audience>);
        hub
    }

    fn add(&self, patterns: Vec<Pattern>) -> Arc<Listener> {
        let listener = Arc::new(Listener {
            patterns,
            buffer: Mutex::default(),
        });
        let mut listeners = self.lock();
        listeners.retain(|listener| listener.strong_count() > 0);
        listeners.push(Arc::downgrade(&listener));
        listener
    }

    fn listeners(&self) -> Vec<Arc<Listener>> {
        self.lock().iter().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Listener>>> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Audience for AdvisoryHub {
    fn tell(&self, report: &Report) {
        let Some(streams) = self.streams.upgrade() else {
            return;
        };
        let advisory = report.advisory(streams.clock().now());
        // The names were checked when there came to be a stream and a consumer.
        let Ok(subject) = advisory.subject() else {
            return;
        };
        for listener in self.listeners() {
            listener.hear(&subject, &advisory);
        }
        let list = streams.list();
        let Some(stream) = list.iter().find(|stream| declares(stream, &subject)) else {
            return;
        };
        let number = self.published.fetch_add(1, Ordering::Relaxed);
        let json = advisory.to_json(&number.to_string());
        let message = PublishRequest::new(&subject, Body::Encoded(json.into()));
        // A stream that is full loses it, as on a server.
        let _ = stream.publish(&self.phase, message, MemoryTransport::DEFAULT_MAX_PAYLOAD);
    }

    fn waiting(&self) -> Vec<Waker> {
        let listeners = self.listeners();
        let wakers = listeners
            .iter()
            .filter_map(|listener| listener.buffer().waker.take());
        wakers.collect()
    }

    fn close(&self) {
        self.phase.close();
    }
}

/// Whether a stream names the subject as one of a server. A pattern such as `>` does not: a server
/// has no stream with it.
fn declares(stream: &MemoryStream, subject: &Subject) -> bool {
    let settings = stream.settings();
    let mut subjects = settings.config.subjects.iter();
    subjects.any(|stored| stored.as_str().starts_with("$JS.") && stored.matches(subject))
}

impl Listener {
    fn hear(&self, subject: &Subject, advisory: &Advisory) {
        if !self.patterns.iter().any(|pattern| pattern.matches(subject)) {
            return;
        }
        let waker = {
            let mut buffer = self.buffer();
            if buffer.advisories.len() < MAX_BUFFERED && buffer.dropped == 0 {
                buffer.advisories.push_back(advisory.clone());
            } else {
                buffer.dropped += 1;
            }
            buffer.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The advisories for one listener, until its connection ends.
struct Listening {
    connection: Arc<Connection>,
    listener: Arc<Listener>,
}

impl Stream for Listening {
    type Item = Result<AdvisoryItem, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let budget = ready!(coop::poll_proceed(cx));
        let mut buffer = self.listener.buffer();
        if self.connection.phase().check(Operation::Subscribe).is_err() {
            budget.made_progress();
            return Poll::Ready(None);
        }
        let item = if let Some(advisory) = buffer.advisories.pop_front() {
            AdvisoryItem::Advisory(advisory)
        } else if buffer.dropped > 0 {
            let messages = std::mem::take(&mut buffer.dropped);
            AdvisoryItem::Notice(Notice::new(NoticeKind::Dropped { messages }))
        } else {
            buffer.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        budget.made_progress();
        Poll::Ready(Some(Ok(item)))
    }
}
