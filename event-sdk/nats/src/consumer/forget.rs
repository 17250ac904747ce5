//! Makes the consumer of an old server forget requests that nobody wants any more.

use std::time::Duration;

use async_nats::Subject;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::timeout;

use super::inbox::Inbox;
use super::send::send;
use super::settle::Via;
use event_sdk_core::transport::Operation;

/// Two short requests, one before the inbox is left and one after that.
///
/// Before 2.10.16, a redelivery that meets nothing but requests that have ended or
/// that nobody listens to is counted and not sent: it comes after the ack wait, and
/// the newest message once more in its place (nats-server, `loopAndGatherMsgs`). The
/// server looks through all requests when another one is served or ends. So the
/// second makes it forget the others, and until then there always is one that it can
/// serve.
pub(super) struct Forgetting {
    inbox: Inbox,
    next: Subject,
    /// How many requests are open.
    open: u32,
    /// Where what they brought is settled.
    brought: Vec<Subject>,
}

/// What a request asks for: one message within a tenth of a second.
const SHORT: &[u8] = br#"{"batch":1,"expires":100000000}"#;

/// How long it is waited for one of these steps.
const PATIENCE: Duration = Duration::from_secs(1);

impl Forgetting {
    /// Sends the first request; `next` is where the consumer takes them. None where
    /// the connection has ended, or has no room.
    pub(super) async fn begin(via: &Via, next: Subject) -> Option<Self> {
        let begin = async {
            let about = via.about(Operation::Subscribe);
            let mut forgetting = Self {
                inbox: Inbox::open(&via.link, &about).await.ok()?,
                next,
                open: 0,
                brought: Vec::new(),
            };
            forgetting.ask(via).await?;
            Some(forgetting)
        };
        timeout(PATIENCE, begin).await.ok()?
    }

    /// After the inbox was left: sends the second and waits until both have ended.
    /// Where what they brought is settled.
    pub(super) async fn finish(mut self, via: &Via) -> Vec<Subject> {
        // One whose end is lost has ended all the same by then.
        let _ = timeout(PATIENCE, async {
            if self.ask(via).await.is_some() {
                self.ends().await;
            }
        })
        .await;
        self.brought
    }

    async fn ask(&mut self, via: &Via) -> Option<()> {
        let reply = self.inbox.reply("forget");
        let payload = Bytes::from_static(SHORT);
        send(via.link.client(), &self.next, Some(&reply), payload)
            .await
            .ok()?;
        self.open += 1;
        Some(())
    }

    /// A request for one message ends with that, or with a status.
    async fn ends(&mut self) {
        while self.open > 0
            && let Some(answer) = self.inbox.subscriber.next().await
        {
            self.open -= 1;
            self.brought.extend(answer.reply);
        }
    }
}
