//! Ends of subscriptions that break a promise.

use event_sdk::transport::{Deliveries, ErrorKind};
use futures_util::{StreamExt, stream};

use super::Sabotage;

/// The subscription, with its end broken.
pub(super) fn broken(sabotage: Sabotage, deliveries: Deliveries) -> Deliveries {
    match sabotage {
        Sabotage::EndsWithoutAWord => {
            Box::pin(deliveries.take_while(|item| std::future::ready(item.is_ok())))
        }
        Sabotage::LeavesSubscriptionsOpen => {
            let closed = |error: &event_sdk::Error| *error.kind() == ErrorKind::Closed;
            Box::pin(
                deliveries
                    .take_while(move |item| std::future::ready(!item.as_ref().is_err_and(closed)))
                    .chain(stream::pending()),
            )
        }
        _ => deliveries,
    }
}
