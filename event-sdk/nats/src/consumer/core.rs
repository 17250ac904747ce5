//! What a subscription shares with those who may end it: closing and draining.

mod ending;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use async_nats::{Message, Subject};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::watch;

use super::bind::Bound;
use super::held::Deliveries;
use super::inbox::Inbox;
use super::leave::{Leaving, Left};
use super::pull::{Ends, Pull};
use super::reply::Reply;
use super::send::send_now;
use super::settle::{ACK, Held, Via};
use super::status::Status;
use crate::link::Link;
use event_sdk_core::transport::{AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy};

/// A subscription, apart from what only its owner needs.
pub(super) struct Core {
    pub(super) via: Arc<Via>,
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
    leaving: Option<Leaving>,
    /// Closed when everything is put back that was not handed out.
    left: Option<watch::Receiver<()>>,
    /// The sequences that were not handed out, and put back.
    unread: BTreeSet<u64>,
    pull: Pull,
    /// A request for which the connection had no room.
    unsent: Option<Unsent>,
    deliveries: Deliveries,
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

/// What came for a subscription.
pub(super) enum Came {
    /// A message, and how it is settled.
    Message(Message, Reply, Option<Arc<Held>>),
    /// A message whose reply subject says nothing about it.
    Unreadable(Message),
    /// What the server says of a request.
    Status(Status),
    /// Nothing that has a meaning here.
    Nothing,
    /// A request has to wait for room on the connection.
    NoRoom(Unsent),
    /// The subscription was ended.
    Ended,
    /// The connection has ended.
    Disconnected,
}

/// A request for messages that was not sent yet.
#[derive(Debug, Clone)]
pub(super) struct Unsent {
    pub(super) next: Subject,
    pub(super) reply: Subject,
    pub(super) payload: Bytes,
}

impl Core {
    pub(super) fn new(
        via: Via,
        config: &ConsumerConfig,
        bound: Bound,
        inbox: Inbox,
        prefetch: usize,
    ) -> Self {
        Self {
            acks: config.ack != AckPolicy::None,
            is_ephemeral: config.name == ConsumerName::Ephemeral,
            state: Mutex::new(State {
                next: via.next(&bound.name),
                inbox: Some(inbox),
                leaving: None,
                left: None,
                unread: BTreeSet::new(),
                pull: Pull::new(
                    prefetch,
                    Some(via.link.options().max_pull_bytes),
                    &bound,
                    config,
                    ends(&via.link),
                ),
                unsent: None,
                deliveries: Deliveries::default(),
                last: 0,
                start: match config.deliver {
                    DeliverPolicy::ByStartSequence(start) => start,
                    _ => 0,
                },
                before: None,
                waker: None,
                bound,
            }),
            via: Arc::new(via),
        }
    }

    /// The next thing that came. It is asked for more when it is time, unless
    /// something is amiss.
    pub(super) fn poll(&self, asks: bool, cx: &mut Context<'_>) -> Poll<Came> {
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
        let mut unsettled = self.via.away();
        unsettled.extend(state.deliveries.in_hand().map(|held| held.sequence()));
        Before {
            last: state.last,
            unsettled,
        }
    }

    /// Goes on with another inbox, for what was asked for through the old one may
    /// be lost. What comes there all the same is put back.
    pub(super) fn renew(&self, inbox: Inbox) {
        let mut state = self.lock();
        let Some(current) = &mut state.inbox else {
            return;
        };
        let old = std::mem::replace(current, inbox);
        let pull = state.pull.clone();
        state.pull.lost();
        state.unsent = None;
        drop(state);
        if self.acks {
            let left = Leaving::new(old, pull).end(&self.via.link);
            let via = Arc::clone(&self.via);
            self.via.link.spawn(async move {
                left.finish(&via).await;
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
        state.unsent = None;
        state.next = self.via.next(&bound.name);
        state.bound = bound;
        state.before = Some(before);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When requests end on this server.
fn ends(link: &Link) -> Ends {
    if link.takes_back() {
        Ends::Late
    } else {
        Ends::Soon
    }
}

impl State {
    fn poll(&mut self, core: &Core, asks: bool, cx: &mut Context<'_>) -> Poll<Came> {
        if self.inbox.is_none() {
            return Poll::Ready(Came::Ended);
        }
        if asks {
            self.ask(core);
            if let Some(unsent) = self.unsent.take() {
                return Poll::Ready(Came::NoRoom(unsent));
            }
        }
        let Some(inbox) = &mut self.inbox else {
            return Poll::Ready(Came::Ended);
        };
        let Some(message) = ready!(inbox.subscriber.poll_next_unpin(cx)) else {
            return Poll::Ready(Came::Disconnected);
        };
        if let Some(status) = Status::read(&message) {
            self.pull.hear(&status, &message.subject);
            return Poll::Ready(Came::Status(status));
        }
        let came = self.take(core, message);
        if asks {
            // What is asked for now comes while this one is handled.
            self.ask(core);
        }
        Poll::Ready(came)
    }

    /// Ends the requests of an inbox that is left, if there is one.
    fn end_leaving(&mut self, core: &Core) -> Option<Left> {
        let leaving = self.leaving.take()?;
        self.unread.extend(leaving.sequences());
        Some(leaving.end(&core.via.link))
    }

    /// Asks for more where it is time for that.
    fn ask(&mut self, core: &Core) {
        let Some(inbox) = &self.inbox else {
            return;
        };
        while self.unsent.is_none()
            && let Some(request) = self.pull.next()
        {
            let reply = inbox.reply(&request.token);
            let client = core.via.link.client();
            if send_now(client, &self.next, Some(&reply), &request.payload).is_none() {
                self.unsent = Some(Unsent {
                    next: self.next.clone(),
                    reply,
                    payload: request.payload,
                });
            }
        }
    }

    fn take(&mut self, core: &Core, message: Message) -> Came {
        let Some(subject) = &message.reply else {
            // Nothing of the stream: somebody knows the inbox.
            return Came::Nothing;
        };
        self.pull.taken();
        let Some(reply) = Reply::parse(subject) else {
            return Came::Unreadable(message);
        };
        // What is not settled is delivered once, unless a server that was restarted has
        // forgotten how far it was.
        let again = !core.acks && reply.sequence <= self.last;
        if again || !self.wants(reply.sequence) {
            if core.acks {
                // Where there is no room it comes again, and is acknowledged then.
                let _ = send_now(core.via.link.client(), subject, None, &ACK);
            }
            return Came::Nothing;
        }
        self.last = self.last.max(reply.sequence);
        let held = core.acks.then(|| {
            let held = Held::new(Arc::clone(&core.via), subject.clone(), reply.sequence);
            self.deliveries.add(&held);
            held
        });
        Came::Message(message, reply, held)
    }

    /// Whether a sequence is to be handed out: a server may begin too early, and
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

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("stream", &self.via.stream)
            .field("consumer", &self.via.consumer)
            .finish_non_exhaustive()
    }
}
