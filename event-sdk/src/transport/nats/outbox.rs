//! What is published goes through here, in order, as fast as the connection
//! takes it and no faster.
//!
//! A message is handed to the client at once if that is possible, by whoever
//! publishes it. Otherwise it waits in a queue, which keeps its place, and one
//! task for each connection hands over what waits.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use async_nats::connection::State as ClientState;
use async_nats::message::OutboundMessage;
use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, Sink, StreamExt};
use tokio::sync::oneshot;

use super::answers::{Answers, NoAnswer, Reply, Token, Wait};
use super::connection::{Denial, Hub};
use crate::subject::Subject;
use crate::transport::{Error, ErrorKind, Operation};

/// Hands messages to the client, and answers to those who wait for them.
pub(super) struct Outbox {
    /// Under which subject answers come, with a dot at its end.
    inbox: String,
    limits: Limits,
    hub: Arc<Hub>,
    state: Mutex<State>,
}

/// How much may be on the way, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How many messages may wait for their acks at a time.
    pub(super) in_flight: usize,
    /// How long an ack is awaited.
    pub(super) ack: Duration,
    /// How long a message waits for a connection.
    pub(super) connection: Duration,
}

/// A message to be handed over.
#[derive(Debug)]
pub(super) struct Letter<'a> {
    pub(super) subject: &'a Subject,
    pub(super) headers: Option<HeaderMap>,
    pub(super) payload: Bytes,
    /// Whether an answer is awaited.
    pub(super) acked: bool,
}

/// A message that was handed over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handed {
    /// By which its answer is found, if it has one.
    pub(super) token: Option<Token>,
    /// The how manieth message of this outbox it was.
    pub(super) number: u64,
}

/// What became of a message so far.
#[derive(Debug)]
pub(super) enum Sent {
    /// It was handed over.
    Now(Handed),
    /// It waits for its turn.
    Later(oneshot::Receiver<Result<Handed, Error>>),
}

struct State {
    client: async_nats::Client,
    queue: VecDeque<Queued>,
    answers: Answers,
    /// How many of them count, of those sent over the connection that there is.
    in_flight: usize,
    /// Which connection that is, counted from zero.
    connection: u32,
    handed_over: u64,
    /// The connection over which no answers can come.
    deaf: Option<u32>,
    /// Room for subjects: one allocation for many of them.
    scratch: BytesMut,
    /// The task that hands over what waits.
    pump: Option<Waker>,
    /// Whether that task looks after the queue at short intervals.
    watched: bool,
    /// When it last looked: as exact a time as waiting for acks needs.
    now: Instant,
    /// Whether it takes nothing more; what it has is still handed over.
    draining: bool,
    ended: bool,
}

struct Queued {
    subject: Subject,
    headers: Option<HeaderMap>,
    payload: Bytes,
    acked: bool,
    since: Instant,
    handed: oneshot::Sender<Result<Handed, Error>>,
}

/// How much room for subjects is allocated at once.
const SCRATCH: usize = 16 * 1024;

/// How often the task looks whether something has waited too long: when
/// messages wait for a connection, and otherwise.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
const LONG_PAUSE: Duration = Duration::from_secs(1);

/// How many answers are taken under one lock.
const ANSWERS_AT_ONCE: usize = 64;

impl Outbox {
    pub(super) fn new(
        client: async_nats::Client,
        inbox: String,
        limits: Limits,
        hub: Arc<Hub>,
    ) -> Self {
        Self {
            inbox,
            limits,
            hub,
            state: Mutex::new(State {
                client,
                queue: VecDeque::new(),
                answers: Answers::default(),
                in_flight: 0,
                connection: 0,
                handed_over: 0,
                deaf: None,
                scratch: BytesMut::new(),
                pump: None,
                watched: false,
                now: Instant::now(),
                draining: false,
                ended: false,
            }),
        }
    }

