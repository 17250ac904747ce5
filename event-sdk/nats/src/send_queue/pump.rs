//! The task of a send queue: sends waiting messages, and fails those whose time is over.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_util::Sink;

use super::state::{Gate, Queued};
use super::{Outbound, PendingPublish, SendQueue};
use crate::connection::Unasked;
use crate::pending_replies::NoReply;
use event_sdk_core::transport::Operation;

/// How often the task looks whether something has waited too long: when
/// messages wait for a connection, and otherwise, unless acks are awaited for so
/// short a time that it would be told too late.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
const LONG_PAUSE: Duration = Duration::from_secs(1);

/// How long an ack that nobody waits for any more holds up others: it may have
/// been lost, with the leader of the stream for example.
const UNWANTED: Duration = Duration::from_secs(5);

impl SendQueue {
    /// The task that hands over what waits, until it has ended.
    pub(crate) async fn run(&self) {
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
            (self.limits.ack / 8).clamp(SHORT_PAUSE, LONG_PAUSE)
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
        while state.gate == Gate::Open
            && self.has_room(&state, state.queue.front().is_none_or(|first| first.acked))
            && !(state.queue.is_empty() && state.lost.is_empty())
        {
            let ready = match Pin::new(&mut state.client).poll_ready(cx) {
                Poll::Ready(ready) => ready,
                Poll::Pending => break,
            };
            if let Some(token) = state.next_lost() {
                match ready {
                    Ok(()) => self.send_lost(&mut state, token),
                    Err(_) => state.fail(token, NoReply::Closed),
                }
                continue;
            }
            let Some(queued) = state.queue.pop_front() else {
                break;
            };
            let outbound = Outbound {
                number: queued.number,
                subject: &queued.subject,
                headers: queued.headers,
                payload: queued.payload,
                acked: queued.acked,
                resend: queued.resend,
            };
            let handed = queued.handed;
            let result = match ready {
                Ok(()) => self.hand_over(&mut state, outbound, !handed.is_closed()),
                Err(_) => Err(self.refusal(&queued.subject)),
            };
            if let Err(Ok(PendingPublish {
                token: Some(token), ..
            })) = handed.send(result)
            {
                state.pending_replies.abandon(token);
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
        // A clone: what was found ready once keeps its place, and stays ready after the end.
        let mut client = state.client.clone();
        let gone = Pin::new(&mut client).poll_ready(&mut Context::from_waker(Waker::noop()));
        let is_gone = matches!(gone, Poll::Ready(Err(_))) && !state.ended;
        let before = std::mem::replace(&mut state.client_gone, is_gone.then_some(now));
        // The second time: what the client says of its end may be on its way.
        if is_gone && before.is_some() {
            drop(state);
            self.monitor.end_unasked(Unasked::ClientEnded);
            return;
        }
        let connected = state.is_connected();
        let disconnected_for = self.monitor.reconcile(connected, now);
        if !connected && disconnected_for >= self.limits.connection {
            while let Some(first) = state.queue.front()
                && now.saturating_duration_since(first.since) >= self.limits.connection
                && let Some(Queued {
                    subject, handed, ..
                }) = state.queue.pop_front()
            {
                let error = self
                    .monitor
                    .disconnected(Operation::Publish, self.limits.connection);
                // Nobody may want to know.
                let _ = handed.send(Err(error.at_subject(subject)));
            }
        }
        let unwanted = UNWANTED.min(self.limits.ack);
        for token in state
            .pending_replies
            .overdue(now, self.limits.ack, unwanted)
        {
            state.fail(token, NoReply::Late);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use event_sdk_test_servers::Server;

    use super::*;
    use crate::connection::ConnectionMonitor;

    #[tokio::test]
    async fn the_end_of_the_client_is_noticed_where_nothing_is_published() {
        let server = Server::start().await.unwrap();
        let client = async_nats::connect(server.url()).await.unwrap();
        let monitor = Arc::new(ConnectionMonitor::new());
        let limits = crate::Nats::options(server.url()).limits;
        let inbox = "_INBOX.".to_owned();
        let send_queue = SendQueue::new(client.clone(), inbox, limits, Arc::clone(&monitor));
        // While the client lives.
        send_queue.look_after(Instant::now());
        send_queue.look_after(Instant::now());
        assert!(monitor.is_open());
        client.drain().await.unwrap();
        let ended = async {
            while client.flush().await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, ended).await.unwrap();
        send_queue.look_after(Instant::now());
        send_queue.look_after(Instant::now());
        assert!(!monitor.is_open());
    }
}
