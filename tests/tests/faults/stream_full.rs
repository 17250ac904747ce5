//! Fault: the stream is full and refuses new messages.

use std::num::NonZeroU64;

use event_sdk::stream::{Discard, Retention, StreamSpec};
use event_sdk::transport::{ErrorKind, Outcome};
use event_sdk_test_servers::Server;

use crate::events::Counted;
use crate::ledger::{Ledger, Sign};
use crate::rig::{STREAM, Service, connect_with, stream};
use crate::work::{
    next_delivery, publish_all, publish_once, publish_until_stored, read_stored, within,
};

async fn start(stream: StreamSpec) -> (Server, Service) {
    let server = Server::start().await.expect("the server starts");
    let service = connect_with(server.url(), stream, |options| options).await;
    service.apply().await;
    (server, service)
}

/// Publishes until it is full, and then once more; makes room, and goes on.
async fn fills(ledger: &Ledger, small: StreamSpec, large: StreamSpec) {
    let (server, service) = start(small.when_full(Discard::New)).await;
    let publisher = service.bus.publisher::<Counted>();
    let mut stored = 0;
    let mut first = None;
    let mut refused = loop {
        let prepared = publisher.prepare(Counted::new(stored));
        first.get_or_insert_with(|| prepared.clone());
        match publish_once(&publisher, ledger, prepared).await {
            Ok(()) => stored += 1,
            Err((error, again)) => {
                assert_eq!(*error.kind(), ErrorKind::StreamFull, "{error:?}");
                assert_eq!(error.outcome(), Outcome::NotDone);
                assert!(error.to_string().contains("maximum"), "{error}");
                break again;
            }
        }
    };
    assert!((20..200).contains(&stored), "{stored} were stored");
    // What is stored stays what it is, also when it is published again.
    let first = first.expect("there was one");
    publish_once(&publisher, ledger, first)
        .await
        .expect("it is there already");
    for _ in 0..3 {
        (_, refused) = publish_once(&publisher, ledger, refused)
            .await
            .expect_err("it is still full");
    }

    let roomy = connect_with(server.url(), large.when_full(Discard::New), |options| {
        options
    })
    .await;
    roomy.apply().await;
    publish_once(&publisher, ledger, refused)
        .await
        .expect("there is room");
    publish_all(&service.bus, ledger, stored + 1..stored + 100).await;
    read_stored(&service.bus, ledger).await;
    let totals = ledger.close();
    assert_eq!(totals.confirmed, stored + 100);
    assert_eq!(totals.repeated, 0);
    assert_eq!(ledger.failures("StreamFull"), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_of_messages_is_full() {
    let ledger = Ledger::new("stream full of messages");
    fills(
        &ledger,
        stream().max_messages(50),
        stream().max_messages(500),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_of_bytes_is_full() {
    let ledger = Ledger::new("stream full of bytes");
    fills(
        &ledger,
        stream().max_bytes(20_000),
        stream().max_bytes(2_000_000),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_make_room_and_publishers_go_on() {
    const ALL: u64 = 300;
    let ledger = Ledger::new("work queue full, then worked off");
    let queue = stream()
        .max_messages(20)
        .when_full(Discard::New)
        .retention(Retention::WorkQueue);
    let (_server, service) = start(queue).await;
    let publisher = service.bus.publisher::<Counted>();
    let publishing = async {
        for number in 0..ALL {
            let prepared = publisher.prepare(Counted::new(number));
            publish_until_stored(&publisher, &ledger, prepared).await;
        }
    };
    let working = async {
        // Nobody works before it is full.
        crate::work::eventually("a full queue", async || {
            (ledger.failures("StreamFull") > 0).then_some(())
        })
        .await;
        ledger.server_is_down();
        ledger.server_is_back();
        let mut worker = service
            .bus
            .subscribe::<Counted>()
            .durable("worker")
            .prefetch(5)
            .await
            .expect("it subscribes");
        for _ in 0..ALL {
            let delivery = next_delivery(&mut worker, &ledger).await;
            within("the ack", delivery.ack_confirmed())
                .await
                .expect("it is acknowledged");
        }
        ledger
            .goes_on(&[Sign::Confirmed, Sign::Received], 100)
            .await;
    };
    within("all to be worked off", async {
        tokio::join!(publishing, working)
    })
    .await;
    let totals = ledger.close();
    assert_eq!((totals.confirmed, totals.received), (ALL, ALL));
    assert_eq!(totals.repeated, 0);
    let state = service.bus.stream_state(STREAM).await.expect("it answers");
    assert_eq!(state.messages, 0);
    assert_eq!(state.config.limits.messages, NonZeroU64::new(20));
}
