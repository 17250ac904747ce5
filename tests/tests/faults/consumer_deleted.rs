//! Fault: the consumer of a running service is deleted.

use event_sdk::transport::{DeliverPolicy, ErrorKind, Outcome};
use event_sdk::{Delivery, Error, Subscribe, Subscriber};

use crate::events::Counted;
use crate::ledger::{Ledger, Sign};
use crate::rig::{STREAM, Service, connect, operate, start};
use crate::work::{next, next_delivery, number, publish_all, within};
use event_sdk::transport::TransportExt as _;

const ALL: u64 = 100;
const DONE: u64 = 30;

fn durable(service: &Service, prefetch: usize) -> Subscribe<Counted> {
    let subscription = service.bus.subscribe::<Counted>();
    subscription.durable("worker").prefetch(prefetch)
}

async fn subscribe(subscription: Subscribe<Counted>) -> Subscriber<Counted> {
    within("a subscription", async { subscription.await })
        .await
        .expect("it subscribes")
}

async fn receive_and_ack(
    subscriber: &mut Subscriber<Counted>,
    ledger: &Ledger,
    numbers: std::ops::Range<u64>,
) {
    for wanted in numbers {
        let delivery = next_delivery(subscriber, ledger).await;
        assert_eq!(number(&delivery), wanted);
        within("the ack", delivery.ack_confirmed())
            .await
            .expect("it is acknowledged");
    }
}

/// What comes until it ends, and why it does.
async fn rest(
    subscriber: &mut Subscriber<Counted>,
    ledger: &Ledger,
) -> (Vec<Delivery<Counted>>, Error) {
    let mut came = Vec::new();
    let error = loop {
        match next(subscriber, ledger).await {
            Some(Ok(delivery)) => came.push(delivery),
            Some(Err(error)) => break error,
            None => panic!("it ended and did not say why"),
        }
    };
    assert!(within("the end", subscriber.next()).await.is_none());
    (came, error)
}

fn names_the_consumer(error: &Error) {
    assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound, "{error:?}");
    assert_eq!(error.stream(), Some(STREAM));
    assert_eq!(error.consumer(), Some("worker"));
}

/// A service has handled some and has one in hand when its consumer is deleted.
async fn deleted(ledger: &Ledger, service: &Service, another: &Service) {
    let mut subscriber = subscribe(durable(service, 10)).await;
    publish_all(&another.bus, ledger, 0..ALL).await;
    receive_and_ack(&mut subscriber, ledger, 0..DONE).await;
    let in_hand = next_delivery(&mut subscriber, ledger).await;

    ledger.server_is_down();
    let deleting = another.bus.transport().delete_consumer(STREAM, "worker");
    within("the deletion", deleting).await.expect("it goes");
    ledger.server_is_back();
    let (came, error) = rest(&mut subscriber, ledger).await;
    names_the_consumer(&error);
    for delivery in came.iter().chain([&in_hand]) {
        let error = within("an answer", delivery.ack_confirmed())
            .await
            .expect_err("nobody takes it");
        names_the_consumer(&error);
        assert_eq!(error.outcome(), Outcome::NotDone);
        ledger.failed(&error);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_begins_where_it_is_told() {
    let ledger = Ledger::new("consumer deleted, begun after it");
    let (server, service) = start().await;
    let another = connect(server.url()).await;
    deleted(&ledger, &service, &another).await;

    let from = DeliverPolicy::ByStartSequence(DONE + 1);
    let mut again = subscribe(durable(&service, 10).deliver(from)).await;
    receive_and_ack(&mut again, &ledger, DONE..ALL).await;
    ledger.goes_on(&[Sign::Received], 1).await;
    let totals = ledger.close();
    assert_eq!(totals.received, ALL);
    // What was in hand, or came ahead of the end.
    assert!((1..=10).contains(&totals.repeated), "{totals:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_that_begins_anew_gets_everything_again() {
    let ledger = Ledger::new("consumer deleted, begun anew");
    let (server, service) = start().await;
    let another = connect(server.url()).await;
    deleted(&ledger, &service, &another).await;

    let mut again = subscribe(durable(&service, 10)).await;
    for wanted in 0..ALL {
        let delivery = next_delivery(&mut again, &ledger).await;
        assert_eq!(number(&delivery), wanted);
        assert_eq!(delivery.attempt(), 1, "the consumer is another");
        delivery.ack().await.expect("it is acknowledged");
    }
    let totals = ledger.close();
    assert!(totals.repeated >= DONE, "{totals:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_and_an_ephemeral_consumer_say_so_too() {
    let ledger = Ledger::new("group and ephemeral deleted");
    let (server, service) = start().await;
    publish_all(&service.bus, &ledger, 0..20).await;
    let subscriptions = [
        service.bus.subscribe::<Counted>().group("team"),
        service.bus.subscribe::<Counted>(),
    ];
    for subscription in subscriptions {
        let mut subscriber = subscribe(subscription).await;
        for _ in 0..20 {
            let delivery = next_delivery(&mut subscriber, &ledger).await;
            delivery.ack().await.expect("it is acknowledged");
        }
        ledger.server_is_down();
        let call = format!("CONSUMER.NAMES.{STREAM}");
        let names = operate(&server, &call, &serde_json::json!({})).await;
        for name in names["consumers"].as_array().expect("a list") {
            let name = name.as_str().expect("a name");
            let deleting = service.bus.transport().delete_consumer(STREAM, name);
            within("the deletion", deleting).await.expect("it goes");
        }
        ledger.server_is_back();
        let (came, error) = rest(&mut subscriber, &ledger).await;
        assert!(came.is_empty());
        assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound, "{error:?}");
        assert_eq!(error.stream(), Some(STREAM));
    }
    ledger.close();
}
