//! Encodes and sends settlements: `+ACK`, `-NAK` with a delay in nanoseconds, `+TERM` with a
//! reason, `+WPI`; confirmed acks and terms.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_nats::Subject;
use bytes::Bytes;
use tokio::time::Instant;

use super::ack_context::AckContext;
use super::send::{send, send_now};
use super::{bind, reply};
use crate::error::{ErrorContext, code};
use crate::options::Management;
use crate::receiver::{Ended, Haste};
use event_sdk_core::transport::{
    Completion, Error, ErrorKind, Operation, Settle, SettleCompletions, Settlement, Settler,
    Unsettled,
};

/// One delivery, which can be settled.
#[derive(Debug)]
pub(super) struct AckPending {
    ack_context: Arc<AckContext>,
    own: Weak<Self>,
    /// Where it is settled: at its newest delivery.
    reply: Mutex<Subject>,
    sequence: u64,
    /// When its ack wait ends, unless the server was told that it is in progress.
    due: Option<Instant>,
    /// What became of it, as far as was said here: one of those below, which
    /// only goes up, for a server takes an ack after a nak and no nak after an ack.
    mark: AtomicU8,
    /// Whether a nak is being sent: what comes after it is not for who has this.
    returns: AtomicBool,
}

/// It was not settled.
const OPEN: u8 = 0;
/// It was returned by a nak.
const BACK: u8 = 1;
/// It was acknowledged or terminated.
const DONE: u8 = 2;

impl AckPending {
    /// A message is delivered to the caller.
    pub(super) fn new(
        ack_context: Arc<AckContext>,
        reply: Subject,
        sequence: u64,
        due: Option<Instant>,
    ) -> Arc<Self> {
        ack_context.away.remove(sequence);
        Arc::new_cyclic(|own| Self {
            ack_context,
            own: own.clone(),
            reply: Mutex::new(reply),
            sequence,
            due,
            mark: AtomicU8::new(OPEN),
            returns: AtomicBool::new(false),
        })
    }

    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The server has delivered it again: it is settled there.
    pub(super) fn redelivered(&self, reply: Subject) {
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = reply;
    }

    fn reply(&self) -> Subject {
        let reply = self.reply.lock().unwrap_or_else(PoisonError::into_inner);
        reply.clone()
    }

    /// Tells the server that it is in progress, so that its ack wait begins anew; without
    /// waiting for room on the connection.
    pub(super) fn extend(&self) {
        let receiver = self.ack_context.context.receiver();
        let _ = send_now(receiver, &self.reply(), &IN_PROGRESS, Haste::Now);
    }

    /// Whether it was neither settled nor put back.
    pub(super) fn is_open(&self) -> bool {
        self.mark.load(Ordering::Acquire) == OPEN && !self.ack_context.is_through(self.sequence)
    }

    /// Where it is settled for good, and under which number if that settles everything before it;
    /// `None` if a later one has settled it.
    fn last_reply(&self) -> Option<(Subject, Option<u64>)> {
        let reply = self.reply();
        let Some(acks) = &self.ack_context.cumulative else {
            return Some((reply, None));
        };
        let number = acks.number(self.sequence)?;
        let other = reply::with_position(&reply, self.sequence, number);
        Some((other.map_or(reply, Subject::from), Some(number)))
    }

    /// Notes what was sent.
    fn sent(&self, mark: Option<u8>, number: Option<u64>) {
        if let (Some(acks), Some(number)) = (&self.ack_context.cumulative, number) {
            acks.acknowledged(self.sequence, number);
        }
        if let Some(mark) = mark {
            self.note(mark);
        }
    }

    /// Whether the caller has it still.
    pub(super) fn is_running(&self) -> bool {
        self.is_open() && !self.returns.load(Ordering::Acquire)
    }

    /// Puts it back for others, at once and without waiting for anything.
    ///
    /// Answers where to [send] it later if the connection has no room now.
    pub(super) fn give_back(&self) -> Option<Subject> {
        self.ack_context.gives_back(self.sequence);
        self.returns.store(true, Ordering::Release);
        let reply = self.reply();
        let receiver = self.ack_context.context.receiver();
        let sent = send_now(receiver, &reply, &NAK, Haste::Now);
        // Not before: who waits for that ends the connection.
        self.note(BACK);
        sent.is_none().then_some(reply)
    }

