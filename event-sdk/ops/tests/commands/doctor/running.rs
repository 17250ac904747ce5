//! Durables from which nothing arrives, or whose handlers do not do their work.

use std::time::Duration;

use event_sdk::transport::DeliverPolicy;
use event_sdk_ops::Operations;
use event_sdk_test_servers::Server;
use event_sdk_topology::{DurableSpec, Topology};
use serde_json::json;

use super::Diagnosis;
use super::shop::{SHOP, Shop};

const PLACED: &str = "events.orders.order.placed";

#[tokio::test]
async fn a_durable_that_no_process_asks_is_named() {
    let shop = Shop::start().await;
    shop.publish(PLACED, 3).await;
    let found = shop.diagnose().await;
    found.names(
        "consumer-unattended",
        "durable billing",
        "3 events to deliver, and no process",
    );
    assert_eq!(found.codes(), ["consumer-unattended"], "{found:#?}");
}

#[tokio::test]
async fn a_durable_whose_process_is_at_work_or_that_is_paused_is_not_unattended() {
    let shop = Shop::start().await;
    shop.publish(PLACED, 3).await;
    // A handler has one event, and its process asks for no more meanwhile.
    let next = "CONSUMER.MSG.NEXT.ORDERS.billing";
    shop.call(next, &json!({ "batch": 1 })).await;
    assert_eq!(shop.diagnose().await.codes(), [""; 0]);

    let shop = Shop::start().await;
    shop.publish(PLACED, 3).await;
    let until = jiff::Timestamp::now() + Duration::from_secs(3_600);
    let pause = json!({ "pause_until": until });
    shop.call("CONSUMER.PAUSE.ORDERS.billing", &pause).await;
    assert_eq!(shop.diagnose().await.codes(), ["consumer-paused"]);
}

#[tokio::test]
async fn a_durable_that_lags_is_named() {
    let shop = Shop::start().await;
    shop.publish(PLACED, 1_001).await;
    shop.diagnose()
        .await
        .names("consumer-lag", "durable billing", "1001 events");
}

#[tokio::test]
async fn deliveries_that_nobody_settles_are_named() {
    const ONE: Topology = SHOP.consumers(
        const { &[DurableSpec::matching("billing", "ORDERS", "orders.>").max_ack_pending(1)] },
    );
    let shop = Shop::empty(Server::options()).await;
    ONE.apply(&shop.bus).await.unwrap();
    shop.publish(PLACED, 2).await;
    let mut billing = shop
        .bus
        .raw()
        .subscribe(event_sdk::subject!("orders.>"))
        .durable("billing")
        .max_ack_pending(1)
        .await
        .unwrap();
    let _held = billing.next().await.unwrap().unwrap();
    let operations = Operations::new("shop").topology(ONE).bus(shop.bus.clone());
    let found = Diagnosis::of(&operations, "").await;
    found.names(
        "ack-pending-full",
        "durable billing",
        "1 deliveries that are not settled",
    );
}

#[tokio::test]
async fn deliveries_that_fail_again_and_again_are_named() {
    let shop = Shop::start().await;
    shop.publish(PLACED, 1).await;
    let mut billing = shop
        .bus
        .raw()
        .subscribe(event_sdk::subject!("orders.>"))
        .durable("billing")
        .deliver(DeliverPolicy::All)
        .await
        .unwrap();
    let first = billing.next().await.unwrap().unwrap();
    first.nak(Duration::ZERO).await.unwrap();
    let _again = billing.next().await.unwrap().unwrap();
    let found = shop.diagnose().await;
    found.names(
        "consumer-redelivers",
        "durable billing",
        "1 events that were delivered again",
    );
}

#[tokio::test]
async fn a_durable_that_the_server_gives_up_is_named() {
    let shop = Shop::start().await;
    let mut config = shop.call("CONSUMER.INFO.ORDERS.billing", &json!({})).await["config"].take();
    config["max_deliver"] = 5.into();
    let request = json!({ "stream_name": "ORDERS", "config": config, "action": "update" });
    shop.call("CONSUMER.CREATE.ORDERS.billing", &request).await;
    let found = shop.diagnose().await;
    found.names("finite-max-deliver", "durable billing", "`max_deliver` 5");
    found.names("consumer-drift", "billing", "");
}

#[tokio::test]
async fn a_push_consumer_is_named() {
    const STREAMS: Topology = SHOP.consumers(&[]);
    let shop = Shop::empty(Server::options()).await;
    STREAMS.apply(&shop.bus).await.unwrap();
    let push = json!({
        "durable_name": "billing", "filter_subject": "events.orders.>", "ack_policy": "explicit",
        "deliver_subject": "billing.events"
    });
    let request = json!({ "stream_name": "ORDERS", "config": push });
    shop.call("CONSUMER.DURABLE.CREATE.ORDERS.billing", &request)
        .await;
    shop.diagnose()
        .await
        .names("consumer-foreign", "durable billing", "");
}

#[tokio::test]
async fn a_filter_of_three_tokens_is_named_with_a_subject_of_four() {
    const CLEARING: Topology =
        SHOP.consumers(const { &[DurableSpec::matching("clearing", "ORDERS", "orders.*")] });
    let shop = Shop::empty(Server::options()).await;
    CLEARING.apply(&shop.bus).await.unwrap();
    shop.publish(PLACED, 1).await;
    let operations = Operations::new("shop")
        .topology(CLEARING)
        .bus(shop.bus.clone());
    let found = Diagnosis::of(&operations, "").await;
    found.names(
        "filter-matches-nothing",
        "filter events.orders.* of durable clearing on stream ORDERS",
        "it has 3 tokens, and the stream has subjects of 4, such as `events.orders.order.placed`",
    );
}

/// The event of a subject of three tokens, which was never published.
#[derive(Debug, event_sdk::Event, serde::Serialize, serde::Deserialize)]
#[event(subject = "orders.closed", type = "orders.closed")]
struct OrdersClosed {}

#[tokio::test]
async fn filters_of_events_that_are_rare_are_only_unused() {
    const EXACT: Topology =
        SHOP.consumers(const { &[DurableSpec::matching("closing", "ORDERS", "orders.closed")] });
    const WILD: Topology =
        SHOP.consumers(const { &[DurableSpec::matching("closing", "ORDERS", "orders.*")] });
    for topology in [EXACT, WILD] {
        let shop = Shop::empty(Server::options()).await;
        topology.apply(&shop.bus).await.unwrap();
        shop.publish(PLACED, 1).await;
        let operations = Operations::new("shop").topology(topology);
        let operations = operations.events::<OrdersClosed>().bus(shop.bus.clone());
        let found = Diagnosis::of(&operations, "").await;
        assert_eq!(found.codes(), [""; 0], "{found:#?}");
        found.notes("filter-unused", "filter events.orders.", "");
    }
}
