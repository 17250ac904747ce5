//! Fault: missing permissions; the error names the subject.

use std::time::Duration;

use event_sdk::transport::{ErrorKind, Outcome};
use event_sdk::{Error, PublishError, Subscriber};
use event_sdk_test_servers::{Permissions, Server, User};

use crate::events::{Counted, Told};
use crate::ledger::Ledger;
use crate::rig::{COUNTED, STREAM, Service, connect_with, stream};
use crate::work::{end, next, next_delivery, publish_all, publish_once, read_stored, within};

/// A timeout that would be noticed: what is denied does not wait for it.
const LONG: Duration = Duration::from_mins(2);

/// A server with the stream, an operator, and a user who may do only this.
async fn start(permissions: Permissions) -> (Server, Service, Service) {
    let users = [
        User::password("operator", "pw"),
        User::password("service", "pw").permissions(permissions),
    ];
    let server = Server::options()
        .users(users)
        .start()
        .await
        .expect("the server starts");
    let operator = connect_with(server.url(), stream(), |options| {
        options.user("operator", "pw")
    })
    .await;
    operator.apply().await;
    let service = connect_with(server.url(), stream(), |options| {
        options
            .user("service", "pw")
            .request_timeout(LONG)
            .ack_timeout(LONG)
    })
    .await;
    (server, operator, service)
}

fn denied(error: &Error, subject: &str) {
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert_eq!(error.subject(), Some(subject), "{error:?}");
}

