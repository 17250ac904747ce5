//! Broken promises of closing.

use event_sdk::transport::{ErrorKind, Subscription};
use futures_util::{StreamExt, stream};

use super::Sabotage;

/// The subscription, with its end broken.
pub(super) fn broken(sabotage: Sabotage, subscription: Subscription) -> Subscription {
    match sabotage {
        Sabotage::EndsWithoutAWord => {
            Box::pin(subscription.take_while(|item| std::future::ready(item.is_ok())))
        }
        Sabotage::LeavesSubscriptionsOpen => {
            let closed = |error: &event_sdk::Error| *error.kind() == ErrorKind::Closed;
            Box::pin(
                subscription
                    .take_while(move |item| std::future::ready(!item.as_ref().is_err_and(closed)))
                    .chain(stream::pending()),
            )
        }
        _ => subscription,
    }
}
