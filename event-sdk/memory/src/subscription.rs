//! `MemorySubscription`: the stream of items that a subscriber polls.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::task::coop;

use super::connection::Connection;
use super::consumer::{Delivery, Item};
use super::deferred_actions::DeferredActions;
use super::own_subjects::OwnSubjects;
use super::settle::{Held, Sink};
use super::slab::Key;
use super::stream::MemoryStream;
use event_sdk_clock::Sleep;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    AckPolicy, ConsumerConfig, DeliveryInfo, Error, ErrorKind, Incoming, Notice, NoticeKind,
    Operation, Prefetch, Received, Settle, Settler,
};

/// A subscription: the stream of what a consumer has for it.
///
/// Where deliveries are settled it takes each message when it is asked for it:
/// the ack wait begins when the caller gets the message, and what one of a group
/// has not asked for is there for the others. Where they are not, it takes
/// several at once and gives back what it has not delivered when it is dropped.
pub(super) struct MemorySubscription {
    stream: Arc<MemoryStream>,
    connection: Arc<Connection>,
    consumer: Key,
    subscriber: Key,
    via: Via,
    /// How many messages it takes at once.
    batch: usize,
    taken: VecDeque<Incoming>,
    timer: Option<Timer>,
    ended: bool,
}

/// What a subscription adds to each message. These are its own, so that
/// counting references to them takes no other subscription's or publisher's time.
struct Via {
    stream: Text,
    name: Option<Text>,
    sink: Option<Arc<Sink>>,
    subjects: OwnSubjects,
}

struct Timer {
    at: Duration,
    sleep: Sleep,
}

/// What a consumer had.
enum Taken {
    /// Something.
    Some,
    /// Nothing; at this time it may have.
    Nothing(Option<Duration>),
    /// Nothing so far, but it has not looked at everything.
    Unfinished,
}

/// No subscription takes more than this at once, to hold the lock for a short time.
const MAX_BATCH: usize = 256;

/// How many it takes at once where the number is not fixed.
const ADAPTIVE: usize = 64;

/// How often a poll goes on looking before it lets other tasks run.
const MAX_ROUNDS: usize = 8;

impl MemorySubscription {
    pub(super) fn new(
        stream: Arc<MemoryStream>,
        connection: Arc<Connection>,
        consumer: Key,
        subscriber: Key,
        config: &ConsumerConfig,
        prefetch: Prefetch,
    ) -> Self {
        let name = config.name.as_str().map(Text::copy_of);
        let (batch, sink) = match config.ack {
            AckPolicy::None => (prefetch.fixed_or(ADAPTIVE).min(MAX_BATCH), None),
            AckPolicy::Explicit | AckPolicy::All => {
                let sink = Sink::new(stream.clone(), connection.clone(), consumer, name.clone());
                (1, Some(Arc::new(sink)))
            }
        };
        Self {
            via: Via {
                stream: Text::copy_of(stream.name()),
                name,
                sink,
                subjects: OwnSubjects::default(),
            },
            stream,
            connection,
            consumer,
            subscriber,
            batch,
            taken: VecDeque::new(),
            timer: None,
            ended: false,
        }
    }

    /// Takes what there is, or leaves word to be woken.
    fn take(&mut self, waker: &Waker) -> Result<Taken, Error> {
        let stream = &self.stream;
        let age = stream.age_now();
        let now = match self.via.sink {
            Some(_) => stream.clock().monotonic(),
            None => Duration::ZERO,
        };
        let phase = self.connection.phase();
        stream.locked(phase, Operation::Subscribe, |state, after| {
            state.release_handed_out(self.consumer, self.subscriber, after);
            let fresh = stream.drop_old(state, age, after);
            let firing = state.schedules.alarm();
            let Some(consumer) = state.consumers.get_mut(self.consumer) else {
                return Err(stream.no_consumer(Operation::Subscribe, self.via.name.as_deref()));
            };
            if !fresh {
                consumer.subscribers().busy(self.subscriber, after);
                return Ok(Taken::Unfinished);
            }
            if let Some(until) = consumer.pause_left(|| stream.clock().monotonic()) {
                let alarm = [until].into_iter().chain(firing).min();
                consumer
                    .subscribers()
                    .wait(self.subscriber, waker, alarm, after);
                return Ok(Taken::Nothing(alarm));
            }
            let (taken, via) = (&mut self.taken, &mut self.via);
            let unfinished = consumer.deliver(
                (&mut state.log, &mut state.interest),
                now,
                (self.subscriber, self.connection.id()),
                self.batch,
                after,
                |item| match item {
                    Item::Delivery(delivery) => {
                        let handler = via.sink.as_ref().map(Held::by);
                        let running = handler.as_ref().map(Arc::downgrade);
                        taken.push_back(Incoming::Message(via.received(&delivery, handler)));
                        running
                    }
                    Item::Notice(kind) => {
                        taken.push_back(Incoming::Notice(via.notice(kind)));
                        None
                    }
                },
            );
            let alarm = [consumer.next_alarm(), firing].into_iter().flatten().min();
            let subscribers = consumer.subscribers();
            let taken = if !self.taken.is_empty() {
                subscribers.busy(self.subscriber, after);
                Taken::Some
            } else if unfinished {
                subscribers.busy(self.subscriber, after);
                Taken::Unfinished
            } else {
                subscribers.wait(self.subscriber, waker, alarm, after);
                return Ok(Taken::Nothing(alarm));
            };
            consumer.pass_on(after);
            state.tell_drains(after);
            Ok(taken)
        })
    }

