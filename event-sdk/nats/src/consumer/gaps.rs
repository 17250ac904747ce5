//! Gaps: messages that a stream dropped before a consumer had read them.
//!
//! Most gaps are visible in the numbers of the deliveries, at no cost. The stream is asked when a
//! subscription begins, and later seldom: when the consumer has passed over messages that perhaps
//! do not match its filters, and when no more messages arrive.

mod look;
mod ranges;
mod tracker;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

use self::look::{ConsumerLook, StreamLook};
pub(super) use self::tracker::Found;
use self::tracker::{Tracker, unsettled};
use super::ack_context::AckContext;
use super::bind::{Bound, Delivered};
use super::reply::Reply;
use crate::options::Management;
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{ConsumerConfig, Error, ErrorKind, Gap};

/// What a subscription finds out about messages that it never receives.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is what may be asked, or what was seen"
)]
pub(super) struct Gaps {
    ack_context: Arc<AckContext>,
    consumer: Text,
    tracker: Tracker,
    found: VecDeque<Gap>,
    /// Whether the stream can be asked.
    asks: bool,
    /// Whether the consumer can.
    asks_consumer: bool,
    /// Whether others may receive from the consumer, and change it.
    has_name: bool,
    looking: Option<(Why, Looking)>,
    /// How many messages were delivered.
    delivered: u64,
    idle: Option<Idle>,
    /// Since when a delivery waits until it is known what its jump means.
    doubt: Option<Pin<Box<Sleep>>>,
    /// Until this time no delivery waits for the answer, because the last one waited in vain.
    blind_until: Option<Instant>,
    /// Whether the consumer seemed to lie beyond the end of the stream.
    is_beyond: bool,
    /// When the stream may be asked again, and after how long once more.
    next: Instant,
    interval: Duration,
}

type Looking = Pin<Box<dyn Future<Output = Result<Looked, Error>> + Send>>;

/// What was found.
struct Looked {
    stream: StreamLook,
    /// How far the consumer was after that, if it was asked.
    consumer: Option<Result<Option<ConsumerLook>, Error>>,
}

/// Why the stream is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Something was passed over.
    Jumps,
    /// Nothing comes.
    Idle,
    /// A delivery waits until it is known what its jump means.
    Doubt,
}

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

/// For how long a delivery waits until it is known what its jump means.
const LONGEST_DOUBT: Duration = Duration::from_secs(1);