    /// Goes on in a future of its own.
    fn later<F>(&self, how: impl FnOnce(Arc<Self>) -> F) -> Completion<Result<(), Error>>
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        match self.own.upgrade() {
            Some(own) => {
                let context = Arc::clone(&own.ack_context.context);
                context.later(Operation::Settle, how(own))
            }
            // Whoever settles it holds it.
            None => Completion::ready(Err(Error::closed(Operation::Settle))),
        }
    }

    fn note(&self, mark: u8) {
        let before = self.mark.fetch_max(mark, Ordering::AcqRel);
        if before == OPEN {
            self.ended(mark);
        }
        match (before, mark) {
            (OPEN, BACK) => self.ack_context.away.insert(self.sequence),
            (BACK, DONE) => self.ack_context.away.remove(self.sequence),
            _ => {}
        }
        self.ack_context.notify();
    }

    /// It is open no longer.
    fn ended(&self, mark: u8) {
        let progress = &self.ack_context.progress;
        let now = Instant::now();
        progress.ended(now);
        if mark == DONE && self.due.is_some_and(|due| due <= now) {
            progress.acknowledged_late(self.sequence);
        }
    }

    fn failed(&self, Ended: Ended) -> Error {
        let about = self.ack_context.about(Operation::Settle);
        about.on(Error::closed(Operation::Settle))
    }

    /// Sends a settlement now, or once the connection has room for it.
    fn send(&self, payload: Bytes, mark: Option<u8>) -> Completion<Result<(), Error>> {
        if mark == Some(BACK) {
            self.returns.store(true, Ordering::Release);
        }
        let last = match mark {
            Some(DONE) => self.last_reply(),
            _ => Some((self.reply(), None)),
        };
        let Some((reply, number)) = last else {
            self.note(DONE);
            return Completion::ready(Ok(()));
        };
        let receiver = self.ack_context.context.receiver();
        let haste = self.ack_context.haste();
        match send_now(receiver, &reply, &payload, haste) {
            Some(Ok(())) => {
                self.sent(mark, number);
                Completion::ready(Ok(()))
            }
            Some(Err(error)) => Completion::ready(Err(self.failed(error))),
            None => self.later(|own| own.send_later(reply, payload, mark, number)),
        }
    }

    /// Sends a settlement once the connection has room for it.
    async fn send_later(
        self: Arc<Self>,
        reply: Subject,
        payload: Bytes,
        mark: Option<u8>,
        number: Option<u64>,
    ) -> Result<(), Error> {
        let limit = self.ack_context.context.options().request_timeout;
        let sending = send(self.ack_context.context.receiver(), &reply, payload);
        match tokio::time::timeout(limit, sending).await {
            Ok(Ok(())) => {
                self.sent(mark, number);
                Ok(())
            }
            Ok(Err(error)) => Err(self.failed(error)),
            Err(_) => Err(self.ack_context.about(Operation::Settle).error(
                ErrorKind::Disconnected,
                format!(
                    "there was no room on the connection within {limit:?}; is the server there?"
                ),
            )),
        }
    }

    /// Acknowledges or terminates, and waits until the server has said that it knows.
    async fn confirm(self: Arc<Self>, payload: Bytes) -> Result<(), Error> {
        let context = &self.ack_context.context;
        let about = self.ack_context.about(Operation::Settle);
        let limit = context.options().request_timeout;
        let (begun, mut pause) = (Instant::now(), SHORTEST_PAUSE);
        let number = loop {
            // Where an earlier acknowledgement has settled it, the server still has to confirm it.
            let (reply, number) = self.last_reply().unwrap_or_else(|| (self.reply(), None));
            let answer = context.ask_again(&about, reply.to_string(), payload.clone());
            let answer = answer.await?;
            if !answer.is_no_responders() {
                // A server confirms both without a word (nats-server, `sendAckReply`).
                if !answer.payload.is_empty() {
                    return Err(about
                        .error(
                            ErrorKind::Other,
                            "what answers to the settlement is no consumer",
                        )
                        .with_unknown_outcome());
                }
                break number;
            }
            // It is gone, or its server stops, or another begins to lead it.
            self.check_there(&about).await?;
            if begun.elapsed() >= limit {
                return Err(about.error(
                    ErrorKind::Timeout,
                    format!("the settlement was not taken within {limit:?}: the consumer has no leader at the moment, or was deleted; try again"),
                ));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        self.sent(Some(DONE), number);
        Ok(())
    }

    /// Whether its consumer may be there. Where the server must not be asked, it may.
    async fn check_there(&self, about: &ErrorContext) -> Result<(), Error> {
        let context = &self.ack_context.context;
        if context.options().management == Management::Never {
            return Ok(());
        }
        let reply = self.reply();
        let Some(consumer) = reply::consumer(&reply) else {
            return Ok(());
        };
        match bind::info(context, &self.ack_context.stream, consumer, about).await {
            Ok(Err(error)) if error.is(&[code::CONSUMER_NOT_FOUND, code::STREAM_NOT_FOUND]) => {
                Err(error.into_error(about))
            }
            // Where nobody can say now, somebody may later.
            _ => Ok(()),
        }
    }
}

/// How a settlement is written, and what it makes of the delivery; `None` if its answer is waited
/// for.
fn written(settlement: &Settlement) -> Option<(Bytes, Option<u8>)> {
    Some(match settlement {
        Settlement::Ack => (ACK, Some(DONE)),
        Settlement::Nak(delay) => (nak(*delay), Some(BACK)),
        Settlement::Term(reason) => (term(reason), Some(DONE)),
        Settlement::InProgress => (IN_PROGRESS, None),
        Settlement::AckConfirmed | Settlement::TermConfirmed(_) => return None,
    })
}

fn term(reason: &str) -> Bytes {
    if reason.trim().is_empty() {
        return TERM;
    }
    let reason: String = reason.chars().take(LONGEST_REASON).collect();
    format!("+TERM {}", reason.trim()).into()
}

// What a server reads in a message to a delivery's reply subject (nats-server,
// `server/consumer.go`).
pub(super) const ACK: Bytes = Bytes::from_static(b"+ACK");
pub(super) const NAK: Bytes = Bytes::from_static(b"-NAK");
const TERM: Bytes = Bytes::from_static(b"+TERM");
const IN_PROGRESS: Bytes = Bytes::from_static(b"+WPI");

/// How long to wait until an acknowledgement without responders is sent again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A reason is for an operator to read, and travels in an advisory.
const LONGEST_REASON: usize = 1024;

fn nak(delay: Duration) -> Bytes {
    if delay.is_zero() {
        return NAK;
    }
    // 292 years are the longest that a server knows.
    let nanos = i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX);
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write!(text, r#"-NAK {{"delay":{nanos}}}"#);
    text.into()
}

impl Settle for AckPending {
    fn settle(&self, _: u64, settlement: Settlement) -> Completion<Result<(), Error>> {
        if let Err(closed) = self.ack_context.context.check_not_ended(Operation::Settle) {
            return Completion::ready(Err(self.ack_context.about(Operation::Settle).on(closed)));
        }
        match (written(&settlement), settlement) {
            (Some((payload, mark)), _) => self.send(payload, mark),
            (None, Settlement::TermConfirmed(reason)) => {
                self.later(|own| own.confirm(term(&reason)))
            }
            (None, _) => self.later(|own| own.confirm(ACK)),
        }
    }

    /// All of them are handed to the connection in one pass, without waiting between
    /// them: what is the same for all is written and checked once. The connection puts all
    /// that waits into one write.
    fn settle_all(
        &self,
        deliveries: &[&Settler],
        settlement: &Settlement,
    ) -> Completion<Result<(), Unsettled>> {
        let context = &self.ack_context.context;
        let written = match context.check_not_ended(Operation::Settle) {
            Ok(()) => written(settlement),
            Err(_) => None,
        };
        let mut pending_replies = SettleCompletions::new(deliveries.len());
        for (place, settler) in deliveries.iter().enumerate() {
            let answer = match (settler.sink::<Self>(), &written) {
                (Some((ack_pending, _)), Some((payload, mark)))
                    if Arc::ptr_eq(&ack_pending.ack_context.context, context) =>
                {
                    ack_pending.send(payload.clone(), *mark)
                }
                // It has to be waited for, is refused, or belongs to another connection.
                _ => settler.settle(settlement.clone()),
            };
            pending_replies.add(place, answer);
        }
        pending_replies.answer()
    }
}

impl Drop for AckPending {
    fn drop(&mut self) {
        if !self.is_open() {
            if self.mark.load(Ordering::Acquire) == OPEN {
                // A later one has settled it.
                self.ended(OPEN);
            }
            return;
        }
        if self.ack_context.is_watched() {
            // Where there is no room it comes again after its ack wait.
            let _ = self.give_back();
        } else {
            self.ended(OPEN);
            self.ack_context.away.insert(self.sequence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_written_in_nanoseconds() {
        assert_eq!(nak(Duration::ZERO), "-NAK");
        assert_eq!(
            nak(Duration::from_millis(1500)),
            r#"-NAK {"delay":1500000000}"#
        );
        assert_eq!(nak(Duration::MAX), r#"-NAK {"delay":9223372036854775807}"#);
    }
}
