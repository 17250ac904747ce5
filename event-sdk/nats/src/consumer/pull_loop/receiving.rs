//! Receiving: takes what has come out of the inbox, keeps what waits for the caller, and hands
//! out what is neither stale nor handed out already.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_nats::Subject;
use tokio::task::coop::{poll_proceed, unconstrained};
use tokio::time::Instant;

use super::{ConsumerSignal, PullLoop, State};
use crate::consumer::pull::Room;
use crate::consumer::queue::Held;
use crate::consumer::reply::{self, Reply};
use crate::consumer::send::send_now;
use crate::consumer::settle::{ACK, AckPending};
use crate::consumer::status::Status;
use crate::receiver::Haste;

/// While messages wait here, the inbox is looked at this often: there may be room for requests.
const LOOK_AFTER: Duration = Duration::from_millis(1);

impl State {
    pub(super) fn poll(
        &mut self,
        pull_loop: &PullLoop,
        asks: bool,
        cx: &mut Context<'_>,
    ) -> Poll<ConsumerSignal> {
        if self.inbox.is_none() {
            return Poll::Ready(ConsumerSignal::Ended);
        }
        if let Some((message, reply, ack_pending)) = self.behind.take() {
            return Poll::Ready(ConsumerSignal::Behind(message, reply, ack_pending));
        }
        // The queue takes nothing of the task's budget by itself.
        let budget = ready!(poll_proceed(cx));
        let now = Instant::now();
        let progress = &pull_loop.ack_context.progress;
        let (ended, last) = progress.total();
        self.window.settled(ended, last);
        self.window.called(progress.since_begun(now));
        if (self.queue.is_empty() || now.saturating_duration_since(self.emptied) >= LOOK_AFTER)
            && let Poll::Ready(came) = self.fill(pull_loop, now, cx)
        {
            return Poll::Ready(came);
        }
        let Some(held) = self.queue.pop() else {
            // Who waits for messages settles nothing more that could be written with these.
            pull_loop.ack_context.context.receiver().hurry();
            if asks {
                self.ask(pull_loop, true, now);
            }
            return Poll::Pending;
        };
        budget.made_progress();
        pull_loop.ack_context.hands_out(!self.queue.is_empty());
        let came = self.hand_out(pull_loop, held, now);
        if asks && matches!(came, ConsumerSignal::Message(..)) {
            // What is asked for now comes while this one is handled.
            self.ask(pull_loop, false, now);
        }
        Poll::Ready(came)
    }

    /// What waits for the caller and is not stale, to be put back.
    pub(super) fn take_queue(&mut self, pull_loop: &PullLoop) -> Vec<Subject> {
        let now = Instant::now();
        let fresh = self
            .queue
            .take()
            .filter(|held| !pull_loop.is_stale(held, now));
        fresh.filter_map(|held| held.message.reply).collect()
    }

