//! `schedule`: what waits for its time, on memory, on a server, and on one that cannot schedule.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::time::SteppedClock;
use event_sdk::transport::nats::Nats;
use event_sdk::{Event, EventBus};
use event_sdk_ops::Operations;
use event_sdk_test_servers::Server;
use event_sdk_test_servers::programs::nats::oldest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::program::{on_terminal, piped};
use crate::snapshot::snapshot;

/// The time to pay an order is over.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderExpired {
    #[event(key)]
    order: u64,
}

const ORDERS: StreamSpec = StreamSpec::constant("ORDERS", &["orders.>"])
    .replicas(1)
    .schedules();
/// A stream that does not allow schedules.
const CRM: StreamSpec = StreamSpec::constant("CRM", &["crm.>"]).replicas(1);

fn on_memory() -> EventBus {
    let start = "2026-05-01T08:00:00Z".parse().unwrap();
    let clock = Arc::new(SteppedClock::starting_at(start));
    let bus = EventBus::builder().clock(clock).stream(ORDERS).stream(CRM);
    bus.memory().unwrap()
}

async fn on_server() -> (Server, EventBus) {
    let server = Server::start().await.unwrap();
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let bus = EventBus::builder().stream(ORDERS).stream(CRM);
    let bus = bus.transport(nats).unwrap();
    bus.apply_streams().await.unwrap();
    (server, bus)
}

/// Schedules two orders, and returns the program.
async fn shop(bus: &EventBus) -> Operations {
    let expired = bus.publisher::<OrderExpired>();
    for (order, minutes) in [(7, 90), (8, 15)] {
        let after = Duration::from_secs(minutes * 60);
        expired
            .publish_after(OrderExpired { order }, after)
            .await
            .unwrap();
    }
    Operations::new("shop").bus(bus.clone())
}

async fn ran(shop: &Operations, code: u8, command: &str) -> Value {
    let ran = piped(shop, &format!("{command} --json")).await;
    assert_eq!(ran.code, code, "{command}: {ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

async fn keys(shop: &Operations, command: &str) -> Vec<String> {
    let listed = ran(shop, 0, command).await;
    let listed = listed.as_array().unwrap().iter();
    listed
        .map(|row| row["key"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn on_memory_what_waits_is_listed_and_cancelled() {
    workflow(&shop(&on_memory()).await).await;
}

#[tokio::test]
async fn on_a_server_what_waits_is_listed_and_cancelled() {
    let (_server, bus) = on_server().await;
    workflow(&shop(&bus).await).await;
}

async fn workflow(shop: &Operations) {
    let key = |order: u64| format!("events.orders.order.expired.{order}");
    assert_eq!(keys(shop, "schedule ls").await, [key(8), key(7)]);
    let of_stream = "schedule ls --stream ORDERS --under events.orders.order.expired";
    assert_eq!(keys(shop, of_stream).await, [key(8), key(7)]);
    let other = "schedule ls --stream ORDERS --under events.orders.order.paid";
    assert!(keys(shop, other).await.is_empty());

    let cancel = format!("schedule cancel ORDERS {} {}", key(7), key(9));
    let refused = piped(shop, &cancel).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    let dry = ran(shop, 1, &format!("{cancel} --dry-run")).await;
    assert_eq!(dry[0]["outcome"], "waits");
    assert_eq!(dry[1]["outcome"], "unknown");
    assert_eq!(keys(shop, "schedule ls").await.len(), 2);
    let cancelled = piped(shop, &format!("{cancel} --yes --by ann --json")).await;
    assert_eq!(cancelled.code, 1, "{cancelled:?}");
    let rows: Value = serde_json::from_str(&cancelled.out).unwrap();
    assert_eq!(rows[0]["outcome"], "in-time");
    assert_eq!(rows[1]["outcome"], "unknown");
    assert!(
        cancelled.err.contains("ann cancelled the schedule"),
        "{}",
        cancelled.err
    );
    assert_eq!(keys(shop, "schedule ls").await, [key(8)]);
    ran(shop, 0, &format!("schedule cancel ORDERS {} --yes", key(8))).await;
    assert_eq!(ran(shop, 0, "schedule ls").await, json!([]));
}

#[tokio::test]
async fn screens() {
    let cancel = "schedule cancel ORDERS events.orders.order.expired.7 --yes";
    for (name, command) in [("schedule-ls", "schedule ls"), ("schedule-cancel", cancel)] {
        let seen = on_terminal(&shop(&on_memory()).await, command).await;
        snapshot(&format!("{name}.terminal"), &seen.out);
        let seen = piped(&shop(&on_memory()).await, command).await;
        snapshot(&format!("{name}.pipe"), &seen.out);
        let seen = piped(&shop(&on_memory()).await, &format!("{command} --json")).await;
        snapshot(&format!("{name}.json"), &seen.out);
    }
}

#[tokio::test]
async fn an_older_server_is_named_with_the_version_that_is_needed() {
    let server = Server::options()
        .program(oldest().unwrap())
        .start()
        .await
        .unwrap();
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let shop = Operations::new("shop").bus(EventBus::builder().transport(nats).unwrap());
    for command in ["schedule ls", "schedule cancel ORDERS a --yes"] {
        let ran = piped(&shop, command).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains("2.12"), "{}", ran.err);
    }
}
