//! `SendQueue`: sends publishes in order, limits those in flight, and fails those that cannot
//! be sent in time.
//!
//! The caller that publishes a message passes it to the client at once if that is possible.
//! Otherwise the message waits in a queue, in order, and one task for each connection passes on
//! what waits.

mod listening;
mod order;
mod pump;
mod replies;
mod state;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use async_nats::HeaderMap;
use async_nats::message::OutboundMessage;
use bytes::Bytes;
use futures_util::Sink;
use tokio::sync::oneshot;

pub(super) use self::order::Turn;

use self::state::{Gate, Queued, State};
use super::connection::ConnectionMonitor;
use super::options::Limits;
use super::pending_replies::{Extra, NoReply, PendingReply, ReplyToken, Resend};
use event_sdk_core::subject::Subject;
use event_sdk_core::transport::{Error, ErrorKind, Operation};

/// Hands messages to the client, and answers to those who wait for them.
pub(super) struct SendQueue {
    /// Under which subject answers come, with a dot at its end.
    inbox: String,
    limits: Limits,
    monitor: Arc<ConnectionMonitor>,
    state: Mutex<State>,
}

/// A message to be handed over.
#[derive(Debug)]
pub(super) struct Outbound<'a> {
    pub(super) subject: &'a Subject,
    pub(super) headers: Option<HeaderMap>,
    pub(super) payload: Bytes,
    /// Whether an answer is awaited.
    pub(super) acked: bool,
    /// How it is sent again if the connection is lost before its answer comes.
    pub(super) resend: Option<Resend>,
    /// Its place in the order if it was handed over before; otherwise it comes
    /// behind everything.
    pub(super) number: Option<u64>,
}

/// A message that was handed over.
#[derive(Debug, Clone, Copy)]
pub(super) struct PendingPublish {
    /// By which its answer is found, if it has one.
    pub(super) token: Option<ReplyToken>,
    /// Its place in the order of what was handed over.
    pub(super) number: u64,
}

/// What became of a message so far.
#[derive(Debug)]
pub(super) enum Sent {
    /// It was handed over.
    Now(PendingPublish),
    /// It waits for its turn.
    Later(oneshot::Receiver<Result<PendingPublish, Error>>),
}

impl SendQueue {
    pub(super) fn new(
        client: async_nats::Client,
        inbox: String,
        limits: Limits,
        monitor: Arc<ConnectionMonitor>,
    ) -> Self {
        Self {
            inbox,
            limits,
            monitor,
            state: Mutex::new(State::new(client)),
        }
    }

    /// Takes a message. It keeps its place before all that are taken later, and
    /// is sent even if nobody waits for what is returned.
    pub(super) fn send(&self, outbound: Outbound<'_>) -> Result<Sent, Error> {
        let state = self.lock();
        if state.draining {
            return Err(self.refusal(outbound.subject));
        }
        if outbound.acked && state.inbox_denied == Some(state.connection) {
            return Err(self.inbox_denied(&outbound));
        }
        self.take(state, outbound)
    }

    /// That nothing is taken any more.
    fn refusal(&self, subject: &Subject) -> Error {
        self.monitor.refusal(Operation::Publish).at_subject(subject)
    }

    /// That no answer can come, so that nothing was sent.
    fn inbox_denied(&self, outbound: &Outbound<'_>) -> Error {
        let inbox = self.inbox.trim_end_matches('.');
        let prefix = inbox.rsplit_once('.').map_or(inbox, |(prefix, _)| prefix);
        Error::new(
            ErrorKind::PermissionDenied,
            Operation::Publish,
            NoReply::deafness(prefix),
        )
        .at_subject(outbound.subject)
    }

    /// Takes a message that was taken before, which a drain does not refuse.
    pub(super) fn send_again(&self, outbound: Outbound<'_>) -> Result<Sent, Error> {
        let state = self.lock();
        if state.ended {
            return Err(self.refusal(outbound.subject));
        }
        self.take(state, outbound)
    }

    fn take(
        &self,
        mut state: MutexGuard<'_, State>,
        outbound: Outbound<'_>,
    ) -> Result<Sent, Error> {
        let is_first = state.queue.is_empty() && state.lost.is_empty();
        if is_first && state.gate == Gate::Open && self.has_room(&state, outbound.acked) {
            let mut nobody = Context::from_waker(Waker::noop());
            match Pin::new(&mut state.client).poll_ready(&mut nobody) {
                Poll::Ready(Ok(())) => {
                    return self.hand_over(&mut state, outbound, true).map(Sent::Now);
                }
                Poll::Ready(Err(_)) => return Err(self.refusal(outbound.subject)),
                Poll::Pending => {}
            }
        }
        let (handed, later) = oneshot::channel();
        let queued = Queued {
            number: outbound.number,
            subject: outbound.subject.clone(),
            headers: outbound.headers,
            payload: outbound.payload,
            acked: outbound.acked,
            resend: outbound.resend,
            since: Instant::now(),
            handed,
        };
        match outbound.number {
            None => state.queue.push_back(queued),
            // It comes before all that was never handed over.
            Some(number) => {
                let before = |queued: &Queued| queued.number.is_some_and(|other| other < number);
                let place = state
                    .queue
                    .iter()
                    .take_while(|queued| before(queued))
                    .count();
                state.queue.insert(place, queued);
            }
        }
        state.wake_pump();
        Ok(Sent::Later(later))
    }

