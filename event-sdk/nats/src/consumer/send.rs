//! Sends settlements over the connection for deliveries without waiting, where that is possible.

use async_nats::Subject;
use bytes::Bytes;

use crate::receiver::{Ended, Haste, Receiver};

/// Hands a message to the connection now; `None` where it has no room, and the
/// message has to be [sent](send) later.
pub(super) fn send_now(
    receiver: &Receiver,
    subject: &Subject,
    payload: &Bytes,
    haste: Haste,
) -> Option<Result<(), Ended>> {
    receiver.try_send(subject, payload, haste)
}

/// Hands a message to the connection when it has room.
///
/// Cancel-safe: dropped before it is ready, nothing was sent.
pub(super) async fn send(
    receiver: &Receiver,
    subject: &Subject,
    payload: Bytes,
) -> Result<(), Ended> {
    receiver.send(subject, &payload).await
}
