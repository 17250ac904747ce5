//! Gaps: messages that a stream dropped before a consumer had read them.
//!
//! The deliveries tell most of it, at no cost. The stream is asked when a subscription
//! begins, and then seldom: when something was passed over that may have been for other
//! consumers, and when nothing comes any more.

mod look;
mod ranges;
mod tracker;

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use self::look::{ConsumerLook, StreamLook};
use self::tracker::Tracker;
use super::bind::Bound;
use super::reply::Reply;
use super::settle::AckContext;
use crate::options::Management;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{ConsumerConfig, Error, ErrorKind, Gap};

/// What a subscription finds out about messages that it never receives.
pub(super) struct Gaps {
    ack_context: Arc<AckContext>,
    consumer: Text,
    tracker: Tracker,
    found: VecDeque<Gap>,
    /// Whether the stream can be asked.
    asks: bool,
    /// Whether the consumer can.
    asks_consumer: bool,
    looking: Option<Looking>,
    /// How many messages were delivered.
    delivered: u64,
    idle: Option<Idle>,
    /// When the stream may be asked again, and after how long once more.
    next: Instant,
    interval: Duration,
}

type Looking = Pin<Box<dyn Future<Output = Result<Looked, Error>> + Send>>;

/// What was found, how far the consumer was after that, and whether nothing came.
type Looked = (
    StreamLook,
    Option<Result<Option<ConsumerLook>, Error>>,
    bool,
);

/// Nothing comes.
struct Idle {
    /// How many messages had been delivered then.
    delivered: u64,
    /// Ready when that has lasted.
    lasted: Pin<Box<Sleep>>,
}

/// For how long nothing comes before the stream is asked.
const IDLE: Duration = Duration::from_secs(1);

/// The shortest and the longest time between two looks.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

impl Gaps {
    /// Looks for what was lost before the subscription began.
    pub(super) async fn open(
        ack_context: Arc<AckContext>,
        config: &ConsumerConfig,
        bound: &Bound,
    ) -> Self {
        let mut asks = ack_context.context.options().management == Management::Allowed;
        let mut look = None;
        if asks {
            let above = bound.delivered.stream_seq;
            match look::stream(&ack_context, Some(above)).await {
                Ok(found) => look = Some(found),
                Err(error) => asks = may_ask_again(&ack_context, &error),
            }
        }
        let mut bound = bound.clone();
        if let Some(look) = &look
            && !look.rules.keeps_read
            && !bound.consumer.created
            && config.name.as_str().is_some()
        {
            // What others have read and acknowledged since it was bound has left the stream, and
            // is no gap.
            if let Ok(Some(at)) = look::consumer(&ack_context, &bound.name).await {
                bound.delivered = at.delivered;
            }
        }
        let (tracker, found) = Tracker::begin(config, &bound, look.as_ref());
        Self {
            consumer: bound.name.clone(),
            asks,
            // Nobody else receives from a consumer without a name.
            asks_consumer: config.name.as_str().is_some(),
            ack_context,
            tracker,
            found: found.into(),
            looking: None,
            delivered: 0,
            idle: None,
            next: Instant::now(),
            interval: SHORTEST,
        }
    }

    /// The subjects that the stream stores, if that is known and it stores no others.
    pub(super) fn subjects(&self) -> Option<&[Pattern]> {
        self.tracker.subjects()
    }

    /// A message was delivered. What was lost before it, as far as that is certain.
    pub(super) fn delivered(&mut self, reply: &Reply) -> Option<Gap> {
        self.delivered = self.delivered.wrapping_add(1);
        self.tracker.delivered(reply, !self.asks)
    }

    /// The next gap that is known.
    pub(super) fn next(&mut self) -> Option<Gap> {
        self.found.pop_front()
    }

    /// The next gap beside those; `is_idle` where no message is there.
    pub(super) fn poll(&mut self, is_idle: bool, cx: &mut Context<'_>) -> Poll<Gap> {
        loop {
            if let Some(gap) = self.next() {
                return Poll::Ready(gap);
            }
            if let Some(looking) = &mut self.looking {
                let looked = ready!(looking.as_mut().poll(cx));
                self.looking = None;
                self.looked(looked);
                continue;
            }
            if !self.asks || !self.tracker.wants_look(is_idle) {
                return Poll::Pending;
            }
            if is_idle {
                ready!(self.poll_idle(cx));
            } else if Instant::now() < self.next {
                return Poll::Pending;
            }
            self.looking = Some(Box::pin(self.look(is_idle)));
        }
    }

    /// Ready when nothing has come for long enough to ask the stream.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let (delivered, at) = (self.delivered, self.next);
            let idle = self.idle.get_or_insert_with(|| Idle {
                delivered,
                lasted: Box::pin(sleep_until(at.max(Instant::now() + IDLE))),
            });
            ready!(idle.lasted.as_mut().poll(cx));
            let idle = self.idle.take();
            if idle.is_some_and(|idle| idle.delivered == delivered) {
                return Poll::Ready(());
            }
        }
    }

    fn look(&self, is_idle: bool) -> impl Future<Output = Result<Looked, Error>> + Send + use<> {
        let ack_context = Arc::clone(&self.ack_context);
        let above = self.tracker.details_above();
        let (consumer, asks_consumer) = (self.consumer.clone(), self.asks_consumer);
        async move {
            let stream = look::stream(&ack_context, above).await?;
            // After that: what is not delivered now was not when it was dropped.
            let at = if is_idle && asks_consumer {
                Some(look::consumer(&ack_context, &consumer).await)
            } else {
                None
            };
            Ok((stream, at, is_idle))
        }
    }

    fn looked(&mut self, looked: Result<Looked, Error>) {
        match looked {
            Ok((look, at, is_idle)) => {
                let at = at.transpose().unwrap_or_else(|error| {
                    self.asks_consumer = may_ask_again(&self.ack_context, &error);
                    None
                });
                self.found.extend(self.tracker.looked(&look, at.flatten()));
                if is_idle && !self.asks_consumer {
                    self.tracker.waits(&look);
                }
            }
            Err(error) => self.asks = may_ask_again(&self.ack_context, &error),
        }
        self.interval = if self.found.is_empty() {
            (self.interval * 2).min(LONGEST)
        } else {
            SHORTEST
        };
        self.next = Instant::now() + self.interval;
    }

    /// The subscription was interrupted.
    pub(super) fn interrupted(&mut self) {
        self.tracker.interrupted();
    }

    /// Another consumer takes the place of this one.
    pub(super) fn remade(&mut self, bound: &Bound) {
        self.consumer = bound.name.clone();
        self.tracker.remade(bound);
    }
}

/// Whether to ask again, after this came of it.
fn may_ask_again(ack_context: &AckContext, error: &Error) -> bool {
    let denied = *error.kind() == ErrorKind::PermissionDenied;
    if denied {
        tracing::warn!(target: crate::TRACING_TARGET, stream = %ack_context.stream, %error, "not all gaps can be reported");
    } else {
        tracing::debug!(target: crate::TRACING_TARGET, stream = %ack_context.stream, %error, "the stream cannot be asked for gaps");
    }
    !denied
}
