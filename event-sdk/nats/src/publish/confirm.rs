//! Parses the publish ack (`PubAck`) and completes the confirmation.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::RetryablePublish;
use super::ack::{self, Ack};
use super::retry;
use crate::context::NatsContext;
use crate::send_queue::PendingPublish;
use event_sdk_core::transport::{Error, ErrorKind, Operation, Stored};

/// Waits for the ack of a message. Dropped, it takes nothing back.
pub(super) struct Confirm {
    context: Arc<NatsContext>,
    handed: PendingPublish,
    phase: Phase,
}

enum Phase {
    /// The ack has not come.
    Waiting(RetryablePublish),
    /// It has to be found out what it means, or the message to be sent again.
    Retrying(Pin<Box<dyn Future<Output = Result<Stored, Error>> + Send>>),
    Done,
}

impl Confirm {
    pub(super) fn new(
        context: Arc<NatsContext>,
        publish_message: RetryablePublish,
        handed: PendingPublish,
    ) -> Self {
        Self {
            context,
            handed,
            phase: Phase::Waiting(publish_message),
        }
    }
}

impl Future for Confirm {
    type Output = Result<Stored, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            let result = match &mut this.phase {
                Phase::Waiting(_) => {
                    ready!(this.context.send_queue().poll_answer(this.handed.token, cx))
                }
                Phase::Retrying(retrying) => {
                    let result = ready!(retrying.as_mut().poll(cx));
                    this.phase = Phase::Done;
                    return Poll::Ready(result);
                }
                Phase::Done => {
                    return Poll::Ready(Err(Error::new(
                        ErrorKind::Other,
                        Operation::Publish,
                        "its answer was given already",
                    )));
                }
            };
            let Phase::Waiting(publish_message) = std::mem::replace(&mut this.phase, Phase::Done)
            else {
                // It is what was just asked for its answer.
                continue;
            };
            let ack = match ack::read(&this.context, result) {
                Ack::Stored(stored) => return Poll::Ready(Ok(stored)),
                other => other,
            };
            let context = Arc::clone(&this.context);
            let retrying = retry::resolve(context, publish_message, this.handed, ack);
            this.phase = Phase::Retrying(Box::pin(retrying));
        }
    }
}

impl Drop for Confirm {
    fn drop(&mut self) {
        if matches!(self.phase, Phase::Waiting(_)) {
            self.context.send_queue().abandon(self.handed.token);
        }
    }
}
