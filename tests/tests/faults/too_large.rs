//! Fault: events larger than the server's limit.

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::{ConnectionState, Nats};
use event_sdk::transport::{ErrorKind, Outcome};
use event_sdk::{BusBuilder, Error, EventBus, Publisher};
use event_sdk_test_servers::Server;

use crate::events::Counted;
use crate::ledger::Ledger;
use crate::rig::{How, restart, start_with};
use crate::work::{publish_once, read_stored};

const LIMIT: usize = 4096;

/// Publishes an event of about this size; the error of one that was refused.
async fn publish(
    publisher: &Publisher<Counted>,
    ledger: &Ledger,
    number: u64,
    bytes: usize,
) -> Result<(), Error> {
    let prepared = publisher.prepare(Counted::of_size(number, bytes));
    let id = prepared.id();
    let result = publish_once(publisher, ledger, prepared).await;
    result.map_err(|(error, again)| {
        assert_eq!(error.outcome(), Outcome::NotDone, "{error:?}");
        assert_eq!(again.id(), id);
        assert_eq!(again.event().padding.len(), bytes);
        error
    })
}

/// The size and the limit that an error says, also in its text.
fn numbers(error: &Error) -> (usize, usize) {
    let ErrorKind::TooLarge { size, limit } = *error.kind() else {
        panic!("{error:?}");
    };
    let text = error.to_string();
    assert!(text.contains(&size.to_string()), "{text}");
    assert!(text.contains(&limit.to_string()), "{text}");
    (size, limit)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_refused_with_both_numbers_and_the_next_is_published() {
    let ledger = Ledger::new("payload above the maximum");
    let (_server, service) = start_with(Server::options().max_payload(LIMIT)).await;
    let mut watch = service.nats.connection();
    let publisher = service.bus.publisher::<Counted>();
    // Around the limit, byte by byte: what is said to fit has to fit.
    let mut first = None;
    for (number, bytes) in (0..).zip(LIMIT - 500..LIMIT + 50) {
        match publish(&publisher, &ledger, number, bytes).await {
            Ok(()) => assert!(first.is_none(), "{bytes} fit and fewer did not"),
            Err(error) => {
                let (size, limit) = numbers(&error);
                assert!(size > limit, "{error}");
                assert_eq!(limit, LIMIT);
                first.get_or_insert(size);
            }
        }
    }
    assert_eq!(first, Some(LIMIT + 1), "the first that does not fit");
    let error = publish(&publisher, &ledger, 1000, 1 << 20).await;
    assert!(numbers(&error.expect_err("it is too large")).0 > 1 << 20);
    publish(&publisher, &ledger, 1001, 0)
        .await
        .expect("it is small");
    // A server ends the connection of who sends more than it takes.
    let changed = futures_util::future::poll_immediate(watch.changed()).await;
    assert_eq!(changed, None, "the connection was lost");
    assert_eq!(watch.current(), ConnectionState::Connected);

    read_stored(&service.bus, &ledger).await;
    let totals = ledger.close();
    assert_eq!(totals.received, totals.confirmed);
    assert!(totals.confirmed > 100 && totals.confirmed < totals.published);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_maximum_that_changes_holds_for_publishers_that_are_there() {
    let ledger = Ledger::new("another maximum after a restart");
    let (mut server, service) = start_with(Server::options().max_payload(LIMIT)).await;
    let publisher = service.bus.publisher::<Counted>();
    let file = server.folder().join("server.conf");
    let text = std::fs::read_to_string(&file).expect("the configuration");
    let setting = format!("max_payload: {LIMIT}");
    assert!(text.contains(&setting), "{text}");

    let mut watch = service.nats.connection();
    for (number, limit) in (0..).zip([2 * LIMIT, LIMIT / 2, LIMIT]) {
        let text = text.replace(&setting, &format!("max_payload: {limit}"));
        std::fs::write(&file, text).expect("it is written");
        restart(&mut server, &ledger, How::Stopped).await;
        crate::work::eventually("the limit of the new connection", async || {
            let connected = watch.connected().await;
            let known = service.bus.transport().capabilities().max_payload();
            (connected && known == limit).then_some(())
        })
        .await;
        publish(&publisher, &ledger, 2 * number, limit - 500)
            .await
            .expect("it fits now");
        let error = publish(&publisher, &ledger, 2 * number + 1, limit)
            .await
            .expect_err("it is too large now");
        assert_eq!(numbers(&error).1, limit);
    }
    read_stored(&service.bus, &ledger).await;
    assert_eq!(ledger.close().confirmed, 3);
}

/// A server may take more than a bus does by default: what a bus publishes, it also reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nine_mebibytes_are_published_where_they_are_read() {
    const NINE: usize = 9 << 20;
    let server = Server::options().max_payload(16 << 20).start();
    let server = server.await.expect("the server starts");
    let connect = async |builder: BusBuilder| {
        let nats = Nats::connect(Nats::options(server.url())).await;
        let builder = builder.stream(StreamSpec::new("FAULTS").subject("faults.>"));
        let bus = builder.transport(nats.expect("a connection"));
        bus.expect("a bus")
    };
    let small = connect(EventBus::builder()).await;
    let large = connect(EventBus::builder().max_payload(16 << 20)).await;
    large.apply_streams().await.expect("the stream");

    let publisher = small.publisher();
    let error = publisher.publish(Counted::of_size(1, NINE)).await;
    let error = error.expect_err("it is too large for the bus").into_error();
    assert_eq!(error.outcome(), Outcome::NotDone);
    let (size, limit) = numbers(&error);
    assert!(size > NINE && limit == BusBuilder::DEFAULT_MAX_PAYLOAD);

    let event = Counted::of_size(2, NINE);
    let stored = large.publisher().publish(event.clone()).await;
    assert_eq!(stored.expect("it fits").sequence(), Some(1));
    let subscription = large.subscribe::<Counted>().durable("d").await;
    let next = subscription.expect("a subscription").next().await;
    let delivery = next.expect("it goes on").expect("a delivery");
    assert!(delivery.decode().expect("it is read") == event);
    delivery.ack_confirmed().await.expect("it is acknowledged");
    let history = large.history::<Counted>().await;
    let stored = history.expect("history").next().await;
    let stored = stored.expect("one event").expect("it is read");
    assert!(stored.decode().expect("it is read") == event);
}
