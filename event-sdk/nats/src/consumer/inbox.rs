//! The inbox of a subscription: the subject on which its messages and the server's statuses
//! arrive.

use std::task::{Context, Poll};

use super::message::Message;
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::receiver::Arrivals;
use event_sdk_core::transport::Error;

/// Where answers come.
#[derive(Debug)]
pub(super) struct Inbox {
    /// What the subjects begin with, with a dot at its end.
    prefix: String,
    arrivals: Arrivals,
}

impl Inbox {
    /// A new one with a random name, on the connection for deliveries, which is opened if it is
    /// not.
    pub(super) async fn open(context: &NatsContext, about: &ErrorContext) -> Result<Self, Error> {
        context.receiver().open(about).await?;
        let prefix = format!("{}.", context.new_inbox());
        let arrivals = context
            .receiver()
            .subscribe(format!("{prefix}*"), None, usize::MAX);
        Ok(Self { prefix, arrivals })
    }

    /// The next message; `None` when the connection has ended for good.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.arrivals
            .poll_next(cx)
            .map(|message| message.map(Message::new))
    }

    /// The next message that has come already.
    pub(super) fn try_next(&mut self) -> Option<Message> {
        self.arrivals.try_next().map(Message::new)
    }

    /// Whether it is the subscription with this number.
    pub(super) fn is(&self, sid: u64) -> bool {
        self.arrivals.sid() == sid
    }

    /// Tells the server that nothing more is to come, and goes on listening, for what
    /// it has sent before. Dropping it ends that.
    pub(super) fn shutdown(&self) {
        self.arrivals.unsubscribe();
    }

    /// The subject for the answers to one request.
    pub(super) fn reply(&self, token: &str) -> String {
        format!("{}{token}", self.prefix)
    }
}
