//! Broken promises of delivering.

use std::future::ready;
use std::sync::Arc;

use event_sdk::transport::{
    Deliveries, Error, Gap, Incoming, Notice, NoticeKind, Received, Settlement, Settler,
};
use futures_util::{StreamExt, stream};

use super::Sabotage;
use super::settling::{Settled, Unsettled};

/// The subscription, with what it delivers broken.
pub(super) fn broken(
    sabotage: Sabotage,
    deliveries: Deliveries,
    settled: Arc<Settled>,
) -> Deliveries {
    let deliveries = settling(sabotage, deliveries, settled);
    match sabotage {
        Sabotage::Reorders => Box::pin(deliveries.ready_chunks(2).flat_map(|mut pair| {
            pair.reverse();
            stream::iter(pair)
        })),
        Sabotage::DeliversTwice => Box::pin(deliveries.flat_map(|item| {
            let copy = match &item {
                Ok(Incoming::Message(received)) => Some(Ok(Incoming::Message(copy(received)))),
                _ => None,
            };
            stream::iter(std::iter::once(item).chain(copy))
        })),
        Sabotage::HandsOutTheStale => Box::pin(deliveries.ready_chunks(64).flat_map(stream::iter)),
        Sabotage::CountsNoAttempts => Box::pin(deliveries.map(|mut item| {
            if let Ok(Incoming::Message(received)) = &mut item {
                received.info.attempt = 1;
            }
            item
        })),
        Sabotage::NeverRedelivers => Box::pin(deliveries.filter_map(async |item| match item {
            Ok(Incoming::Message(received)) if received.info.attempt > 1 => {
                if let Some(settler) = received.settler {
                    let _ = settler.settle(Settlement::Ack).await;
                }
                None
            }
            item => Some(item),
        })),
        Sabotage::HidesGaps => Box::pin(deliveries.filter(|item| ready(gap(item).is_none()))),
        Sabotage::WidensGaps => Box::pin(deliveries.map(|mut item| {
            if let Some(mut gap) = gap(&item) {
                gap.to += 1;
                item = Ok(Incoming::Notice(Notice::new(NoticeKind::Gap(gap))));
            }
            item
        })),
        Sabotage::HidesExhausted => {
            let exhausted = |item: &Item| match item {
                Ok(Incoming::Notice(notice)) => notice.exhausted().is_some(),
                _ => false,
            };
            Box::pin(deliveries.filter(move |item| ready(!exhausted(item))))
        }
        Sabotage::LosesTheUnread => {
            // Everything that is there is taken and settled before it is handed
            // over, so that nobody else gets it.
            Box::pin(
                deliveries
                    .ready_chunks(64)
                    .then(settle_but_first)
                    .flat_map(stream::iter),
            )
        }
        _ => deliveries,
    }
}

type Item = Result<Incoming, Error>;

/// The gap that it reports, if it does.
fn gap(item: &Item) -> Option<Gap> {
    match item {
        Ok(Incoming::Notice(notice)) => notice.gap(),
        _ => None,
    }
}

async fn settle_but_first(items: Vec<Item>) -> Vec<Item> {
    for item in items.iter().skip(1) {
        if let Ok(Incoming::Message(received)) = item
            && let Some(settler) = &received.settler
        {
            let _ = settler.settle(Settlement::Ack).await;
        }
    }
    items
}

/// The subscription, with what becomes of its deliveries broken.
fn settling(sabotage: Sabotage, deliveries: Deliveries, settled: Arc<Settled>) -> Deliveries {
    Box::pin(deliveries.map(move |mut item| {
        if let Ok(Incoming::Message(received)) = &mut item
            && let Some(settler) = received.settler.take()
        {
            let unsettled = Unsettled::new(sabotage, settler, &received.info, Arc::clone(&settled));
            received.settler = Some(Settler::new(Arc::new(unsettled), 0));
        }
        item
    }))
}

fn copy(received: &Received) -> Received {
    Received {
        subject: received.subject.clone(),
        headers: received.headers.clone(),
        body: received.body.clone(),
        info: received.info.clone(),
        settler: received.settler.clone(),
    }
}
