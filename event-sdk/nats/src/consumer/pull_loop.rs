//! `PullLoop`: the state that a subscription shares with drain and close, and its signals.

mod ending;
mod receiving;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use async_nats::Subject;
use tokio::sync::watch;
use tokio::time::Instant;

use super::ack_context::AckContext;
use super::ack_pending::Deliveries;
use super::bind::Bound;
use super::inbox::Inbox;
use super::message::Message;
use super::prefetch::Window;
use super::pull::{Ends, Pull};
use super::queue::Queue;
use super::reply::Reply;
use super::settle::AckPending;
use super::shutdown::{Left, Shutdown};
use super::status::Status;
use crate::context::NatsContext;
use event_sdk_core::transport::{AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy, Prefetch};

/// A subscription, apart from what only its owner needs.
pub(super) struct PullLoop {
    pub(super) ack_context: Arc<AckContext>,
    /// Whether deliveries are settled.
    pub(super) acks: bool,
    is_ephemeral: bool,
    config: Arc<ConsumerConfig>,
    state: Mutex<State>,
}

struct State {
    bound: Bound,
    /// Where the consumer takes requests.
    next: Subject,
    /// Where messages come; none when the subscription was ended.
    inbox: Option<Inbox>,
    /// The same after that, until it is quiet.
    leaving: Option<Shutdown>,
    /// Closed when every undelivered message is returned by a nak.
    left: Option<watch::Receiver<()>>,
    /// The sequences that were not delivered, but returned by a nak.
    unread: BTreeSet<u64>,
    pull: Pull,
    window: Window,
    /// When the inbox was found empty.
    emptied: Instant,
    queue: Queue,
    deliveries: Deliveries,
    /// A message that came, and waits until the gap before it is told.
    behind: Option<Arrived>,
    /// The highest sequence that has come.
    last: u64,
    /// Sequences below it were not asked for.
    start: u64,
    /// The highest sequence that had come before this consumer was made again, until a higher one
    /// comes.
    remade_after: Option<u64>,
    waker: Option<Waker>,
}

/// What came before an ephemeral consumer was made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Before {
    /// The highest sequence.
    pub(super) last: u64,
    /// What is to come again, for it was not settled.
    pub(super) unsettled: BTreeSet<u64>,
}

/// A message, and how it is settled.
pub(super) type Arrived = (Message, Reply, Option<Arc<AckPending>>);

/// What came for a subscription.
pub(super) enum ConsumerSignal {
    /// A message, and how it is settled.
    Message(Message, Reply, Option<Arc<AckPending>>),
    /// A message that was [kept](PullLoop::keep_behind) behind a gap.
    Behind(Message, Reply, Option<Arc<AckPending>>),
    /// A message that is not handed out: its ack wait is over, or it was delivered before.
    Skipped(Reply),
    /// A message whose reply subject says nothing about it.
    Unreadable(Message),
    /// What the server says of a request.
    Status(Status),
    /// Nothing that has a meaning here.
    Nothing,
    /// The subscription was ended.
    Ended,
    /// The connection has ended.
    Disconnected,
}

impl PullLoop {
    pub(super) fn new(
        ack_context: AckContext,
        config: &Arc<ConsumerConfig>,
        bound: Bound,
        inbox: Inbox,
        prefetch: Prefetch,
    ) -> Self {
        // Where the server was not asked, the durable may be another than the caller believes.
        if let Some(acks) = &ack_context.cumulative {
            acks.bound(bound.acknowledged, bound.delivered);
        }
        ack_context.learn_redelivers(bound.created.is_some() && config.max_deliver.is_none());
        Self {
            acks: config.ack != AckPolicy::None,
            is_ephemeral: config.name == ConsumerName::Ephemeral,
            config: Arc::clone(config),
            state: Mutex::new(State {
                next: ack_context.next(&bound.name),
                inbox: Some(inbox),
                leaving: None,
                left: None,
                unread: BTreeSet::new(),
                window: Window::new(prefetch, config),
                emptied: Instant::now(),
                queue: Queue::default(),
                pull: Pull::new(
                    Some(ack_context.context.options().max_pull_bytes),
                    &bound,
                    config,
                    ends(&ack_context.context),
                ),
                deliveries: Deliveries::default(),
                behind: None,
                last: 0,
                // Where the server was not asked, the durable may have begun elsewhere: what it
                // sends is for the caller.
                start: match config.deliver {
                    DeliverPolicy::ByStartSequence(start) if bound.created.is_some() => start,
                    _ => 0,
                },
                remade_after: None,
                waker: None,
                bound,
            }),
            ack_context: Arc::new(ack_context),
        }
    }

    /// The next thing that came. It is asked for more when it is time, unless
    /// something is amiss.
    pub(super) fn poll(&self, asks: bool, cx: &mut Context<'_>) -> Poll<ConsumerSignal> {
        let mut state = self.lock();
        let came = state.poll(self, asks, cx);
        if came.is_pending() {
            state.keep_waker(cx);
        }
        came
    }

