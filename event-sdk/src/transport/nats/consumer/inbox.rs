//! Where the answers to a subscription's requests come, and what becomes of
//! those that nobody wants any more.

use std::time::Duration;

use async_nats::{Client, Message, StatusCode, Subject, Subscriber};
use futures_util::future::Either;
use futures_util::{FutureExt, StreamExt};

use super::pull::Pull;
use super::send::{send, send_now};
use super::settle::NAK;
use super::status::Status;
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

    /// Puts back what came and was not taken; `next` is where its consumer takes
    /// requests, and `pull` what it was asked for.
    ///
    /// What can be put back without waiting is put back when this returns. The
    /// rest is put back by the future, which answers how much it was altogether;
    /// there may be none.
    pub(super) fn give_back(
        mut self,
        client: &Client,
        next: &Subject,
        mut pull: Pull,
        how: GiveBack,
    ) -> (u64, Option<impl Future<Output = u64> + Send + use<>>) {
        let mut came = Vec::new();
        while let Some(Some(message)) = self.subscriber.next().now_or_never() {
            came.extend(unwanted(message, &mut pull));
        }
        let all = came.len() as u64;
        if how != GiveBack::AtOnce && pull.waits() {
            let rest = self.give_back_rest(client.clone(), next.clone(), pull, came, how);
            return (0, Some(Either::Left(rest)));
        }
        // From here on the requests are ended.
        drop(self);
        came.retain(|reply| send_now(client, reply, None, &NAK).is_none());
        if came.is_empty() {
            return (all, None);
        }
        let client = client.clone();
        let rest = async move {
            let _ = tokio::time::timeout(PATIENCE, nak(&client, came)).await;
            all
        };
        (0, Some(Either::Right(rest)))
    }

    async fn give_back_rest(
        mut self,
        client: Client,
        next: Subject,
        mut pull: Pull,
        mut came: Vec<Subject>,
        how: GiveBack,
    ) -> u64 {
        if how == GiveBack::All {
            let waiting = self.wait_for_all(&client, &next, &mut pull, &mut came);
            let _ = tokio::time::timeout(PATIENCE, waiting).await;
        }
        let mut all = came.len() as u64;
        let rest = async {
            // From here on the requests are ended: what is put back before would
            // come here again. What a server cannot deliver any more it gives to
            // others at once.
            let _ = self.subscriber.drain().await;
            nak(&client, came).await;
            while let Some(message) = self.subscriber.next().await {
                all += u64::from(message.reply.is_some());
                nak(&client, message.reply).await;
            }
        };
        // What comes later comes to others after its ack wait.
        let _ = tokio::time::timeout(PATIENCE, rest).await;
        all
    }

    /// Waits until everything has come that the consumer has at hand.
    async fn wait_for_all(
        &mut self,
        client: &Client,
        next: &Subject,
        pull: &mut Pull,
        came: &mut Vec<Subject>,
    ) {
        let mut pause = Duration::from_millis(1);
        let probe = pull.probe();
        let reply = self.reply(&probe.token);
        if send(client, next, Some(&reply), probe.payload.clone())
            .await
            .is_err()
        {
            return;
        }
        while pull.waits()
            && let Some(message) = self.subscriber.next().await
        {
            let status = message.status.filter(|_| message.subject == reply);
            came.extend(unwanted(message, pull));
            match status {
                None => {}
                // There is something, and it is being sent.
                Some(StatusCode::TIMEOUT) => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    let probe = pull.probe();
                    if send(client, next, Some(&reply), probe.payload)
                        .await
                        .is_err()
                    {
                        return;
                    }
                }
                // There is nothing, or nobody who would send it.
                Some(_) => return,
            }
        }
    }
}

/// How much is put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GiveBack {
    /// Also what the consumer has at hand for what it was asked for.
    All,
    /// What came, and what is on its way just now.
    Quickly,
    /// What came, without waiting for anything.
    AtOnce,
}

/// How long it is waited for what is on its way.
const PATIENCE: Duration = Duration::from_secs(1);

async fn nak(client: &Client, replies: impl IntoIterator<Item = Subject>) {
    for reply in replies {
        // Where it cannot be sent, the message comes again after its ack wait.
        let _ = send(client, &reply, None, NAK).await;
    }
}

/// Where a message that nobody wants is settled, if it is one of the stream.
fn unwanted(message: Message, pull: &mut Pull) -> Option<Subject> {
    if let Some(status) = Status::read(&message) {
        pull.hear(&status, &message.subject);
        return None;
    }
    let reply = message.reply?;
    pull.taken();
    Some(reply)
}
