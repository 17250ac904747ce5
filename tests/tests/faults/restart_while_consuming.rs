//! The server is stopped, and killed, while services receive and acknowledge.

use std::time::Duration;

use event_sdk::Subscriber;

use crate::events::Counted;
use crate::ledger::{Ledger, Sign, Totals};
use crate::rig::{How, Service, all_settled, connect, restart, start};
use crate::work::{Ack, Traffic, receive_until, within};

/// Two services share the work of one durable consumer, a third publishes, and
/// the server ends three times.
async fn consume(ledger: &Ledger, prefetch: usize, ack: Ack, ends: [How; 3]) -> Totals {
    let (mut server, service) = start().await;
    let (another, publishing) = (connect(server.url()).await, connect(server.url()).await);
    let mut one = subscribe(&service, prefetch).await;
    let mut two = subscribe(&another, prefetch).await;

    let (traffic, idle) = (Traffic::new(), Traffic::new());
    let working = async {
        let faults = async {
            for how in ends {
                restart(&mut server, ledger, how).await;
                ledger
                    .goes_on(&[Sign::Confirmed, Sign::Received], 200)
                    .await;
            }
            traffic.end();
        };
        tokio::join!(traffic.publish_batches(&publishing.bus, ledger, 20), faults);
        all_settled(&server, "worker").await;
        idle.end();
    };
    within("all to be received", async {
        tokio::join!(
            receive_until(&mut one, ledger, ack, idle.ended()),
            receive_until(&mut two, ledger, ack, idle.ended()),
            working,
        )
    })
    .await;
    let totals = ledger.close();
    assert_eq!(totals.received, totals.published);
    totals
}

async fn subscribe(service: &Service, prefetch: usize) -> Subscriber<Counted> {
    let subscription = service
        .bus
        .subscribe::<Counted>()
        .durable("worker")
        .ack_wait(Duration::from_secs(3))
        .prefetch(prefetch);
    within("a subscription", async { subscription.await })
        .await
        .expect("it subscribes")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_acknowledged_comes_again() {
    let ledger = Ledger::new("server restarted while consuming");
    let ends = [How::Stopped, How::Killed, How::Killed];
    consume(&ledger, 50, Ack::Sent, ends).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_to_be_acknowledged_does_not_come_again() {
    let ledger = Ledger::new("restarted, with confirmed acks");
    consume(&ledger, 1, Ack::Confirmed, [How::Stopped; 3]).await;
}
