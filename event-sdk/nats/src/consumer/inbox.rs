//! The inbox of a subscription: the subject on which its messages and the server's statuses
//! arrive.

use async_nats::{Subject, Subscriber};

use crate::context::NatsContext;
use crate::error::ErrorContext;
use event_sdk_core::transport::{Error, ErrorKind};

/// Where answers come.
#[derive(Debug)]
pub(super) struct Inbox {
    /// What the subjects begin with, with a dot at its end.
    prefix: String,
    pub(super) subscriber: Subscriber,
}

impl Inbox {
    /// A new one with a random name.
    pub(super) async fn open(context: &NatsContext, about: &ErrorContext) -> Result<Self, Error> {
        let prefix = format!("{}.", context.new_inbox());
        let subscriber = context
            .client()
            .subscribe(format!("{prefix}*"))
            .await
            .map_err(|error| match context.check_not_ended(about.operation) {
                Err(closed) => about.on(closed),
                Ok(()) => about
                    .error(ErrorKind::Disconnected, "the connection has ended")
                    .with_source(error),
            })?;
        Ok(Self { prefix, subscriber })
    }

    /// Tells the server that nothing more is to come, and goes on listening, for what
    /// it has sent before. Dropping it ends that.
    ///
    /// async-nats stops to listen at once, or in a drain at the next occasion, which
    /// may be before what is on its way has come. Told to wait for more messages than
    /// there can be, it goes on; and a server takes a number of more than nine digits
    /// for none (nats-server, `parseSize` in `server/util.go`).
    pub(super) async fn shutdown(&mut self) {
        // An error says that the connection has ended.
        let _ = self.subscriber.unsubscribe_after(u64::MAX).await;
    }

    /// The subject for the answers to one request.
    pub(super) fn reply(&self, token: &str) -> Subject {
        format!("{}{token}", self.prefix).into()
    }
}