/// The longest time while something was passed over. What another member has read and the stream
/// drops before the look cannot be told from what nobody has read.
const LONGEST_WITH_JUMPS: Duration = Duration::from_secs(4);

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
        // The stream was asked after the consumer.
        let ends = look.as_ref().map(|look| look.last);
        let is_beyond = ends.is_some_and(|last| bound.delivered.is_beyond(last));
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
        if !asks {
            ack_context.away.stop();
        }
        Self {
            consumer: bound.name.clone(),
            asks,
            // Nobody else receives from a consumer without a name.
            asks_consumer: config.name.as_str().is_some(),
            has_name: config.name.as_str().is_some(),
            ack_context,
            tracker,
            found: found.into(),
            looking: None,
            delivered: 0,
            idle: None,
            doubt: None,
            blind_until: None,
            is_beyond,
            next: Instant::now() + SHORTEST,
            interval: SHORTEST,
        }
    }

    /// The subjects that the stream stores, if that is known and it stores no others.
    pub(super) fn subjects(&self) -> Option<&[Pattern]> {
        self.tracker.subjects()
    }

    /// Whether the consumer seems to lie beyond the end of the stream, which is to be looked at. It is
    /// told once.
    pub(super) fn take_beyond(&mut self) -> bool {
        std::mem::take(&mut self.is_beyond)
    }

    /// The consumer that is asked, if stream and consumer may be asked.
    pub(super) fn asked(&self) -> Option<Text> {
        self.asks.then(|| self.consumer.clone())
    }

    /// A message was delivered. What was lost before it; a message in doubt is kept until
    /// [`poll_doubt`](Self::poll_doubt) is ready.
    pub(super) fn delivered(&mut self, reply: &Reply) -> Found {
        self.delivered = self.delivered.wrapping_add(1);
        let is_blind = !self.asks || (self.has_name && !self.asks_consumer) || self.is_blind();
        self.tracker.delivered(reply, is_blind)
    }

    /// Whether a delivery has waited in vain lately.
    fn is_blind(&mut self) -> bool {
        let is_blind = self.blind_until.is_some_and(|until| Instant::now() < until);
        if !is_blind {
            self.blind_until = None;
        }
        is_blind
    }

    /// Whether the last delivery is in doubt.
    pub(super) fn doubts(&self) -> bool {
        self.tracker.doubts()
    }

    /// Ready when the last delivery is not in doubt any more, with the gap before it. A server that
    /// does not answer holds it up for a second at the most: then the number is not certain.
    pub(super) fn poll_doubt(&mut self, cx: &mut Context<'_>) -> Poll<Option<Gap>> {
        // It is gone on with when a task has used up what tokio gives it at a time, too.
        let mut looking = pin!(unconstrained(poll_fn(|cx| {
            while self.tracker.doubts() {
                if self.poll_looking(cx, Why::Doubt).is_pending() {
                    ready!(self.poll_longest_doubt(cx));
                    self.found.extend(self.tracker.judge_blindly());
                    self.blind_until = Some(Instant::now() + LONGEST);
                }
            }
            self.doubt = None;
            Poll::Ready(self.next())
        })));
        looking.as_mut().poll(cx)
    }

    fn poll_longest_doubt(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let longest = || Box::pin(sleep_until(Instant::now() + LONGEST_DOUBT));
        self.doubt.get_or_insert_with(longest).as_mut().poll(cx)
    }

    /// Whether it is time to look at what was passed over.
    pub(super) fn is_due(&self) -> bool {
        self.asks
            && (self.tracker.has_jumps() || !self.ack_context.away.is_empty())
            && (self.looking.is_some() || Instant::now() >= self.next)
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
            if self.looking.is_some() {
                ready!(self.poll_looking(cx, Why::Jumps));
                continue;
            }
            let wants = self.tracker.wants_look(is_idle) || !self.ack_context.away.is_empty();
            if !self.asks || !wants {
                return Poll::Pending;
            }
            if is_idle {
                ready!(self.poll_idle(cx));
            } else if Instant::now() < self.next {
                return Poll::Pending;
            }
            let why = if is_idle { Why::Idle } else { Why::Jumps };
            self.looking = Some((why, Box::pin(self.look(why))));
        }
    }

    /// Goes on with a look, which is begun for this reason if there is none.
    fn poll_looking(&mut self, cx: &mut Context<'_>, why: Why) -> Poll<()> {
        let (why, mut looking) = match self.looking.take() {
            Some(looking) => looking,
            None => (why, Box::pin(self.look(why)) as Looking),
        };
        match looking.as_mut().poll(cx) {
            Poll::Ready(looked) => {
                self.looked(why, looked);
                Poll::Ready(())
            }
            Poll::Pending => {
                self.looking = Some((why, looking));
                Poll::Pending
            }
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

    fn look(&self, why: Why) -> impl Future<Output = Result<Looked, Error>> + Send + use<> {
        let ack_context = Arc::clone(&self.ack_context);
        let above = self.tracker.details_above();
        let asks_consumer =
            self.asks_consumer && (why != Why::Jumps || !ack_context.away.is_empty());
        let consumer = self.consumer.clone();
        async move {
            let stream = look::stream(&ack_context, above).await?;
            // After that: what is not delivered now was not when it was dropped.
            let consumer = if asks_consumer {
                Some(look::consumer(&ack_context, &consumer).await)
            } else {
                None
            };
            Ok(Looked { stream, consumer })
        }
    }

    fn looked(&mut self, why: Why, looked: Result<Looked, Error>) {
        match looked {
            Ok(Looked { stream, consumer }) => {
                let consumer = consumer.transpose().unwrap_or_else(|error| {
                    self.asks_consumer = may_ask_again(&self.ack_context, &error);
                    self.stop_remembering();
                    None
                });
                let consumer = consumer.flatten();
                // Something may have been stored in between: that is looked at again.
                self.is_beyond |= consumer
                    .as_ref()
                    .is_some_and(|at| at.delivered.is_beyond(stream.last));
                let (idle, doubt) = (why == Why::Idle, why == Why::Doubt);
                let found = self.tracker.looked(&stream, consumer.as_ref(), idle, doubt);
                self.found.extend(found);
                let away = self.ack_context.away.all();
                let (gap, over) = unsettled(&stream, consumer.as_ref(), &away);
                self.found.extend(gap);
                for sequence in over {
                    self.ack_context.away.remove(sequence);
                }
                if idle && !self.asks_consumer {
                    self.tracker.waits(&stream);
                }
            }
            Err(error) => {
                self.asks = may_ask_again(&self.ack_context, &error);
                self.stop_remembering();
                if why == Why::Doubt {
                    self.found.extend(self.tracker.judge_blindly());
                }
            }
        }
        let longest = if self.tracker.has_jumps() {
            LONGEST_WITH_JUMPS
        } else {
            LONGEST
        };
        self.interval = if self.found.is_empty() {
            (self.interval * 2).min(longest)
        } else {
            SHORTEST
        };
        self.next = Instant::now() + self.interval;
    }

    /// Where neither stream nor consumer can be asked any more, nobody says what became of
    /// deliveries that went to other members.
    fn stop_remembering(&self) {
        if !self.asks || (self.has_name && !self.asks_consumer) {
            self.ack_context.away.stop();
        }
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

/// Asks the server what this consumer has delivered. `None` if there is no such consumer.
pub(super) async fn consumer(
    ack_context: &AckContext,
    name: &str,
) -> Result<Option<Delivered>, Error> {
    Ok(look::consumer(ack_context, name)
        .await?
        .map(|at| at.delivered))
}

/// The last sequence of the stream.
pub(super) async fn last_sequence(ack_context: &AckContext) -> Result<u64, Error> {
    Ok(look::stream(ack_context, None).await?.last)
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