    /// Whether a message can be handed over as far as this end of the
    /// connection goes.
    fn has_room(&self, state: &State, acked: bool) -> bool {
        (!acked || state.in_flight < self.limits.in_flight) && state.is_connected()
    }

    /// The client has to be ready.
    fn hand_over(
        &self,
        state: &mut State,
        outbound: Outbound<'_>,
        wanted: bool,
    ) -> Result<PendingPublish, Error> {
        let Outbound {
            subject,
            headers,
            payload,
            acked,
            resend,
            number,
        } = outbound;
        let on_wire = state.written(subject.as_str().as_bytes());
        let number = number.unwrap_or_else(|| state.order.next());
        let (token, reply) = if acked {
            let wait = PendingReply::new(
                on_wire.clone(),
                Some(state.connection),
                number,
                Instant::now(),
                wanted,
            )
            .resend(resend);
            let token = state.pending_replies.open(wait);
            state.in_flight += 1;
            (Some(token), Some(self.reply_to(state, token)))
        } else {
            (None, None)
        };
        let message = OutboundMessage {
            subject: on_wire,
            reply,
            payload,
            headers,
        };
        match Pin::new(&mut state.client).start_send(message) {
            Ok(()) => Ok(PendingPublish { token, number }),
            // Its size was checked before, against what another server said.
            Err(error) => {
                if let Some(token) = token {
                    state.pending_replies.abandon(token);
                    state.fail(token, NoReply::NotSent);
                }
                Err(Error::new(
                    ErrorKind::Disconnected,
                    Operation::Publish,
                    "the connection did not take the message",
                )
                .at_subject(subject)
                .with_source(error))
            }
        }
    }

    /// Sends a message again that was sent over a connection before. The client has to be ready.
    fn send_lost(&self, state: &mut State, token: ReplyToken) {
        let connection = state.connection;
        let Some((subject, resend)) = state.pending_replies.move_to(token, connection) else {
            // It was answered meanwhile.
            return;
        };
        state.in_flight += 1;
        let message = OutboundMessage {
            subject,
            reply: Some(self.reply_to(state, token)),
            headers: Extra::on_wire(resend.extra.as_ref(), Some(&resend.message_id)),
            payload: resend.payload,
        };
        if Pin::new(&mut state.client).start_send(message).is_err() {
            state.fail(token, NoReply::NotSent);
        }
    }

    fn reply_to(&self, state: &mut State, token: ReplyToken) -> async_nats::Subject {
        state.scratch.extend_from_slice(self.inbox.as_bytes());
        token.write(&mut state.scratch);
        state.taken()
    }

    /// From now on what is taken waits in the queue; `None` if that is so already. It ends when
    /// what is returned is dropped.
    pub(super) fn hold_back(self: &Arc<Self>) -> Option<HeldBack> {
        let before = std::mem::replace(&mut self.lock().gate, Gate::HeldBack);
        (before == Gate::Open).then(|| HeldBack {
            send_queue: Arc::clone(self),
            ended: false,
        })
    }

    /// A message that nobody took waits to be sent again, until this is dropped.
    pub(super) fn hold(&self, number: u64) -> Held<'_> {
        self.lock().order.hold(number);
        Held {
            send_queue: self,
            number,
        }
    }

    /// Whether no message waits to be handed over, for the first time or again, and none for its
    /// answer.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.queue.is_empty()
            && !state.order.holds_some()
            && state
                .pending_replies
                .waiting(|wait| wait.counted.is_some())
                .is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what a queue takes in it, until it is dropped.
#[derive(Debug)]
pub(super) struct HeldBack {
    send_queue: Arc<SendQueue>,
    ended: bool,
}

impl HeldBack {
    /// Lets go what waits if `done`, which is asked while nothing is taken; whether it did.
    pub(super) fn end_if(&mut self, done: impl FnOnce() -> bool) -> bool {
        let mut state = self.send_queue.lock();
        if !self.ended && done() {
            self.ended = true;
            state.gate = Gate::Open;
            state.wake_pump();
        }
        self.ended
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        self.end_if(|| true);
    }
}

/// A message that nobody took, and that is to be sent again.
#[derive(Debug)]
pub(super) struct Held<'a> {
    send_queue: &'a SendQueue,
    number: u64,
}

impl Held<'_> {
    /// Whether it may be sent again now.
    pub(super) fn turn(&self) -> Turn {
        self.send_queue.lock().order.turn(self.number)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.send_queue.lock().order.release(self.number);
    }
}

impl fmt::Debug for SendQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("SendQueue")
            .field("queued", &state.queue.len())
            .field("in_flight", &state.in_flight)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