    /// Ready when it was ended.
    pub(super) fn poll_ended(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.inbox.is_none() {
            return Poll::Ready(());
        }
        state.keep_waker(cx);
        Poll::Pending
    }

    /// Keeps a message that came until the gap before it is told: it is the next thing that
    /// comes, and is put back if the subscription ends before.
    pub(super) fn keep_behind(&self, arrived: Arrived) {
        let mut state = self.lock();
        state.behind = Some(arrived);
        if state.inbox.is_none() {
            state.put_back_behind();
        }
    }

    /// Whether its messages come to the subscription with this number.
    pub(super) fn listens_as(&self, sid: u64) -> bool {
        let state = self.lock();
        state.inbox.as_ref().is_some_and(|inbox| inbox.is(sid))
    }

    /// Whether something that was asked for has not come.
    pub(super) fn waits(&self) -> bool {
        self.lock().pull.waits()
    }

    /// The consumer as it is bound now.
    pub(super) fn bound(&self) -> Bound {
        self.lock().bound.clone()
    }

    /// What came so far, and is not settled as far as that is remembered.
    pub(super) fn before(&self) -> Before {
        let state = self.lock();
        let mut unsettled = self.ack_context.away.all();
        unsettled.extend(
            state
                .deliveries
                .in_hand()
                .map(|ack_pending| ack_pending.sequence()),
        );
        Before {
            last: state.last,
            unsettled,
        }
    }

    /// Goes on with another inbox, for what was asked for through the old one may
    /// be lost. What comes there all the same is returned by a nak.
    pub(super) fn renew(self: &Arc<Self>, inbox: Inbox) {
        let mut state = self.lock();
        let Some(current) = &mut state.inbox else {
            return;
        };
        let old = std::mem::replace(current, inbox);
        let pull = state.pull.clone();
        state.pull.lost();
        if !self.acks {
            return;
        }
        let mut leaving = Shutdown::new(old, pull);
        leaving.leave_out(|reply| state.is_redelivery(self, reply));
        drop(state);
        self.went_back(leaving.sequences());
        let left = leaving.end(&self.ack_context.context);
        let pull_loop = Arc::clone(self);
        self.ack_context.context.spawn(async move {
            let is_known = |reply: &Subject| {
                let is_known = pull_loop.is_redelivery(reply);
                if !is_known {
                    pull_loop.went_back(Reply::parse(reply).map(|reply| reply.sequence));
                }
                is_known
            };
            left.finish(&pull_loop.ack_context, is_known).await;
        });
    }

    /// These were returned by a nak and never handed out: an ephemeral consumer that is made again
    /// brings them too.
    fn went_back(&self, sequences: impl IntoIterator<Item = u64>) {
        if self.is_ephemeral {
            for sequence in sequences {
                self.ack_context.away.insert(sequence);
            }
        }
    }

    /// Whether it is a redelivery of what the caller has or has acknowledged, which is settled by
    /// it from now on.
    fn is_redelivery(&self, reply: &Subject) -> bool {
        self.lock().is_redelivery(self, reply)
    }

    /// Goes on with another consumer, which begins with what was not settled.
    pub(super) fn remake(&self, bound: Bound, inbox: Inbox) {
        let mut state = self.lock();
        let Some(current) = &mut state.inbox else {
            return;
        };
        // The old consumer sends nothing any more, and what was not handed out comes again.
        *current = inbox;
        state.queue.clear();
        state.pull.lost();
        state.next = self.ack_context.next(&bound.name);
        state.bound = bound;
        // What was handed out or settled while it was made counts too.
        state.remade_after = Some(state.last);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When requests end on this server.
fn ends(context: &NatsContext) -> Ends {
    if context.takes_back() {
        Ends::Late
    } else {
        Ends::Soon
    }
}

impl State {
    /// Keeps the waker of the caller that waits for the end.
    fn keep_waker(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    /// Puts back what is kept behind a gap.
    fn put_back_behind(&mut self) {
        if let Some((_, reply, Some(ack_pending))) = self.behind.take() {
            // Where there is no room it comes again after its ack wait.
            let _ = ack_pending.give_back();
            self.unread.insert(reply.sequence);
        }
    }

    fn is_redelivery(&mut self, pull_loop: &PullLoop, subject: &Subject) -> bool {
        Reply::parse(subject).is_some_and(|reply| self.is_known(pull_loop, subject, &reply))
    }

    /// Ends the requests of an inbox that is left, if there is one.
    fn end_leaving(&mut self, pull_loop: &PullLoop) -> Option<Left> {
        let mut leaving = self.leaving.take()?;
        leaving.leave_out(|reply| self.is_redelivery(pull_loop, reply));
        self.unread.extend(leaving.sequences());
        Some(leaving.end(&pull_loop.ack_context.context))
    }
}

impl fmt::Debug for PullLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PullLoop")
            .field("stream", &self.ack_context.stream)
            .field("consumer", &self.ack_context.consumer)
            .finish_non_exhaustive()
    }
}