    /// Takes what has come, until the inbox is empty; ready with what is no message to keep.
    fn fill(
        &mut self,
        pull_loop: &PullLoop,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<ConsumerSignal> {
        loop {
            let Some(inbox) = &mut self.inbox else {
                return Poll::Ready(ConsumerSignal::Ended);
            };
            // Whatever the task's budget is: an inbox that was not looked at is not empty.
            let next = poll_fn(|cx| inbox.poll_next(cx));
            let message = match pin!(unconstrained(next)).poll(cx) {
                Poll::Ready(Some(message)) => message,
                Poll::Ready(None) if self.queue.is_empty() => {
                    return Poll::Ready(ConsumerSignal::Disconnected);
                }
                Poll::Ready(None) => return Poll::Pending,
                Poll::Pending => {
                    self.emptied = now;
                    return Poll::Pending;
                }
            };
            if let Some(status) = Status::read(&message) {
                if let Some((asked, left)) = self.pull.hear(&status, &message.subject_text()) {
                    self.window.unserved(asked, left);
                }
                return Poll::Ready(ConsumerSignal::Status(status));
            }
            let Some(subject) = &message.reply else {
                // Nothing of the stream: somebody knows the inbox.
                return Poll::Ready(ConsumerSignal::Nothing);
            };
            self.pull.came();
            let Some(reply) = Reply::parse(subject) else {
                return Poll::Ready(ConsumerSignal::Unreadable(message));
            };
            self.window.arrived();
            let since = message.arrived().unwrap_or(now);
            let is_old = pull_loop.acks && self.is_known(pull_loop, subject, &reply);
            self.queue.add(Held {
                message,
                reply,
                since,
                is_old,
            });
        }
    }

    /// Whether a message is a delivery of what the caller has, or has acknowledged: it is settled
    /// by this newest delivery. What waits here of its sequence is not handed out any more.
    pub(super) fn is_known(
        &mut self,
        pull_loop: &PullLoop,
        subject: &Subject,
        reply: &Reply,
    ) -> bool {
        // A consumer that was made again begins to count again.
        if reply.attempt < 2 && self.remade_after.is_none() {
            return false;
        }
        self.queue.supersede(reply.sequence);
        if let Some(running) = self.deliveries.running(reply.sequence) {
            running.redelivered(subject.clone());
            return true;
        }
        let progress = &pull_loop.ack_context.progress;
        let is_acknowledged = reply.attempt > 1
            && (pull_loop.ack_context.is_through(reply.sequence)
                || progress.is_acknowledged_late(reply.sequence));
        if is_acknowledged {
            acknowledge(pull_loop, subject);
        }
        is_acknowledged
    }

    /// Asks for more where it is time for that.
    fn ask(&mut self, pull_loop: &PullLoop, caller_waits: bool, now: Instant) {
        let Some(inbox) = &self.inbox else {
            return;
        };
        let now = pull_loop.ack_context.progress.since_begun(now);
        let size = self.window.size(now);
        let room = Room {
            window: size.max(u32::from(caller_waits)),
            held: self.queue.len(),
            held_bytes: self.queue.bytes(),
            adapts: self.window.is_adaptive(),
        };
        let receiver = pull_loop.ack_context.context.receiver();
        while let Some(request) = self.pull.next(room) {
            receiver.request(&self.next, &inbox.reply(&request.token), &request.payload);
        }
    }

    fn hand_out(&mut self, pull_loop: &PullLoop, held: Held, now: Instant) -> ConsumerSignal {
        if pull_loop.is_stale(&held, now) {
            // What was settled before the consumer was made again is not awaited.
            if !held.is_old && self.wants(pull_loop, held.reply.sequence) {
                pull_loop.ack_context.away.insert(held.reply.sequence);
            }
            return ConsumerSignal::Skipped(held.reply);
        }
        let age = held.age(now);
        let Held { message, reply, .. } = held;
        let wait = pull_loop.config.wait_of_attempt(reply.attempt);
        // What is not settled is delivered once, unless a server that was restarted has
        // forgotten how far it was.
        let again = !pull_loop.acks && reply.sequence <= self.last;
        if again || !self.wants(pull_loop, reply.sequence) {
            if let Some(subject) = message.reply.as_ref().filter(|_| pull_loop.acks) {
                acknowledge(pull_loop, subject);
            }
            return ConsumerSignal::Nothing;
        }
        self.last = self.last.max(reply.sequence);
        let progress = &pull_loop.ack_context.progress;
        self.window.handed_out(progress.since_begun(now));
        let subject = message.reply.as_ref().filter(|_| pull_loop.acks);
        if let Some(acks) = &pull_loop.ack_context.cumulative {
            acks.delivered(&reply);
        }
        let ack_pending = subject.map(|subject| {
            let ack_context = Arc::clone(&pull_loop.ack_context);
            let left = wait.saturating_sub(age);
            let due = now.checked_add(left);
            let ack_pending = AckPending::new(ack_context, subject.clone(), reply.sequence, due);
            if left < wait / 3 * 2 {
                // So that its handler has the whole ack wait.
                ack_pending.extend();
            }
            self.deliveries.add(&ack_pending);
            ack_pending
        });
        ConsumerSignal::Message(message, reply, ack_pending)
    }

    /// Whether a sequence is to be delivered: a server may begin too early, and
    /// a consumer that was made again brings what was settled before.
    fn wants(&mut self, pull_loop: &PullLoop, sequence: u64) -> bool {
        if sequence < self.start {
            return false;
        }
        match self.remade_after {
            None => true,
            Some(last) if sequence > last => {
                self.remade_after = None;
                true
            }
            Some(_) => {
                pull_loop.ack_context.away.contains(sequence) || self.deliveries.is_open(sequence)
            }
        }
    }
}

impl PullLoop {
    /// Whether a message is not to be handed out: a newer delivery of it was or will be, or its
    /// ack wait is over and the server delivers it again for certain. Where the number of
    /// deliveries is limited, or not known, this one may be the last.
    fn is_stale(&self, held: &Held, now: Instant) -> bool {
        let is_over = || held.age(now) >= self.config.wait_of_attempt(held.reply.attempt);
        held.is_old || (self.acks && self.ack_context.redelivers() && is_over())
    }
}

/// Acknowledges a message that is not handed out. Where there is no room it comes again, and is
/// acknowledged then.
///
/// Where that would settle everything before it, the last acknowledgement is sent once more instead.
fn acknowledge(pull_loop: &PullLoop, subject: &Subject) {
    let receiver = pull_loop.ack_context.context.receiver();
    let Some(acks) = &pull_loop.ack_context.cumulative else {
        let _ = send_now(receiver, subject, &ACK, Haste::Soon);
        return;
    };
    let (through, number) = acks.last();
    if through > 0
        && let Some(last) = reply::with_position(subject, through, number)
    {
        let _ = send_now(receiver, &last.into(), &ACK, Haste::Soon);
    }
}