async fn tell(service: &Service, number: u64) -> Result<(), PublishError<Told>> {
    let publisher = service.bus.publisher::<Told>();
    let publish = publisher.publish(Told { number }).timeout(LONG);
    let told = within("an answer", async { publish.await }).await;
    told.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_that_may_not_be_published_to() {
    let ledger = Ledger::new("publish denied");
    let may = Permissions::jetstream_bridge().publish(&[COUNTED]);
    let (_server, operator, service) = start(may).await;
    let publisher = service.bus.publisher::<Counted>();
    for number in 0..50 {
        let prepared = publisher.prepare(Counted::new(number));
        publish_once(&publisher, &ledger, prepared)
            .await
            .expect("it may");
        // Also while others are on their way.
        let error = tell(&service, number).await.expect_err("it may not");
        denied(error.error(), "events.faults.secret.told");
        assert_eq!(error.outcome(), Outcome::NotDone);
        assert_eq!(error.prepared().event().number, number);
        ledger.failed(error.error());
    }
    assert_eq!(ledger.failures("PermissionDenied"), 50);
    let state = operator.bus.stream_state(STREAM).await.expect("it may");
    assert_eq!(state.messages, 50);
    read_stored(&operator.bus, &ledger).await;
    ledger.close();
}

/// All that a service needs, but what is named.
fn all_but(left_out: &str) -> Permissions {
    let publish = [
        "$JS.API.CONSUMER.INFO.>",
        "$JS.API.STREAM.INFO.FAULTS",
        "$JS.API.CONSUMER.CREATE.>",
        "$JS.API.CONSUMER.MSG.NEXT.>",
        "$JS.ACK.>",
    ];
    let publish: Vec<_> = publish.into_iter().filter(|one| *one != left_out).collect();
    Permissions::none()
        .publish(&publish)
        .subscribe(&["_INBOX.>"])
}

async fn subscribe_without(
    ledger: &Ledger,
    left_out: &str,
) -> (Server, Service, Result<Subscriber<Counted>, Error>) {
    let (server, operator, service) = start(all_but(left_out)).await;
    publish_all(&operator.bus, ledger, 0..10).await;
    let subscription = service.bus.subscribe::<Counted>().durable("worker");
    let subscriber = within("an answer", async { subscription.await }).await;
    // The operator goes last, so that what it does is not disturbed.
    drop(service);
    (server, operator, subscriber)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_may_not_be_looked_at_or_created() {
    for (left_out, subject) in [
        (
            "$JS.API.CONSUMER.INFO.>",
            "$JS.API.CONSUMER.INFO.FAULTS.worker",
        ),
        (
            "$JS.API.CONSUMER.CREATE.>",
            "$JS.API.CONSUMER.CREATE.FAULTS.worker.events.faults.event.counted",
        ),
    ] {
        let ledger = Ledger::new("consumer call denied");
        let (_server, operator, subscriber) = subscribe_without(&ledger, left_out).await;
        let error = subscriber.expect_err("it may not");
        denied(&error, subject);
        assert_eq!(error.stream(), Some(STREAM));
        assert_eq!(error.consumer(), Some("worker"));
        assert_eq!(error.outcome(), Outcome::NotDone);
        ledger.failed(&error);
        read_stored(&operator.bus, &ledger).await;
        ledger.close();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_may_not_be_pulled_from() {
    let ledger = Ledger::new("pull denied");
    let (_server, operator, subscriber) =
        subscribe_without(&ledger, "$JS.API.CONSUMER.MSG.NEXT.>").await;
    let mut subscriber = subscriber.expect("it may subscribe");
    let error = end(&mut subscriber, &ledger).await;
    denied(&error, "$JS.API.CONSUMER.MSG.NEXT.FAULTS.worker");
    assert_eq!(error.stream(), Some(STREAM));
    assert_eq!(error.consumer(), Some("worker"));
    read_stored(&operator.bus, &ledger).await;
    ledger.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_may_not_be_acknowledged() {
    let ledger = Ledger::new("ack denied");
    let (_server, operator, subscriber) = subscribe_without(&ledger, "$JS.ACK.>").await;
    let mut subscriber = subscriber.expect("it may subscribe");
    let delivery = next_delivery(&mut subscriber, &ledger).await;
    let error = within("an answer", delivery.ack_confirmed())
        .await
        .expect_err("it may not");
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(
        error
            .subject()
            .is_some_and(|subject| subject.starts_with("$JS.ACK.FAULTS.worker.")),
        "{error:?}"
    );
    ledger.failed(&error);
    // What has come already may be handed out before it is said.
    let error = rest(&mut subscriber, &ledger).await;
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    assert!(
        error
            .subject()
            .is_some_and(|subject| subject.starts_with("$JS.ACK.FAULTS.worker.")),
        "{error:?}"
    );
    read_stored(&operator.bus, &ledger).await;
    ledger.close();
}

/// The error that ends it.
async fn rest(subscriber: &mut Subscriber<Counted>, ledger: &Ledger) -> Error {
    loop {
        match next(subscriber, ledger).await {
            Some(Ok(delivery)) => delivery.ack().await.expect("it is sent"),
            Some(Err(error)) => {
                assert!(within("the end", subscriber.next()).await.is_none());
                return error;
            }
            None => panic!("it ended and did not say why"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_ack_is_told_while_much_comes() {
    const ALL: u64 = 5000;
    let ledger = Ledger::new("ack denied while much comes");
    let (_server, operator, service) = start(all_but("$JS.ACK.>")).await;
    publish_all(&operator.bus, &ledger, 0..ALL).await;
    let subscription = service.bus.subscribe::<Counted>().durable("worker");
    let subscription = subscription.max_ack_pending(0).prefetch(1000);
    let mut subscriber = within("a subscription", async { subscription.await })
        .await
        .expect("it may subscribe");
    let error = rest(&mut subscriber, &ledger).await;
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    let received = ledger.totals().received;
    assert!(received < ALL / 2, "{received} came before it was said");
    read_stored(&operator.bus, &ledger).await;
    ledger.close();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_inbox_that_may_not_be_listened_to() {
    let ledger = Ledger::new("inbox denied");
    let may = Permissions::none().publish(&[">"]).subscribe(&["mine.>"]);
    let (_server, operator, service) = start(may).await;
    publish_all(&operator.bus, &ledger, 0..10).await;
    let publisher = service.bus.publisher::<Counted>();
    let prepared = publisher.prepare(Counted::new(10));
    let (error, _) = publish_once(&publisher, &ledger, prepared)
        .await
        .expect_err("no answer can come");
    denied(&error, COUNTED);
    assert!(error.to_string().contains("inbox"), "{error}");
    let subscription = service.bus.subscribe::<Counted>().durable("worker");
    let error = within("an answer", async { subscription.await })
        .await
        .expect_err("nothing can come");
    assert_eq!(*error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    ledger.failed(&error);
    read_stored(&operator.bus, &ledger).await;
    ledger.close();
}
