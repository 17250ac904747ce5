//! Answers to pull requests that end them at once, and deliveries that are none.

use std::time::Duration;

use event_sdk::transport::nats::Nats;

use super::fake::{Fake, Reply, Script};
use crate::consumer_support::{config, subscribe};
use crate::support::within;
use event_sdk::transport::{ConsumerName, Transport as _};

#[tokio::test]
async fn requests_that_end_at_once_are_made_with_growing_pauses() {
    for status in [
        "NATS/1.0 408 Request Timeout",
        "NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 1\r\nNats-Pending-Bytes: 0",
        "NATS/1.0 404 No Messages",
        "NATS/1.0 409 Leadership Change",
        "NATS/1.0 409 Server Shutdown\r\nNats-Pending-Messages: 7",
        "NATS/1.0 409 Exceeded MaxWaiting",
        "NATS/1.0 409 Exceeded MaxRequestBatch of 3",
        "NATS/1.0 409 Exceeded MaxRequestExpires of 1s",
        "NATS/1.0 409 Exceeded MaxRequestMaxBytes of 100",
        "NATS/1.0 409 Message Size Exceeds MaxBytes\r\nNats-Pending-Messages: 1\r\nNats-Pending-Bytes: 5",
        "NATS/1.0 409 \u{1b}[31mSomething new",
        "NATS/1.0 503",
    ] {
        let answers = vec![("CONSUMER.MSG.NEXT", Reply::Header(status.to_owned()))];
        let fake = Fake::start(Script {
            answers,
            ..Script::default()
        })
        .await;
        let nats = within(Nats::connect(Nats::options(&fake.url)))
            .await
            .unwrap();
        let config = config(ConsumerName::Durable("d".into()));
        let mut reader = within(subscribe(&nats, &config, 16)).await;
        // It may end with an error, or go on asking.
        let waited = tokio::time::timeout(Duration::from_secs(2), reader.item());
        let _ = waited.await;
        let requests = fake.requests("CONSUMER.MSG.NEXT");
        assert!(
            (1..=40).contains(&requests),
            "{status:?}: {requests} requests"
        );
        assert!(
            fake.connections() <= 3,
            "{status:?}: {} connections",
            fake.connections()
        );
        within(nats.close()).await.unwrap();
    }
}
