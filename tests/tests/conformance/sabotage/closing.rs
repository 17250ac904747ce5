//! Ends of subscriptions that break a promise.

use event_sdk::transport::{Error, Operation, Subscription};
use futures_util::{StreamExt, stream};

use super::Sabotage;

/// The subscription, with its end broken.
pub(super) fn broken(sabotage: Sabotage, subscription: Subscription) -> Subscription {
    match sabotage {
        Sabotage::EndsWithoutAWord => {
            Box::pin(subscription.take_while(|item| std::future::ready(item.is_ok())))
        }
        Sabotage::LeavesSubscriptionsOpen => Box::pin(subscription.chain(stream::pending())),
        Sabotage::CallsTheEndAFailure => {
            let closed = Error::closed(Operation::Subscribe);
            Box::pin(subscription.chain(stream::iter([Err(closed)])))
        }
        _ => subscription,
    }
}
