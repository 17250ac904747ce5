//! Sends pull requests and acks over the connection without waiting, where that is possible.

use async_nats::{Client, PublishError, Subject};
use bytes::Bytes;
use futures_util::FutureExt;
use tokio::task::coop::unconstrained;

/// Hands a message to the connection now; `None` where it has no room, and the
/// message has to be [sent](send) later.
pub(super) fn send_now(
    client: &Client,
    subject: &Subject,
    reply: Option<&Subject>,
    payload: &Bytes,
) -> Option<Result<(), PublishError>> {
    // A send that has to wait is dropped, which takes the message back. That the task
    // has used up what tokio gives it at a time is no lack of room.
    unconstrained(send(client, subject, reply, payload.clone())).now_or_never()
}

/// Hands a message to the connection when it has room.
///
/// Cancel-safe: dropped before it is ready, nothing was sent.
pub(super) async fn send(
    client: &Client,
    subject: &Subject,
    reply: Option<&Subject>,
    payload: Bytes,
) -> Result<(), PublishError> {
    match reply {
        None => client.publish(subject.clone(), payload).await,
        Some(reply) => {
            client
                .publish_with_reply(subject.clone(), reply.clone(), payload)
                .await
        }
    }
}
