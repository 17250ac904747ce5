//! Fault: the stream is deleted under services.

use event_sdk::Subscriber;
use event_sdk::transport::{ErrorKind, Outcome};

use crate::events::Counted;
use crate::ledger::{Ledger, Sign};
use crate::rig::{COUNTED, STREAM, Service, connect, delete_stream, start};
use crate::work::{end, next_delivery, number, publish_all, publish_once, within};

async fn subscribe(service: &Service) -> Subscriber<Counted> {
    let subscription = service.bus.subscribe::<Counted>().durable("worker");
    within("a subscription", async { subscription.await })
        .await
        .expect("it subscribes")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publisher_and_consumer_are_told_and_go_on_with_another() {
    let ledger = Ledger::new("stream deleted");
    let (server, service) = start().await;
    let another = connect(server.url()).await;
    let publisher = another.bus.publisher::<Counted>();
    let mut subscriber = subscribe(&service).await;
    publish_all(&another.bus, &ledger, 0..50).await;
    for wanted in 0..50 {
        let delivery = next_delivery(&mut subscriber, &ledger).await;
        assert_eq!(number(&delivery), wanted);
        within("the ack", delivery.ack_confirmed())
            .await
            .expect("it is acknowledged");
    }

    ledger.server_is_down();
    delete_stream(&server).await;
    let error = end(&mut subscriber, &ledger).await;
    assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error:?}");
    assert_eq!(error.stream(), Some(STREAM));
    let prepared = publisher.prepare(Counted::new(50));
    let id = prepared.id();
    let (error, again) = publish_once(&publisher, &ledger, prepared)
        .await
        .expect_err("there is no stream");
    assert_eq!(*error.kind(), ErrorKind::NoStream, "{error:?}");
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert_eq!(error.subject(), Some(COUNTED));
    assert_eq!((again.id(), again.event().number), (id, 50));
    // Nobody makes a stream unless it is asked for.
    let error = within("an answer", async {
        service.bus.subscribe::<Counted>().durable("worker").await
    })
    .await
    .expect_err("there is no stream");
    assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error:?}");
    assert_eq!(error.stream(), Some(STREAM));
    ledger.failed(&error);

    service.apply().await;
    ledger.server_is_back();
    let mut subscriber = subscribe(&service).await;
    publish_once(&publisher, &ledger, again)
        .await
        .expect("there is a stream again");
    publish_all(&another.bus, &ledger, 51..100).await;
    for wanted in 50..100 {
        let delivery = next_delivery(&mut subscriber, &ledger).await;
        assert_eq!(number(&delivery), wanted);
        delivery.ack().await.expect("it is acknowledged");
    }
    ledger.goes_on(&[Sign::Confirmed, Sign::Received], 50).await;
    let totals = ledger.close();
    assert_eq!((totals.published, totals.repeated), (100, 0));
}
