//! Events that a replica of the old version does not know: it delays a tenth of `max_ack_pending`,
//! terminates and reports the others, and is not held up.

use std::collections::BTreeSet;

use event_sdk::ConsumerSpec;
use event_sdk::stream::StreamSpec;

use crate::rig::{
    Handled, New, Old, OrderCancelled, OrderPlaced, PATIENCE, Replica, declares, nats, orders,
    server, until,
};

/// How many unknown events come first.
const UNKNOWN: u64 = 5_000;

/// How many of them the durable's `max_ack_pending`, which is 1,000, allows to delay.
const DELAYED: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_unknown_events_hold_up_no_known_one() {
    let server = server().await;
    flood(&server.url(), orders()).await;
}

/// An old replica alone gets more unknown events than the server lets wait; then a new one comes.
pub(crate) async fn flood(url: &str, stream: StreamSpec) {
    let spec = ConsumerSpec::durable::<New>("billing");
    let new = declares(stream.clone()).consumer(spec);
    let new = new.transport(nats(url).await).unwrap();
    new.apply().await.unwrap();
    let unknown = (0..UNKNOWN).map(|number| OrderCancelled { number });
    new.publisher().publish_all(unknown).await.unwrap();
    let known = (UNKNOWN..UNKNOWN + 100).map(|number| OrderPlaced { number });
    new.publisher().publish_all(known.clone()).await.unwrap();

    let old = declares(stream).transport(nats(url).await).unwrap();
    let events = old.subscribe::<Old>().durable("billing").must_exist();
    let events = events.await.unwrap();
    let (_, bound) = events.bound().next().unwrap();
    assert_eq!(bound.config.max_ack_pending.unwrap().get(), 1_000);
    let by_old = Handled::default();
    let old_replica = Replica::start(events, Old::number, &by_old);
    until(&old, |info| {
        let handled = by_old.lock().unwrap().len();
        handled == 100 && info.pending == 0 && info.ack_pending == DELAYED
    })
    .await;
    assert!(
        by_old
            .lock()
            .unwrap()
            .keys()
            .all(|number| *number >= UNKNOWN)
    );
    // All others are reported, each by its sequence.
    until(&old, |_| {
        old_replica.terminated().len() as u64 == UNKNOWN - DELAYED
    })
    .await;
    let terminated: BTreeSet<u64> = old_replica.terminated().into_iter().collect();
    assert_eq!(terminated.len() as u64, UNKNOWN - DELAYED);

    // What is delayed is for a new replica, beside the old one and after it.
    let by_new = Handled::default();
    let events = new.subscribe::<New>().durable("billing").must_exist();
    let new_replica = Replica::start(events.await.unwrap(), New::number, &by_new);
    until(&new, |_| by_new.lock().unwrap().len() >= 10).await;
    old.drain(PATIENCE).await.unwrap();
    assert_eq!(old_replica.ended().await, UNKNOWN - DELAYED);
    until(&new, |info| info.ack_pending == 0 && info.pending == 0).await;
    // Sequences begin with one, numbers with zero.
    let delayed = (1..=UNKNOWN).filter(|sequence| !terminated.contains(sequence));
    let delayed: Vec<u64> = delayed.map(|sequence| sequence - 1).collect();
    let handled: Vec<u64> = by_new.lock().unwrap().keys().copied().collect();
    assert_eq!(handled, delayed);
    new.close().await.unwrap();
    assert_eq!(new_replica.ended().await, 0);
}
