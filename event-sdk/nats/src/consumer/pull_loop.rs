//! `PullLoop`: the state that a subscription shares with drain and close, and its signals.

mod ending;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use async_nats::Subject;
use tokio::sync::watch;

use super::ack_pending::Deliveries;
use super::bind::Bound;
use super::inbox::Inbox;
use super::message::Message;
use super::pull::{Ends, Pull};
use super::reply::Reply;
use super::send::send_now;
use super::settle::{ACK, AckContext, AckPending};
use super::shutdown::{Left, Shutdown};
use super::status::Status;
use crate::context::NatsContext;
use crate::receiver::Haste;
use event_sdk_core::transport::{AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy};

/// A subscription, apart from what only its owner needs.
pub(super) struct PullLoop {
    pub(super) ack_context: Arc<AckContext>,
    /// Whether deliveries are settled.
    pub(super) acks: bool,
    is_ephemeral: bool,
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
    deliveries: Deliveries,
    /// A message that came, and waits until the gap before it is told.
    behind: Option<Arrived>,
    /// The highest sequence that has come.
    last: u64,
    /// Sequences below it were not asked for.
    start: u64,
    /// What came before this consumer was made again.
    before: Option<Before>,
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
        config: &ConsumerConfig,
        bound: Bound,
        inbox: Inbox,
        prefetch: usize,
    ) -> Self {
        Self {
            acks: config.ack != AckPolicy::None,
            is_ephemeral: config.name == ConsumerName::Ephemeral,
            state: Mutex::new(State {
                next: ack_context.next(&bound.name),
                inbox: Some(inbox),
                leaving: None,
                left: None,
                unread: BTreeSet::new(),
                pull: Pull::new(
                    prefetch,
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
                before: None,
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
            match &mut state.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
        came
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
        let mut unsettled = self.ack_context.away();
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
    pub(super) fn renew(&self, inbox: Inbox) {
        let mut state = self.lock();
        let Some(current) = &mut state.inbox else {
            return;
        };
        let old = std::mem::replace(current, inbox);
        let pull = state.pull.clone();
        state.pull.lost();
        drop(state);
        if self.acks {
            let left = Shutdown::new(old, pull).end(&self.ack_context.context);
            let ack_context = Arc::clone(&self.ack_context);
            self.ack_context.context.spawn(async move {
                left.finish(&ack_context).await;
            });
        }
    }

    /// Goes on with another consumer, which begins with what was not settled.
    pub(super) fn remake(&self, bound: Bound, inbox: Inbox, before: Before) {
        let mut state = self.lock();
        let Some(current) = &mut state.inbox else {
            return;
        };
        // The old consumer sends nothing any more.
        *current = inbox;
        state.pull.lost();
        state.next = self.ack_context.next(&bound.name);
        state.bound = bound;
        state.before = Some(before);
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
    fn poll(
        &mut self,
        pull_loop: &PullLoop,
        asks: bool,
        cx: &mut Context<'_>,
    ) -> Poll<ConsumerSignal> {
        if self.inbox.is_none() {
            return Poll::Ready(ConsumerSignal::Ended);
        }
        if asks {
            self.ask(pull_loop);
        }
        if let Some((message, reply, ack_pending)) = self.behind.take() {
            return Poll::Ready(ConsumerSignal::Behind(message, reply, ack_pending));
        }
        let Some(inbox) = &mut self.inbox else {
            return Poll::Ready(ConsumerSignal::Ended);
        };
        let Some(message) = ready!(inbox.poll_next(cx)) else {
            return Poll::Ready(ConsumerSignal::Disconnected);
        };
        if let Some(status) = Status::read(&message) {
            self.pull.hear(&status, &message.subject_text());
            return Poll::Ready(ConsumerSignal::Status(status));
        }
        pull_loop.ack_context.hands_out(inbox.has_next());
        let came = self.take(pull_loop, message);
        if asks {
            // What is asked for now comes while this one is handled.
            self.ask(pull_loop);
        }
        Poll::Ready(came)
    }

    /// Puts back what is kept behind a gap.
    fn put_back_behind(&mut self) {
        if let Some((_, reply, Some(ack_pending))) = self.behind.take() {
            // Where there is no room it comes again after its ack wait.
            let _ = ack_pending.give_back();
            self.unread.insert(reply.sequence);
        }
    }

    /// Ends the requests of an inbox that is left, if there is one.
    fn end_leaving(&mut self, pull_loop: &PullLoop) -> Option<Left> {
        let leaving = self.leaving.take()?;
        self.unread.extend(leaving.sequences());
        Some(leaving.end(&pull_loop.ack_context.context))
    }

    /// Asks for more where it is time for that.
    fn ask(&mut self, pull_loop: &PullLoop) {
        let Some(inbox) = &self.inbox else {
            return;
        };
        let receiver = pull_loop.ack_context.context.receiver();
        while let Some(request) = self.pull.next() {
            receiver.request(&self.next, &inbox.reply(&request.token), &request.payload);
        }
    }

    fn take(&mut self, pull_loop: &PullLoop, message: Message) -> ConsumerSignal {
        let Some(subject) = &message.reply else {
            // Nothing of the stream: somebody knows the inbox.
            return ConsumerSignal::Nothing;
        };
        self.pull.taken();
        let Some(reply) = Reply::parse(subject) else {
            return ConsumerSignal::Unreadable(message);
        };
        // What is not settled is delivered once, unless a server that was restarted has
        // forgotten how far it was.
        let again = !pull_loop.acks && reply.sequence <= self.last;
        if again || !self.wants(reply.sequence) {
            if pull_loop.acks {
                // Where there is no room it comes again, and is acknowledged then.
                let receiver = pull_loop.ack_context.context.receiver();
                let _ = send_now(receiver, subject, &ACK, Haste::Soon);
            }
            return ConsumerSignal::Nothing;
        }
        self.last = self.last.max(reply.sequence);
        let ack_pending = pull_loop.acks.then(|| {
            let ack_pending = AckPending::new(
                Arc::clone(&pull_loop.ack_context),
                subject.clone(),
                reply.sequence,
            );
            self.deliveries.add(&ack_pending);
            ack_pending
        });
        ConsumerSignal::Message(message, reply, ack_pending)
    }

    /// Whether a sequence is to be delivered: a server may begin too early, and
    /// a consumer that was made again brings what was settled before.
    fn wants(&mut self, sequence: u64) -> bool {
        if sequence < self.start {
            return false;
        }
        match &mut self.before {
            None => true,
            Some(before) if sequence > before.last => {
                if before.unsettled.is_empty() {
                    self.before = None;
                }
                true
            }
            Some(before) => before.unsettled.contains(&sequence),
        }
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
