//! Publishing.

use super::link::Link;
use crate::transport::{Answer, Capability, Confirmation, Error, Operation, Outgoing};

/// Sends a message.
pub(super) fn publish(link: &Link, message: Outgoing<'_>) -> Answer<Result<Confirmation, Error>> {
    let refused = link
        .check_open(Operation::Publish)
        .err()
        .unwrap_or_else(|| {
            Error::unsupported(
                Capability::Store,
                Operation::Publish,
                "publishing over NATS is not built yet",
            )
        });
    Answer::ready(Err(refused.at_subject(message.subject)))
}
