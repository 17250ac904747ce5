//! Fault: the server disconnects a service as a slow consumer.

use std::time::Duration;

use bytes::Bytes;
use event_sdk::transport::nats::NatsOptions;
use event_sdk::transport::{AckPolicy, DeliverPolicy};
use event_sdk::{EventBus, Subscriber};
use event_sdk_test_servers::Server;

use crate::events::{Counted, Told};
use crate::ledger::{Ledger, Sign};
use crate::rig::{Service, all_settled, connect, connect_with, stream};
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
    let slow = Slow::start(|options| options).await;
    let subscription = slow
        .service
        .bus
        .subscribe::<Counted>()
        .durable("worker")
        .ack_wait(Duration::from_secs(3))
        .prefetch(20);
    let mut subscriber = subscription.await.expect("it subscribes");
    let core = EventBus::builder().prefix("noise").source("faults");
    let core = core
        .transport(slow.service.nats.core())
        .expect("the bus is right");
    let _deaf = core
        .subscribe::<Told>()
        .ack_policy(AckPolicy::None)
        .deliver(DeliverPolicy::New)
        .await
        .expect("it subscribes");
    let traffic = Traffic::new();
    slow.begin(&mut subscriber, &ledger, &traffic).await;

    let working = Box::pin(async {
        // It is there, and of no use to the service.
        ledger.server_is_down();
        slow.wire.choke();
        publish_all(&slow.publishing.bus, &ledger, traffic.numbers(200)).await;
        let noise = async_nats::connect(slow.server.url())
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
            slow.server.log().contains("Slow Consumer").then_some(())
        })
        .await;
        slow.wire.release();
        ledger.server_is_back();
        ledger.goes_on(&[Sign::Received], 100).await;
        publish_all(&slow.publishing.bus, &ledger, traffic.numbers(20)).await;
    });
    slow.receive_beside(&mut subscriber, &ledger, working).await;
    let totals = ledger.close();
    assert_eq!(totals.received, totals.published);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_for_within_the_limit_of_the_server_does_not_make_a_slow_consumer() {
    let ledger = Ledger::new("slow wire, large events ahead");
    let slow = Slow::start(|options| options.max_pull_bytes(300_000)).await;
    // Thirty times what the server holds for the connection.
    let subscription = slow.service.bus.subscribe::<Counted>().durable("worker");
    let mut subscriber = subscription.prefetch(300).await.expect("it subscribes");
    let traffic = Traffic::new();
    slow.begin(&mut subscriber, &ledger, &traffic).await;

    let working = Box::pin(async {
        ledger.server_is_down();
        slow.wire.choke();
        let publisher = slow.publishing.bus.publisher::<Counted>();
        for number in traffic.numbers(300) {
            let prepared = publisher.prepare(Counted::of_size(number, SIZE));
            publish_until_stored(&publisher, &ledger, prepared).await;
        }
        slow.wire.release();
        ledger.server_is_back();
        ledger.goes_on(&[Sign::Received], 100).await;
    });
    slow.receive_beside(&mut subscriber, &ledger, working).await;
    let totals = ledger.close();
    assert_eq!(totals.received, totals.published);
    assert_eq!(totals.repeated, 0, "the connection was not ended");
    assert!(!slow.server.log().contains("Slow Consumer"));
}

/// A server that does not hold much for a connection, a service behind a wire that can be
/// choked, and another one that publishes.
struct Slow {
    server: Server,
    publishing: Service,
    wire: Wire,
    service: Service,
}

impl Slow {
    async fn start(options: impl FnOnce(NatsOptions) -> NatsOptions) -> Self {
        let config = format!("max_pending: {MAX_PENDING}");
        let server = Server::options().config(&config).start().await;
        let server = server.expect("the server starts");
        let publishing = connect(server.url()).await;
        publishing.apply().await;
        let wire = Wire::to(&server).await;
        let behind = |given: NatsOptions| options(given.only_given_servers());
        let service = connect_with(wire.url(), stream(), behind).await;
        Self {
            server,
            publishing,
            wire,
            service,
        }
    }

    /// One event goes all the way.
    async fn begin(
        &self,
        subscriber: &mut Subscriber<Counted>,
        ledger: &Ledger,
        traffic: &Traffic,
    ) {
        publish_all(&self.publishing.bus, ledger, traffic.numbers(1)).await;
        let first = next_delivery(subscriber, ledger).await;
        within("an ack", first.ack()).await.expect("it is sent");
    }

    /// Receives while `working`, and after that until all is settled.
    async fn receive_beside(
        &self,
        subscriber: &mut Subscriber<Counted>,
        ledger: &Ledger,
        working: impl Future<Output = ()>,
    ) {
        let idle = Traffic::new();
        let working = async {
            working.await;
            all_settled(&self.server, "worker").await;
            idle.end();
        };
        within("all to be received", async {
            tokio::join!(
                Box::pin(receive_until(subscriber, ledger, idle.ended())),
                Box::pin(working)
            )
        })
        .await;
    }
}
