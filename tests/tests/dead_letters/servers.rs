//! What dead letters are for, from end to end, on a server that a test chooses: given up, counted, shown,
//! redriven, given up again, edited, parked, archived, purged.

use std::time::Duration;

use event_sdk::consumer::{Ctx, Failure, Retry};
use event_sdk::dead_letters::{
    Audit, DeadKey, DeadLetterClass, DeadLetterQueue, DeadLetterStream, DeadLetters, LetterFilter,
    LetterStatus, Page, RedriveOutcome,
};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::Deletion;
use event_sdk::transport::nats::Nats;
use event_sdk::{EventBus, Pii};
use event_sdk_test_servers::Server;
use event_sdk_test_servers::programs::nats;
use tokio::sync::oneshot;

use crate::export::OrderEvents;
use crate::rig::{OrderPlaced, PATIENCE, body, letter, put, within};

/// The workflow, on streams with this many replicas.
pub(crate) async fn workflow(url: &str, replicas: u8) {
    let place = DeadLetterStream::new("DLQ");
    let orders = StreamSpec::new("ORDERS").subject("orders.>");
    let bus = EventBus::builder()
        .source("letters")
        .stream(orders.replicas(replicas))
        .stream(place.spec().replicas(replicas))
        .stream(place.retry_spec().replicas(replicas));
    let options = Nats::options(url).request_timeout(PATIENCE);
    let nats = within("a connection", Nats::connect(options)).await;
    let bus = bus.transport(nats.unwrap()).unwrap();
    within("the streams", bus.apply_streams()).await.unwrap();

    redrives(&bus).await;
    by_hand(&bus).await;
}

/// Events that a consumer gives up are redriven: all but one are handled, and that one when it is
/// edited.
async fn redrives(bus: &EventBus) {
    let publisher = bus.publisher::<OrderPlaced>();
    let orders = (1..=30).map(|id| OrderPlaced {
        id,
        customer: Pii::new("Ada".to_owned()),
    });
    within("the events", publisher.publish_all(orders))
        .await
        .unwrap();
    // Even numbers succeed at once, odd ones when they are redriven, and 7 never.
    let consumer = bus
        .consumer::<OrderEvents>("billing")
        .concurrency(8)
        .retry(Retry::steps([Duration::from_millis(10)]).max_attempts(2))
        .dead_letters(DeadLetters::stream("DLQ"))
        .on(|order: OrderPlaced, ctx: Ctx| async move {
            match (order.id, ctx.redriven()) {
                (7, Some(redriven)) if !redriven.edited => Err(Failure::reject("never")),
                (id, None) if id % 2 == 1 => Err(Failure::retry("no price list")),
                _ => Ok(()),
            }
        });
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
    let queue = bus.dead_letters("DLQ");
    let open = LetterFilter::open();
    count(&queue, &open, 15).await;
    let groups = within("groups", queue.groups(&open)).await.unwrap();
    assert_eq!((groups.len(), groups[0].count), (1, 15));

    let report = within("a redrive", queue.redrive(open.clone()))
        .await
        .unwrap();
    assert_eq!(report.redriven.len(), 15);
    // The event that fails again is another letter.
    count(&queue, &open, 1).await;
    let again = within("a list", queue.list(&open, Page::ALL))
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (again.redrive, again.class.clone()),
        (1, DeadLetterClass::Rejected)
    );
    let shown = within("a letter", queue.show(again.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(shown.letter.event_id, again.event_id);
    let edited = body(again.event_id.unwrap(), 7);
    let audit = Audit::by("alice").because("the price is known");
    within("an edit", queue.edit_and_redrive(again.id, edited, &audit))
        .await
        .unwrap();
    let outcomes = async {
        loop {
            let outcomes = queue.outcomes(&LetterFilter::all()).await.unwrap();
            let handled = outcomes
                .values()
                .filter(|it| **it == RedriveOutcome::Handled);
            let failed = |it: &&RedriveOutcome| matches!(it, RedriveOutcome::FailedAgain { .. });
            let failed = outcomes.values().filter(failed);
            if (handled.count(), failed.count()) == (15, 1) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within("the outcomes", outcomes).await;
    drop(stop);
    let report = within("the end", running).await.unwrap().unwrap();
    assert_eq!((report.handled, report.dead_lettered), (30, 16));
}

/// A letter, written twice; the park of its key; and a purge of all letters.
async fn by_hand(bus: &EventBus) {
    let queue = bus.dead_letters("DLQ");
    let audit = Audit::by("alice").because("the order is cancelled");
    let mut other = letter(1);
    other.sequenced = true;
    put(bus, &other).await;
    put(bus, &other).await;
    count(&queue, &LetterFilter::open(), 1).await;
    let key = DeadKey::of(&other).unwrap();
    let park = queue.park("billing");
    other.origin.sequence = 99;
    within("the park", park.append(&other)).await.unwrap();
    let parked = within("the events", park.events(&key)).await.unwrap();
    assert_eq!(parked.len(), 2);
    let dropped = within("the key", park.drop_key(&key, &audit))
        .await
        .unwrap();
    assert_eq!(dropped, 2);
    let skipped = LetterFilter::all().status(LetterStatus::Skipped);
    assert_eq!(within("a count", queue.count(&skipped)).await.unwrap(), 1);
    let all = LetterFilter::all();
    let purged = within("a purge", queue.purge(&all, Deletion::Remove))
        .await
        .unwrap();
    assert!(purged.purged.len() >= 16, "{purged:?}");
    count(&queue, &all, 0).await;
}

/// Waits until there are so many letters.
async fn count(queue: &DeadLetterQueue, filter: &LetterFilter, expected: u64) {
    let counted = async {
        while queue.count(filter).await.unwrap() != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within("letters", counted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_workflow_on_the_oldest_server() {
    let server = Server::options().program(nats::oldest().unwrap());
    let server = server.start().await.unwrap();
    workflow(&server.url(), 1).await;
}
