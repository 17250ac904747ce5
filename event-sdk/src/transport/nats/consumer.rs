//! Consumers: bound or created, pulled from, settled.

use std::sync::Arc;
use std::time::Duration;

use super::link::Link;
use crate::transport::{
    Answer, Capability, Drained, Error, Operation, SubscribeRequest, Subscription,
};

#[allow(
    clippy::needless_pass_by_value,
    reason = "a subscription keeps the link"
)]
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

#[allow(clippy::unused_async, reason = "there is no subscription to wait for")]
/// Ends all subscriptions, and waits for what is in hand, for so long at the most.
pub(super) async fn drain(_: &Link, _: Duration) -> Result<Drained, Error> {
    // There is no subscription yet.
    Ok(Drained::default())
}