    /// Gives back what it has not delivered, and takes nothing more.
    fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.timer = None;
        let unread = std::mem::take(&mut self.taken);
        let unread = unread.iter().filter_map(|item| match item {
            Incoming::Message(message) => message.info.sequence,
            Incoming::Notice(_) => None,
        });
        let mut after = DeferredActions::default();
        // After the end of everything there is nothing to give back.
        let _ = self
            .stream
            .locked_until(Operation::Subscribe, &mut after, |state, after| {
                let Some(consumer) = state.consumers.get_mut(self.consumer) else {
                    return Ok(());
                };
                // What was not delivered was taken last.
                consumer.handed_out(self.subscriber, unread.clone().count());
                consumer.leave(self.subscriber, unread, &state.log, after);
                let is_over = consumer.is_over();
                state.release_settled(self.consumer, after);
                if is_over {
                    state.remove_consumer(self.consumer, after);
                }
                Ok(())
            });
    }

    /// Whether the timer for `at` has run out; otherwise it wakes the task.
    fn poll_timer(&mut self, at: Option<Duration>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = at else {
            self.timer = None;
            return Poll::Pending;
        };
        // One that ends earlier will do: then there is a look at it.
        if self.timer.as_ref().is_none_or(|timer| timer.at > at) {
            self.timer = Some(Timer {
                at,
                sleep: self.stream.clock().sleep_until(at),
            });
        }
        if let Some(timer) = &mut self.timer {
            ready!(timer.sleep.as_mut().poll(cx));
        }
        self.timer = None;
        Poll::Ready(())
    }
}

impl Stream for MemorySubscription {
    type Item = Result<Incoming, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let budget = ready!(coop::poll_proceed(cx));
        if this.ended {
            return Poll::Ready(None);
        }
        if this.connection.phase().check(Operation::Subscribe).is_err() {
            budget.made_progress();
            this.end();
            return Poll::Ready(None);
        }
        if let Some(item) = this.taken.pop_front() {
            budget.made_progress();
            return Poll::Ready(Some(Ok(item)));
        }
        for _ in 0..MAX_ROUNDS {
            match this.take(cx.waker()) {
                Ok(Taken::Some) => {
                    budget.made_progress();
                    return Poll::Ready(this.taken.pop_front().map(Ok));
                }
                Ok(Taken::Unfinished) => {}
                Ok(Taken::Nothing(alarm)) => ready!(this.poll_timer(alarm, cx)),
                Err(error) => {
                    this.end();
                    // Draining and closing are no failures.
                    let failed = *error.kind() != ErrorKind::Closed;
                    return Poll::Ready(failed.then_some(Err(error)));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for MemorySubscription {
    fn drop(&mut self) {
        self.end();
    }
}

impl Via {
    fn notice(&self, kind: NoticeKind) -> Notice {
        let notice = Notice::new(kind).at_stream(self.stream.clone());
        match &self.name {
            Some(name) => notice.at_consumer(name.clone()),
            None => notice,
        }
    }

    /// The message as it is delivered.
    fn received(&mut self, delivery: &Delivery<'_>, handler: Option<Arc<dyn Settle>>) -> Received {
        let message = delivery.message;
        Received {
            subject: self.subjects.copy_of(delivery.subject),
            headers: message.headers.clone(),
            body: message.body.clone(),
            info: DeliveryInfo {
                stream: Some(self.stream.clone()),
                sequence: Some(delivery.sequence),
                attempt: delivery.attempt,
                number: Some(delivery.number),
                stored_at: Some(message.stored_at),
                pending: Some(delivery.unread),
            },
            settler: handler.map(|handler| Settler::new(handler, delivery.sequence)),
        }
    }
}

impl fmt::Debug for MemorySubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySubscription")
            .field("stream", &self.via.stream)
            .field("consumer", &self.via.name)
            .finish_non_exhaustive()
    }
}
