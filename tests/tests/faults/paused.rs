//! Fault: the server is frozen (SIGSTOP) for longer than the ack wait.

use std::time::{Duration, Instant};

use event_sdk::transport::nats::{ConnectionState, NatsOptions};
use event_sdk_test_servers::Server;
use futures_util::future::poll_immediate;

use crate::events::Counted;
use crate::ledger::{Ledger, Sign};
use crate::rig::{STREAM, all_settled, connect_with, stream};
use crate::work::{Traffic, eventually, next_delivery, publish_all, receive_until, within};

const ACK_WAIT: Duration = Duration::from_secs(1);

/// Two of these without an answer, and the connection is given up.
const PING: Duration = Duration::from_millis(300);

/// How long the server is frozen at least.
const FROZEN: Duration = Duration::from_secs(3);

/// Whether the connection was given up meanwhile.
async fn freeze(ledger: &Ledger, options: fn(NatsOptions) -> NatsOptions) -> bool {
    let mut server = Server::start().await.expect("the server starts");
    let service = connect_with(server.url(), stream(), options).await;
    service.apply().await;
    let subscription = service
        .bus
        .subscribe::<Counted>()
        .durable("worker")
        .ack_wait(ACK_WAIT)
        .prefetch(10);
    let mut subscriber = subscription.await.expect("it subscribes");

    let (traffic, idle) = (Traffic::new(), Traffic::new());
    publish_all(&service.bus, ledger, traffic.numbers(20)).await;
    let mut in_hand = Vec::new();
    for _ in 0..5 {
        in_hand.push(next_delivery(&mut subscriber, ledger).await);
    }
    // Two handlers give up without a word: what they had comes again.
    drop(in_hand.split_off(3));
    let mut watch = service.nats.connection();
    let working = async {
        let faults = async {
            ledger.server_is_down();
            server.pause().expect("it is frozen");
            let since = Instant::now();
            // Some handlers finish meanwhile: their acks are on their way for a while.
            for delivery in &in_hand {
                within("an ack", delivery.ack()).await.expect("it is sent");
            }
            eventually("failures, and the ack wait to be over", async || {
                (ledger.failures("Timeout") > 0 && since.elapsed() >= FROZEN).then_some(())
            })
            .await;
            server.resume().expect("it goes on");
            ledger.server_is_back();
            ledger
                .goes_on(&[Sign::Confirmed, Sign::Received], 100)
                .await;
            traffic.end();
        };
        tokio::join!(
            traffic.publish(&service.bus, ledger),
            traffic.publish_batches(&service.bus, ledger, 20),
            faults,
        );
        all_settled(&server, "worker").await;
        idle.end();
    };
    let receiving = receive_until(&mut subscriber, ledger, idle.ended());
    within("all to be received", async {
        tokio::join!(receiving, working)
    })
    .await;

    let totals = ledger.close();
    assert_eq!(totals.received, totals.published);
    let state = service.bus.stream_state(STREAM).await.expect("it answers");
    assert_eq!(
        state.messages, totals.published,
        "an event was stored twice"
    );
    assert!(
        totals.repeated >= 2,
        "what was not acknowledged comes again"
    );
    assert_eq!(watch.current(), ConnectionState::Connected);
    poll_immediate(watch.changed()).await.is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connection_lasts_and_everything_goes_on() {
    let ledger = Ledger::new("server frozen past the ack wait");
    let given_up = freeze(&ledger, |options| options).await;
    assert!(!given_up, "it was to last");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connection_is_given_up_and_made_anew() {
    let ledger = Ledger::new("server frozen past its pings");
    let given_up = freeze(&ledger, |options| options.ping_interval(PING)).await;
    assert!(given_up, "it was to be given up");
}
