//! State of a send queue under its lock: queued messages, pending replies, wakers.

use std::collections::VecDeque;
use std::str::Utf8Error;
use std::task::Waker;
use std::time::Instant;

use async_nats::HeaderMap;
use async_nats::connection::State as ClientState;
use bytes::{Bytes, BytesMut};
use tokio::sync::oneshot;

use super::PendingPublish;
use super::order::Order;
use crate::pending_replies::{NoReply, PendingReplies, Reply, ReplyToken, Resend};
use event_sdk_core::subject::Subject;
use event_sdk_core::transport::Error;

/// State of a send queue.
pub(super) struct State {
    pub(super) client: async_nats::Client,
    pub(super) queue: VecDeque<Queued>,
    /// What was sent over a connection that was lost, and is sent again before what waits in the
    /// queue: its place in the order.
    pub(super) lost: VecDeque<(u64, ReplyToken)>,
    pub(super) pending_replies: PendingReplies,
    /// How many of them count, of those sent over the connection that there is.
    pub(super) in_flight: usize,
    /// Which connection that is, counted from zero.
    pub(super) connection: u32,
    pub(super) order: Order,
    /// The connection over which no answers can come.
    pub(super) inbox_denied: Option<u32>,
    /// Room for subjects: one allocation for many of them.
    pub(super) scratch: BytesMut,
    pub(super) gate: Gate,
    /// The task that hands over what waits.
    pub(super) pump: Option<Waker>,
    /// Whether that task checks the queue at short intervals.
    pub(super) watched: bool,
    /// Whether it takes nothing more; what it has is still handed over.
    pub(super) draining: bool,
    pub(super) ended: bool,
    /// When the client's task was found to have ended.
    pub(super) client_gone: Option<Instant>,
}

/// Whether what is taken is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    /// It waits until [`HeldBack`](super::HeldBack) is dropped.
    HeldBack,
}

pub(super) struct Queued {
    pub(super) number: Option<u64>,
    pub(super) subject: Subject,
    pub(super) headers: Option<HeaderMap>,
    pub(super) payload: Bytes,
    pub(super) acked: bool,
    pub(super) resend: Option<Resend>,
    pub(super) since: Instant,
    pub(super) handed: oneshot::Sender<Result<PendingPublish, Error>>,
}

/// How much room for subjects is allocated at once.
const SCRATCH: usize = 16 * 1024;

impl State {
    pub(super) fn new(client: async_nats::Client) -> Self {
        Self {
            client,
            queue: VecDeque::new(),
            lost: VecDeque::new(),
            pending_replies: PendingReplies::default(),
            in_flight: 0,
            connection: 0,
            order: Order::default(),
            inbox_denied: None,
            scratch: BytesMut::new(),
            gate: Gate::Open,
            pump: None,
            watched: false,
            draining: false,
            ended: false,
            client_gone: None,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == ClientState::Connected
    }

    /// Takes the next message to be sent again, if its place is before that of the queue's first.
    pub(super) fn next_lost(&mut self) -> Option<ReplyToken> {
        let (number, _) = self.lost.front()?;
        let first = self.queue.front().and_then(|first| first.number);
        if first.is_some_and(|first| first < *number) {
            return None;
        }
        self.lost.pop_front().map(|(_, token)| token)
    }

    /// A subject with this text.
    ///
    /// # Errors
    ///
    /// If something else is in the buffer that is not UTF-8.
    pub(super) fn written(&mut self, text: &str) -> Result<async_nats::Subject, Utf8Error> {
        if self.scratch.capacity() < text.len() + 256 {
            self.scratch = BytesMut::with_capacity(SCRATCH.max(text.len()));
        }
        self.scratch.extend_from_slice(text.as_bytes());
        self.taken()
    }

    /// A subject with what was written.
    ///
    /// # Errors
    ///
    /// If that is not UTF-8. Subjects, inboxes and tokens are.
    pub(super) fn taken(&mut self) -> Result<async_nats::Subject, Utf8Error> {
        async_nats::Subject::from_utf8(self.scratch.split().freeze())
    }

    pub(super) fn answer(
        &mut self,
        token: ReplyToken,
        answer: Result<Reply, NoReply>,
    ) -> Option<Waker> {
        let heard = answer.as_ref().is_ok_and(|reply| !reply.is_no_responders());
        let (wait, waker) = self.pending_replies.answer(token, answer)?;
        if wait.counted == Some(self.connection) {
            self.in_flight = self.in_flight.saturating_sub(1);
        }
        if heard {
            self.order.took(wait.number);
        }
        waker
    }

    pub(super) fn fail(&mut self, token: ReplyToken, why: NoReply) {
        if let Some(waker) = self.answer(token, Err(why)) {
            waker.wake();
        }
    }

    pub(super) fn wake_pump(&mut self) {
        if let Some(pump) = self.pump.take() {
            pump.wake();
        }
    }

    pub(super) fn wake_pump_if_waited_for(&mut self) {
        if !self.queue.is_empty() || !self.lost.is_empty() {
            self.wake_pump();
        }
    }
}
