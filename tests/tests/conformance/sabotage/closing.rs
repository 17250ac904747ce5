//! Broken promises of closing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event_sdk::transport::{Deliveries, Error, Operation};
use futures_util::{StreamExt, stream};

use super::Sabotage;

/// The subscription, with its end broken.
pub(super) fn broken(sabotage: Sabotage, deliveries: Deliveries) -> Deliveries {
    match sabotage {
        Sabotage::EndsWithoutAWord => {
            Box::pin(deliveries.take_while(|item| std::future::ready(item.is_ok())))
        }
        Sabotage::LeavesSubscriptionsOpen => Box::pin(deliveries.chain(stream::pending())),
        Sabotage::CallsTheEndAFailure => {
            let failed = Arc::new(AtomicBool::new(false));
            let fails = Arc::clone(&failed);
            let closed = stream::once(async move {
                let closed = Error::closed(Operation::Subscribe);
                (!failed.load(Ordering::Relaxed)).then_some(Err(closed))
            });
            Box::pin(
                deliveries
                    .inspect(move |item| fails.store(item.is_err(), Ordering::Relaxed))
                    .chain(closed.filter_map(std::future::ready)),
            )
        }
        _ => deliveries,
    }
}
