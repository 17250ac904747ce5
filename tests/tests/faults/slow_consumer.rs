//! A service takes nothing from its connection for so long that the server ends it
//! as a slow consumer.

use std::time::Duration;

use bytes::Bytes;
use event_sdk::EventBus;
use event_sdk::transport::nats::NatsOptions;
use event_sdk::transport::{AckPolicy, DeliverPolicy};
use event_sdk_test_servers::Server;

use crate::events::{Counted, Told};
use crate::ledger::{Ledger, Sign};
use crate::rig::{all_settled, connect, connect_with, stream};
use crate::wire::Wire;
use crate::work::{
    Traffic, eventually, next_delivery, publish_all, publish_until_stored, receive_until, within,
};

/// How much the server keeps for a connection that does not take it.
const MAX_PENDING: usize = 1 << 20;

/// What fills the connection: nobody waits for it, and it is sent until the server has
/// had enough.
const NOISE: &str = "noise.faults.secret.told";
const SIZE: usize = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_could_not_deliver_comes_again() {
    let ledger = Ledger::new("slow consumer, ended by the server");
    let config = format!("max_pending: {MAX_PENDING}");
    let server = Server::options().config(&config).start().await;
    let server = server.expect("the server starts");
    let publishing = connect(server.url()).await;
    publishing.apply().await;
    let wire = Wire::to(&server).await;
    let service = connect_with(wire.url(), stream(), NatsOptions::only_given_servers).await;
    let subscription = service
        .bus
        .subscribe::<Counted>()
        .durable("worker")
        .ack_wait(Duration::from_secs(3))
        .prefetch(20);
    let mut subscriber = subscription.await.expect("it subscribes");
    let core = EventBus::builder().prefix("noise").source("faults");
    let core = core
        .transport(service.nats.core())
        .expect("the bus is right");
    let _deaf = core
        .subscribe::<Told>()
        .ack_policy(AckPolicy::None)
        .deliver(DeliverPolicy::New)
        .await
        .expect("it subscribes");
    let (traffic, idle) = (Traffic::new(), Traffic::new());
    publish_all(&publishing.bus, &ledger, traffic.numbers(1)).await;
    let first = next_delivery(&mut subscriber, &ledger).await;
    within("an ack", first.ack()).await.expect("it is sent");

    let working = async {
        // It is there, and of no use to the service.
        ledger.server_is_down();
        wire.choke();
        publish_all(&publishing.bus, &ledger, traffic.numbers(200)).await;
        let noise = async_nats::connect(server.url())
            .await
            .expect("it connects");
        let much = Bytes::from(vec![b'x'; SIZE]);
        eventually("the server to end the connection", async || {
            for _ in 0..50 {
                noise
                    .publish(NOISE, much.clone())
                    .await
                    .expect("it is sent");
            }
            noise.flush().await.expect("others are not slowed");
            server.log().contains("Slow Consumer").then_some(())
        })
        .await;
        wire.release();
        ledger.server_is_back();
        ledger.goes_on(&[Sign::Received], 100).await;
        publish_all(&publishing.bus, &ledger, traffic.numbers(20)).await;
        all_settled(&server, "worker").await;
        idle.end();
    };
    within("all to be received", async {
        tokio::join!(
            Box::pin(receive_until(&mut subscriber, &ledger, idle.ended())),
            Box::pin(working)
        )
    })
    .await;
    let totals = ledger.close();
    assert_eq!(totals.received, totals.published);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_within_the_limit_of_the_server_does_not_make_a_slow_consumer() {
    let ledger = Ledger::new("slow wire, large events ahead");
    let config = format!("max_pending: {MAX_PENDING}");
    let server = Server::options().config(&config).start().await;
    let server = server.expect("the server starts");
    let publishing = connect(server.url()).await;
    publishing.apply().await;
    let wire = Wire::to(&server).await;
    let service = connect_with(wire.url(), stream(), |options| {
        options.only_given_servers().max_pull_bytes(300_000)
    })
    .await;
    // Thirty times what the server holds for the connection.
    let subscription = service.bus.subscribe::<Counted>().durable("worker");
    let mut subscriber = subscription.prefetch(300).await.expect("it subscribes");
    let (traffic, idle) = (Traffic::new(), Traffic::new());
    publish_all(&publishing.bus, &ledger, traffic.numbers(1)).await;
    let first = next_delivery(&mut subscriber, &ledger).await;
    within("an ack", first.ack()).await.expect("it is sent");

    let working = async {
        ledger.server_is_down();
        wire.choke();
        let publisher = publishing.bus.publisher::<Counted>();
        for number in traffic.numbers(300) {
            let prepared = publisher.prepare(Counted::of_size(number, SIZE));
            publish_until_stored(&publisher, &ledger, prepared).await;
        }
        wire.release();
        ledger.server_is_back();
        ledger.goes_on(&[Sign::Received], 100).await;
        all_settled(&server, "worker").await;
        idle.end();
    };
    within("all to be received", async {
        tokio::join!(
            Box::pin(receive_until(&mut subscriber, &ledger, idle.ended())),
            Box::pin(working)
        )
    })
    .await;
    let totals = ledger.close();
    assert_eq!(totals.received, totals.published);
    assert_eq!(totals.repeated, 0, "the connection was not ended");
    assert!(!server.log().contains("Slow Consumer"));
}
