//! Fault: credentials expire while a service runs, and are renewed in place.

use std::fs;
use std::time::Duration;

use event_sdk::transport::nats::{ConnectionState, DisconnectReason};
use event_sdk::transport::{ErrorKind, Outcome};
use event_sdk_test_servers::{Operator, Server};

use crate::events::Counted;
use crate::ledger::{Ledger, Sign};
use crate::rig::{all_settled, connect_with, stream};
use crate::work::{Traffic, eventually, publish_all, publish_once, receive_until, within};

/// How long the first credentials last.
const LIFE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_meanwhile_goes_on_with_new_ones() {
    let ledger = Ledger::new("credentials expired");
    let operator = Operator::new().expect("there are keys");
    let server = Server::options().operator(&operator).start().await;
    let server = server.expect("the server starts");
    let lasting = operator.credentials("operator").text().expect("signed");
    let owner = connect_with(server.url(), stream(), |options| {
        options.credentials(lasting.as_str())
    })
    .await;
    owner.apply().await;

    let path = server.folder().join("service.creds");
    let short = operator.credentials("service").expires_in(LIFE).text();
    fs::write(&path, short.expect("signed")).expect("it is written");
    let service = connect_with(server.url(), stream(), |options| {
        options.credentials_file(&path)
    })
    .await;
    let mut watch = service.nats.connection();
    let subscription = service
        .bus
        .subscribe::<Counted>()
        .durable("worker")
        .ack_wait(Duration::from_secs(2))
        .prefetch(10);
    let mut subscriber = subscription.await.expect("it subscribes");
    let (traffic, idle) = (Traffic::new(), Traffic::new());

    let working = async {
        let until_expired = async {
            let expired = ConnectionState::Disconnected {
                reason: DisconnectReason::Unauthenticated,
            };
            while watch.changed().await != expired {}
            ledger.server_is_down();
            traffic.end();
        };
        let publishing = async {
            // One after the other, until one is refused because of who it is from.
            let publisher = service.bus.publisher::<Counted>();
            loop {
                let number = traffic.numbers(1).start;
                let mut prepared = publisher.prepare(Counted::new(number));
                while let Err((error, again)) = publish_once(&publisher, &ledger, prepared).await {
                    prepared = again;
                    if *error.kind() == ErrorKind::Unauthenticated {
                        assert!(error.to_string().contains("credentials"), "{error}");
                        assert_eq!(error.outcome(), Outcome::NotDone, "{error:?}");
                        return prepared;
                    }
                    // What was on its way when the connection ended.
                    assert!(error.is_transient(), "{error:?}");
                }
            }
        };
        let (refused, ()) = tokio::join!(publishing, until_expired);
        assert_eq!(ledger.failures("Unauthenticated"), 1);

        // Renewed in place, they are read at the next attempt.
        let renewed = operator.credentials("service").text().expect("signed");
        fs::write(&path, renewed).expect("it is written");
        ledger.server_is_back();
        let publisher = service.bus.publisher::<Counted>();
        let mut refused = Some(refused);
        eventually(
            "the refused event to be stored",
            async || match publish_once(&publisher, &ledger, refused.take()?).await {
                Ok(()) => Some(()),
                Err((_, again)) => {
                    refused = Some(again);
                    None
                }
            },
        )
        .await;
        publish_all(&service.bus, &ledger, traffic.numbers(200)).await;
        ledger
            .goes_on(&[Sign::Confirmed, Sign::Received], 200)
            .await;
        all_settled(&server, "worker").await;
        idle.end();
    };
    within("all to be received", async {
        tokio::join!(
            receive_until(&mut subscriber, &ledger, idle.ended()),
            working
        )
    })
    .await;
    let totals = ledger.close();
    assert_eq!(totals.received, totals.published);
    assert_eq!(watch.current(), ConnectionState::Connected);
}
