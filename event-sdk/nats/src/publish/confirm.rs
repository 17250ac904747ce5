//! Awaits the publish ack and completes the confirmation.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::ack::{self, Ack};
use super::{RetryablePublish, StreamPublisher, retry};
use crate::send_queue::PendingPublish;
use event_sdk_core::transport::{Completion, Error, ErrorKind, Operation, Stored};

/// Waits for the ack of a message. Dropped, it takes nothing back.
pub(super) struct Confirm {
    publisher: Arc<StreamPublisher>,
    handed: PendingPublish,
    phase: Phase,
}

enum Phase {
    /// The ack has not come.
    Waiting(RetryablePublish),
    /// It has to be found out what it means, or the message to be sent again.
    Retrying(Completion<Result<Stored, Error>>),
    Done,
}

impl Confirm {
    pub(super) fn new(
        publisher: Arc<StreamPublisher>,
        publish_message: RetryablePublish,
        handed: PendingPublish,
    ) -> Self {
        Self {
            publisher,
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
                    ready!(
                        this.publisher
                            .context
                            .send_queue()
                            .poll_answer(this.handed.token, cx)
                    )
                }
                Phase::Retrying(retrying) => {
                    let result = ready!(Pin::new(retrying).poll(cx));
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
            let ack = match ack::read(&this.publisher, result) {
                Ack::Stored(stored) => return Poll::Ready(Ok(stored)),
                other => other,
            };
            let publisher = Arc::clone(&this.publisher);
            let retrying = retry::resolve(publisher, publish_message, this.handed, ack);
            let context = &this.publisher.context;
            this.phase = Phase::Retrying(context.later(Operation::Publish, retrying));
        }
    }
}

impl Drop for Confirm {
    fn drop(&mut self) {
        if matches!(self.phase, Phase::Waiting(_)) {
            self.publisher
                .context
                .send_queue()
                .abandon(self.handed.token);
        }
    }
}
