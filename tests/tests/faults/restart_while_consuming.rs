//! Fault: the server is stopped or killed while services consume.

use std::time::Duration;

use event_sdk::Subscriber;

use crate::events::Counted;
use crate::ledger::{Ledger, Sign};
use crate::rig::{How, Service, all_settled, connect, restart, start};
use crate::work::{
    Traffic, acknowledge, next_delivery, number, publish_all, receive_until, within,
};

async fn subscribe(service: &Service, prefetch: usize) -> Subscriber<Counted> {
    let subscription = service
        .bus
        .subscribe::<Counted>()
        .durable("worker")
        .ack_wait(Duration::from_secs(2))
        .prefetch(prefetch);
    within("a subscription", async { subscription.await })
        .await
        .expect("it subscribes")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_acknowledged_comes_again() {
    let ledger = Ledger::new("server restarted while consuming");
    let (mut server, service) = start().await;
    let (another, publishing) = (connect(server.url()).await, connect(server.url()).await);
    // Two services share the work of one durable consumer.
    let (mut one, mut two) = (subscribe(&service, 50).await, subscribe(&another, 50).await);

    let (traffic, idle) = (Traffic::new(), Traffic::new());
    let working = async {
        let faults = async {
            for how in [How::Stopped, How::Killed, How::Killed] {
                restart(&mut server, &ledger, how).await;
                ledger
                    .goes_on(&[Sign::Confirmed, Sign::Received], 200)
                    .await;
            }
            traffic.end();
        };
        tokio::join!(
            traffic.publish_batches(&publishing.bus, &ledger, 20),
            faults
        );
        all_settled(&server, "worker").await;
        idle.end();
    };
    within("all to be received", async {
        tokio::join!(
            receive_until(&mut one, &ledger, idle.ended()),
            receive_until(&mut two, &ledger, idle.ended()),
            working,
        )
    })
    .await;
    let totals = ledger.close();
    assert_eq!(totals.received, totals.published);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_to_be_acknowledged_does_not_come_again() {
    let ledger = Ledger::new("restarted after confirmed acks");
    let (mut server, service) = start().await;
    let mut subscriber = subscribe(&service, 10).await;
    for round in 0..4 {
        let numbers = round * 100..(round + 1) * 100;
        publish_all(&service.bus, &ledger, numbers.clone()).await;
        for _ in numbers.clone() {
            let delivery = next_delivery(&mut subscriber, &ledger).await;
            assert!(numbers.contains(&number(&delivery)), "{delivery:?}");
            acknowledge(&delivery, &ledger).await;
        }
        restart(&mut server, &ledger, How::Stopped).await;
    }
    let totals = ledger.close();
    assert_eq!((totals.received, totals.repeated), (400, 0));
}
