//! Consumers: bound or created, pulled from, settled.

use std::sync::Arc;

use super::link::Link;
use crate::transport::{Answer, Capability, Error, Operation, SubscribeRequest, Subscription};

/// Binds or creates a consumer and receives from it.
pub(super) fn subscribe(
    link: Arc<Link>,
    request: SubscribeRequest,
) -> Answer<Result<Subscription, Error>> {
    let refused = link
        .check_open(Operation::Subscribe)
        .err()
        .unwrap_or_else(|| {
            Error::unsupported(
                Capability::Store,
                Operation::Subscribe,
                "subscribing over NATS is not built yet",
            )
        });
    Answer::ready(Err(refused.at_stream(request.stream)))
}
