//! Where the answers to a subscription's requests come.

use async_nats::{Subject, Subscriber};

use crate::transport::nats::fault::About;
use crate::transport::nats::link::Link;
use crate::transport::{Error, ErrorKind};

/// Where answers come.
#[derive(Debug)]
pub(super) struct Inbox {
    /// What the subjects begin with, with a dot at its end.
    prefix: String,
    pub(super) subscriber: Subscriber,
}

impl Inbox {
    /// A new one, which nobody else knows.
    pub(super) async fn open(link: &Link, about: &About) -> Result<Self, Error> {
        let prefix = format!("{}.", link.new_inbox());
        let subscriber = link
            .client()
            .subscribe(format!("{prefix}*"))
            .await
            .map_err(|error| match link.check_not_ended(about.operation) {
                Err(closed) => about.on(closed),
                Ok(()) => about
                    .error(ErrorKind::Disconnected, "the connection has ended")
                    .with_source(error),
            })?;
        Ok(Self { prefix, subscriber })
    }

    /// The subject for the answers to one request.
    pub(super) fn reply(&self, token: &str) -> Subject {
        format!("{}{token}", self.prefix).into()
    }
}
