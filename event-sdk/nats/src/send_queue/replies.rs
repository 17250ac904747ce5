//! Receives publish acks and replies, and completes the pending request; a denied publish fails
//! here.

use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::{FutureExt, StreamExt};

use super::SendQueue;
use crate::pending_replies::{NoReply, PendingReply, Reply, ReplyToken};

/// How many answers are taken under one lock.
const ANSWERS_AT_ONCE: usize = 64;

impl SendQueue {
    /// Takes the answers that come, until the connection has ended.
    pub(crate) async fn receive(&self, mut inbox: async_nats::Subscriber) {
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
            let Some(token) = token.and_then(ReplyToken::parse) else {
                continue;
            };
            let reply = Reply {
                payload: message.payload,
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

    /// The answer to a message or a question.
    pub(crate) fn poll_answer(
        &self,
        token: Option<ReplyToken>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Reply, NoReply>> {
        match token {
            Some(token) => self.lock().pending_replies.poll(token, cx),
            None => Poll::Ready(Err(NoReply::NotSent)),
        }
    }

    /// Nobody waits for the answer any more.
    pub(crate) fn abandon(&self, token: Option<ReplyToken>) {
        if let Some(token) = token {
            self.lock().pending_replies.abandon(token);
        }
    }

    /// Begins to wait for the answer to a question that is sent to `subject`, or
    /// to where its answer comes: its token, and the subject of the answer.
    pub(crate) fn ask(&self, subject: Option<&str>) -> (ReplyToken, async_nats::Subject) {
        let mut state = self.lock();
        let to = subject.unwrap_or_default().into();
        let token =
            state
                .pending_replies
                .open(PendingReply::new(to, None, 0, Instant::now(), true));
        let mut written = Vec::new();
        token.write(&mut written);
        let mut reply = self.inbox.clone();
        reply.extend(written.into_iter().map(char::from));
        let reply = async_nats::Subject::from(reply);
        if subject.is_none() {
            state.pending_replies.redirect(token, reply.clone());
        }
        if state.inbox_denied == Some(state.connection) {
            state.fail(token, NoReply::Deaf);
        }
        (token, reply)
    }
}