    /// Takes a message. It keeps its place before all that are taken later, and
    /// is sent even if nobody waits for what is returned.
    pub(super) fn send(&self, letter: Letter<'_>) -> Result<Sent, Error> {
        let state = self.lock();
        if state.draining {
            return Err(Error::closed(Operation::Publish).at_subject(letter.subject));
        }
        if letter.acked && state.deaf == Some(state.connection) {
            let error = NoAnswer::Deaf.error(Operation::Publish, self.limits);
            return Err(error.at_subject(letter.subject));
        }
        self.take(state, letter)
    }

    /// Takes a message that was taken before, which a drain does not refuse.
    pub(super) fn send_again(&self, letter: Letter<'_>) -> Result<Sent, Error> {
        let state = self.lock();
        if state.ended {
            return Err(Error::closed(Operation::Publish).at_subject(letter.subject));
        }
        self.take(state, letter)
    }

    fn take(&self, mut state: MutexGuard<'_, State>, letter: Letter<'_>) -> Result<Sent, Error> {
        if state.queue.is_empty() && self.has_room(&state, letter.acked) {
            let mut nobody = Context::from_waker(Waker::noop());
            match Pin::new(&mut state.client).poll_ready(&mut nobody) {
                Poll::Ready(Ok(())) => {
                    return self.hand_over(&mut state, letter, true).map(Sent::Now);
                }
                Poll::Ready(Err(_)) => return Err(given_up(letter.subject)),
                Poll::Pending => {}
            }
        }
        let (handed, later) = oneshot::channel();
        state.queue.push_back(Queued {
            subject: letter.subject.clone(),
            headers: letter.headers,
            payload: letter.payload,
            acked: letter.acked,
            since: Instant::now(),
            handed,
        });
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
        letter: Letter<'_>,
        wanted: bool,
    ) -> Result<Handed, Error> {
        let Letter {
            subject,
            headers,
            payload,
            acked,
        } = letter;
        let on_wire = state.written(subject.as_str().as_bytes());
        let (token, reply) = if acked {
            let wait = Wait::new(on_wire.clone(), Some(state.connection), state.now, wanted);
            let token = state.answers.open(wait);
            state.in_flight += 1;
            (Some(token), Some(self.reply_to(state, token)))
        } else {
            (None, None)
        };
        state.handed_over += 1;
        let number = state.handed_over;
        let message = OutboundMessage {
            subject: on_wire,
            reply,
            payload,
            headers,
        };
        match Pin::new(&mut state.client).start_send(message) {
            Ok(()) => Ok(Handed { token, number }),
            // Its size was checked before, against what another server said.
            Err(error) => {
                if let Some(token) = token {
                    state.answers.abandon(token);
                    state.fail(token, NoAnswer::NotSent);
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

    fn reply_to(&self, state: &mut State, token: Token) -> async_nats::Subject {
        state.scratch.extend_from_slice(self.inbox.as_bytes());
        token.write(&mut state.scratch);
        state.taken()
    }

    /// The answer to a message or a question.
    pub(super) fn poll_answer(
        &self,
        token: Option<Token>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Reply, NoAnswer>> {
        match token {
            Some(token) => self.lock().answers.poll(token, cx),
            None => Poll::Ready(Err(NoAnswer::NotSent)),
        }
    }

    /// Nobody waits for the answer any more.
    pub(super) fn abandon(&self, token: Option<Token>) {
        if let Some(token) = token {
            self.lock().answers.abandon(token);
        }
    }

    /// Whether a message is the last that was handed over.
    pub(super) fn is_last(&self, number: u64) -> bool {
        self.lock().handed_over == number
    }

    /// Whether no message waits to be handed over, and none for its answer.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.queue.is_empty()
            && state
                .answers
                .waiting(|wait| wait.counted.is_some())
                .is_empty()
    }

    /// Begins to wait for the answer to a question that is sent to `subject`, or
    /// to where its answer comes: its token, and the subject of the answer.
    pub(super) fn ask(&self, subject: Option<&str>) -> (Token, async_nats::Subject) {
        let mut state = self.lock();
        let to = subject.unwrap_or_default().into();
        let token = state
            .answers
            .open(Wait::new(to, None, Instant::now(), true));
        let reply = self.reply_to(&mut state, token);
        if subject.is_none() {
            state.answers.redirect(token, reply.clone());
        }
        if state.deaf == Some(state.connection) {
            state.fail(token, NoAnswer::Deaf);
        }
        (token, reply)
    }

    /// The task that hands over what waits, until it has ended.
    pub(super) async fn run(&self) {
        loop {
            let pause = self.pause();
            tokio::select! {
                biased;
                ended = std::future::poll_fn(|cx| self.poll_pump(cx)) => if ended {
                    return;
                },
                () = tokio::time::sleep(pause) => self.look_after(Instant::now()),
            }
        }
    }

    fn pause(&self) -> Duration {
        let mut state = self.lock();
        state.watched = !state.queue.is_empty();
        if state.watched {
            SHORT_PAUSE
        } else {
            LONG_PAUSE
        }
    }

    /// Hands over what waits. Ready when it has ended (`true`) or the queue has
    /// to be looked after (`false`).
    fn poll_pump(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.lock();
        if state.ended {
            return Poll::Ready(true);
        }
        match &mut state.pump {
            Some(pump) => pump.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        while let Some(first) = state.queue.front()
            && self.has_room(&state, first.acked)
        {
            let ready = match Pin::new(&mut state.client).poll_ready(cx) {
                Poll::Ready(ready) => ready,
                Poll::Pending => break,
            };
            let Some(queued) = state.queue.pop_front() else {
                break;
            };
            let letter = Letter {
                subject: &queued.subject,
                headers: queued.headers,
                payload: queued.payload,
                acked: queued.acked,
            };
            let handed = queued.handed;
            let result = match ready {
                Ok(()) => self.hand_over(&mut state, letter, !handed.is_closed()),
                Err(_) => Err(given_up(&queued.subject)),
            };
            if let Err(Ok(Handed {
                token: Some(token), ..
            })) = handed.send(result)
            {
                state.answers.abandon(token);
            }
        }
        if state.queue.is_empty() || state.watched {
            Poll::Pending
        } else {
            Poll::Ready(false)
        }
    }

    /// Ends what has waited too long.
    fn look_after(&self, now: Instant) {
        let mut state = self.lock();
        state.now = now;
        let connected = state.is_connected();
        let disconnected_for = self.hub.reconcile(connected, now);
        if !connected && disconnected_for >= self.limits.connection {
            while let Some(first) = state.queue.front()
                && now.saturating_duration_since(first.since) >= self.limits.connection
                && let Some(Queued {
                    subject, handed, ..
                }) = state.queue.pop_front()
            {
                let error = self
                    .hub
                    .disconnected(Operation::Publish, self.limits.connection);
                // Nobody may want to know.
                let _ = handed.send(Err(error.at_subject(subject)));
            }
        }
        for token in state.answers.overdue(now, self.limits.ack) {
            state.fail(token, NoAnswer::Late);
        }
    }

    /// Takes the answers that come, until the connection has ended.
    pub(super) async fn receive(&self, mut inbox: async_nats::Subscriber) {
        let mut batch = Vec::with_capacity(ANSWERS_AT_ONCE);
        while let Some(message) = inbox.next().await {
            batch.push(message);
            while batch.len() < ANSWERS_AT_ONCE
                && let Some(Some(message)) = inbox.next().now_or_never()
            {
                batch.push(message);
            }
            self.deliver(&mut batch);
        }
    }

    fn deliver(&self, batch: &mut Vec<async_nats::Message>) {
        let mut wakers = [const { None }; ANSWERS_AT_ONCE];
        let mut state = self.lock();
        for (message, waker) in batch.drain(..).zip(&mut wakers) {
            let token = message.subject.strip_prefix(&*self.inbox);
            let Some(token) = token.and_then(Token::parse) else {
                continue;
            };
            let reply = Reply {
                payload: message.payload,
                headers: message.headers,
                status: message.status,
            };
            *waker = state.answer(token, Ok(reply));
        }
        state.wake_pump_if_waited_for();
        drop(state);
        for waker in wakers.into_iter().flatten() {
            waker.wake();
        }
    }

    /// There is a connection again.
    pub(super) fn connected(&self) {
        self.lock().wake_pump();
    }

    /// The connection was lost: what was sent over it takes no more room. It is
    /// awaited all the same, for the answer may come over the next one.
    pub(super) fn disconnected(&self) {
        let mut state = self.lock();
        state.connection = state.connection.wrapping_add(1);
        state.in_flight = 0;
        state.wake_pump();
    }

    /// The server does not allow something: whoever waits for it has no answer.
    pub(super) fn denied(&self, denial: &Denial) {
        let mut state = self.lock();
        let (waiting, why) = match denial {
            Denial::Publish(subject) => {
                let asked = |wait: &Wait| wait.subject.as_str() == subject;
                (state.answers.waiting(asked), NoAnswer::Denied)
            }
            // No answer can come, now or later, over this connection.
            Denial::Subscribe(subject) if subject.strip_suffix('*') == Some(&self.inbox) => {
                state.deaf = Some(state.connection);
                (state.answers.waiting(|_| true), NoAnswer::Deaf)
            }
            Denial::Subscribe(_) => return,
        };
        for token in waiting {
            state.fail(token, why);
        }
        state.wake_pump_if_waited_for();
    }

    /// Takes nothing more from now on.
    pub(super) fn begin_drain(&self) {
        self.lock().draining = true;
    }

    /// Refuses everything from now on, and ends all that waits.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.draining = true;
        if std::mem::replace(&mut state.ended, true) {
            return;
        }
        for Queued {
            subject, handed, ..
        } in std::mem::take(&mut state.queue)
        {
            let error = Error::closed(Operation::Publish).at_subject(subject);
            let _ = handed.send(Err(error));
        }
        for token in state.answers.waiting(|_| true) {
            state.fail(token, NoAnswer::Closed);
        }
        state.wake_pump();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_connected(&self) -> bool {
        self.client.connection_state() == ClientState::Connected
    }

    /// A subject with this text.
    fn written(&mut self, text: &[u8]) -> async_nats::Subject {
        if self.scratch.capacity() < text.len() + 256 {
            self.scratch = BytesMut::with_capacity(SCRATCH.max(text.len()));
        }
        self.scratch.extend_from_slice(text);
        self.taken()
    }

    /// A subject with what was written.
    fn taken(&mut self) -> async_nats::Subject {
        let text = self.scratch.split().freeze();
        // Subjects, inboxes and tokens are texts.
        async_nats::Subject::from_utf8(text)
            .unwrap_or_else(|_| async_nats::Subject::from_static("_"))
    }

    fn answer(&mut self, token: Token, answer: Result<Reply, NoAnswer>) -> Option<Waker> {
        let (wait, waker) = self.answers.answer(token, answer)?;
        if wait.counted == Some(self.connection) {
            self.in_flight = self.in_flight.saturating_sub(1);
        }
        waker
    }

    fn fail(&mut self, token: Token, why: NoAnswer) {
        if let Some(waker) = self.answer(token, Err(why)) {
            waker.wake();
        }
    }

    fn wake_pump(&mut self) {
        if let Some(pump) = self.pump.take() {
            pump.wake();
        }
    }

    fn wake_pump_if_waited_for(&mut self) {
        if !self.queue.is_empty() {
            self.wake_pump();
        }
    }
}

fn given_up(subject: &Subject) -> Error {
    Error::new(
        ErrorKind::Closed,
        Operation::Publish,
        "the connection was given up after as many attempts as allowed; connect anew",
    )
    .at_subject(subject)
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Outbox")
            .field("queued", &state.queue.len())
            .field("in_flight", &state.in_flight)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
