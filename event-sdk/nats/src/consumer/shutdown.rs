//! `Shutdown`: listens to the inbox of an ended subscription, and naks late messages so that
//! they are redelivered at once.

use std::collections::BTreeSet;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_nats::Subject;

use super::ack_context::AckContext;
use super::inbox::Inbox;
use super::message::Message;
use super::pull::{Pull, Request};
use super::reply::Reply;
use super::send::{send, send_now};
use super::settle::NAK;
use super::status::Status;
use crate::context::NatsContext;
use crate::receiver::{Haste, Receiver};
use event_sdk_core::transport::Operation;

/// An inbox whose requests are still open.
///
/// Nothing may be returned by a nak before they have ended: it would come here again. Where
/// the server takes back what it can no longer deliver, they are ended by leaving,
/// when the consumer has nothing at hand. Where it does not, they end by themselves,
/// which they do [soon](Pull::ends_within), and it is listened to them until then.
pub(super) struct Shutdown {
    inbox: Inbox,
    /// What was asked for.
    pull: Pull,
    /// Where what came is settled.
    came: Vec<Subject>,
}

/// How an inbox goes quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quiet {
    /// Everything has come that the consumer has at hand.
    Now,
    /// The consumer has something, and is sending it.
    NotYet,
}

/// An inbox whose requests have ended. What the server has sent before comes
/// still; what it cannot deliver any more it gives to others by itself.
pub(super) struct Left {
    inbox: Inbox,
    /// Where the rest of what came is returned by a nak.
    unsent: Vec<Subject>,
}

/// The status of a request that has ended.
const TIMEOUT: u16 = 408;

/// How long it is waited for one of these steps.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

impl Shutdown {
    /// Begins with what has come to the inbox.
    pub(super) fn new(inbox: Inbox, pull: Pull) -> Self {
        let came = Vec::new();
        let mut leaving = Self { inbox, pull, came };
        while let Some(message) = leaving.inbox.try_next() {
            leaving.take(message);
        }
        leaving
    }

    /// Adds what had come before.
    pub(super) fn add(&mut self, came: Vec<Subject>) {
        self.came.extend(came);
    }

    /// Leaves out redeliveries of what the caller has or has acknowledged.
    pub(super) fn leave_out(&mut self, mut is_known: impl FnMut(&Subject) -> bool) {
        self.came.retain(|reply| !is_known(reply));
    }

    /// Whether something that was asked for has not come.
    pub(super) fn waits(&self) -> bool {
        self.pull.waits()
    }

    /// Where the answer to the next probe comes, and the probe.
    pub(super) fn probe(&mut self) -> (String, Request) {
        let probe = self.pull.probe();
        (self.inbox.reply(&probe.token), probe)
    }

    /// Waits for the answer to a probe, or for all that was asked for.
    pub(super) fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<Quiet> {
        while self.waits() {
            let Some(message) = ready!(self.inbox.poll_next(cx)) else {
                return Poll::Ready(Quiet::Now);
            };
            let status = message.status_block().and_then(|block| block.status());
            let answer = status.filter(|_| Pull::is_probe(&message.subject_text()));
            self.take(message);
            match answer {
                None => {}
                Some(TIMEOUT) => return Poll::Ready(Quiet::NotYet),
                // There is nothing, or nobody who would send it.
                Some(_) => return Poll::Ready(Quiet::Now),
            }
        }
        Poll::Ready(Quiet::Now)
    }

    /// The sequences of what came.
    pub(super) fn sequences(&self) -> impl Iterator<Item = u64> {
        self.came.iter().filter_map(sequence)
    }

    /// How long it may take until the requests end by themselves, where that is waited
    /// for: a bit longer, for one that has not ended then is lost.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.pull.ends_within().map(|end| end + PATIENCE)
    }

    /// Waits until the requests have ended by themselves.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.waits() {
            let Some(message) = ready!(self.inbox.poll_next(cx)) else {
                return Poll::Ready(());
            };
            self.take(message);
        }
        Poll::Ready(())
    }

    /// Ends the requests, and naks what came, as far as that goes now.
    pub(super) fn end(mut self, context: &NatsContext) -> Left {
        self.inbox.shutdown();
        self.came
            .retain(|reply| !nak_now(context.receiver(), reply));
        Left {
            inbox: self.inbox,
            unsent: self.came,
        }
    }

    fn take(&mut self, message: Message) {
        if let Some(status) = Status::read(&message) {
            self.pull.hear(&status, &message.subject_text());
        } else if let Some(reply) = message.reply {
            self.pull.came();
            self.came.push(reply);
        }
    }
}

impl Left {
    /// Whether no message is known that has to be returned by a nak.
    pub(super) fn is_empty(&self) -> bool {
        self.unsent.is_empty()
    }

    /// Naks what is left, without waiting for anything.
    pub(super) fn hurry(self, receiver: &Receiver) {
        // Which tells the server.
        drop(self.inbox);
        for reply in &self.unsent {
            nak_now(receiver, reply);
        }
    }

    /// Naks what is on its way still, for a bounded time; the sequences.
    pub(super) async fn finish(
        mut self,
        ack_context: &AckContext,
        is_known: impl Fn(&Subject) -> bool,
    ) -> BTreeSet<u64> {
        let receiver = ack_context.context.receiver();
        let mut found = BTreeSet::new();
        let rest = async {
            for reply in self.unsent {
                nak(receiver, &reply).await;
            }
            // Then everything is here that the server sent before it knew. An error
            // says that the connection is lost, or ends.
            let about = ack_context.about(Operation::Subscribe);
            let _ = receiver.flush(&about).await;
            while let Some(message) = self.inbox.try_next() {
                if let Some(reply) = message.reply.filter(|reply| !is_known(reply)) {
                    found.extend(sequence(&reply));
                    nak(receiver, &reply).await;
                }
            }
        };
        let _ = tokio::time::timeout(PATIENCE, rest).await;
        found
    }
}

/// Whether the connection took it.
fn nak_now(receiver: &Receiver, reply: &Subject) -> bool {
    send_now(receiver, reply, &NAK, Haste::Now).is_some()
}

/// Where it cannot be returned by a nak, a message comes again after its ack wait.
async fn nak(receiver: &Receiver, reply: &Subject) {
    let _ = send(receiver, reply, NAK).await;
}

fn sequence(reply: &Subject) -> Option<u64> {
    Reply::parse(reply).map(|reply| reply.sequence)
}
