//! Streams that are missing, differ, overlap, are full, or keep less than they should.

use std::time::Duration;

use event_sdk::dead_letters::DeadLetterClass;
use event_sdk::stream::{Discard, Storage, StreamSpec};
use event_sdk::transport::DeliverPolicy;
use event_sdk::transport::nats::Nats;
use event_sdk::{EventBus, Pattern};
use event_sdk_ops::Operations;
use event_sdk_test_servers::{Cluster, Server};
use event_sdk_topology::Topology;
use serde_json::json;

use super::Diagnosis;
use super::shop::{Shop, connect};
use crate::dlq::rig::{Shop as Letters, order};
use crate::program::piped;

/// What `doctor` finds about a stream without a declaration, with `events` in it.
async fn with(stream: StreamSpec, events: usize) -> Diagnosis {
    let shop = Shop::empty(Server::options()).await;
    let declaring = EventBus::builder().stream(stream);
    let transport = std::sync::Arc::clone(shop.bus.transport());
    let declaring = declaring.transport(transport).unwrap();
    declaring.apply_streams().await.unwrap();
    shop.publish("events.orders.order.placed", events).await;
    let operations = Operations::new("shop").bus(shop.bus.clone());
    Diagnosis::of(&operations, "").await
}

fn orders() -> StreamSpec {
    StreamSpec::new("ORDERS").subject("orders.>")
}

#[tokio::test]
async fn what_is_declared_and_missing_is_named() {
    let shop = Shop::empty(Server::options()).await;
    let found = shop.diagnose().await;
    found.names("stream-missing", "ORDERS", "does not exist");
    found.names("consumer-missing", "billing", "does not exist");
    found.names("bucket-missing", "SHOP", "cannot start");
}

#[tokio::test]
async fn a_change_by_hand_is_named() {
    let shop = Shop::start().await;
    let mut config = shop.call("STREAM.INFO.ORDERS", &json!({})).await["config"].take();
    config["max_age"] = 3_600_000_000_000_u64.into();
    shop.call("STREAM.UPDATE.ORDERS", &config).await;
    let found = shop.diagnose().await;
    found.names("stream-drift", "ORDERS", "max age");
    assert_eq!(found.codes(), ["stream-drift"], "{found:#?}");
}

#[tokio::test]
async fn a_foreign_stream_over_all_events_is_named() {
    let shop = Shop::empty(Server::options()).await;
    let all = json!({ "name": "EVENTS", "subjects": ["events.>"], "storage": "file" });
    shop.call("STREAM.CREATE.EVENTS", &all).await;
    let found = shop.diagnose().await;
    found.names("stream-overlap", "ORDERS", "EVENTS");
}

#[tokio::test]
async fn a_stream_that_is_full_or_will_be_is_named() {
    let ten = || orders().max_messages(10).when_full(Discard::New);
    let found = with(ten(), 10).await;
    found.names("stream-full", "stream ORDERS", "10 of 10 messages");
    let found = with(ten(), 9).await;
    found.names("stream-nearly-full", "stream ORDERS", "9 of 10 messages");
    assert_eq!(with(ten(), 8).await.codes(), [""; 0]);
}

#[tokio::test]
async fn a_stream_that_keeps_too_much_or_too_little_is_named() {
    let found = with(orders(), 1).await;
    found.names("stream-unlimited", "stream ORDERS", "no limit");
    let week = || orders().max_age(Duration::from_secs(604_800));
    let found = with(week().storage(Storage::Memory), 1).await;
    found.names("memory-storage", "stream ORDERS", "in the memory");
    let short = week().duplicate_window(Duration::from_secs(5));
    let found = with(short, 1).await;
    found.names("duplicate-window-small", "stream ORDERS", "5s");
    let found = with(week(), 0).await;
    found.names("stream-empty", "stream ORDERS", "never stored");
}

#[tokio::test]
async fn a_prefix_without_streams_is_named_with_those_that_there_are() {
    let shop = Shop::empty(Server::options()).await;
    let other = json!({
        "name": "ORDERS", "subjects": ["prod.orders.>"], "storage": "file",
        "max_age": 3_600_000_000_000_u64
    });
    shop.call("STREAM.CREATE.ORDERS", &other).await;
    let operations = Operations::new("shop").bus(shop.bus.clone());
    let found = Diagnosis::of(&operations, "").await;
    found.names("prefix-mismatch", "prefix events", "ORDERS (prod.orders.>)");
}

#[tokio::test]
async fn open_dead_letters_are_named_with_the_time_of_the_newest() {
    let shop = Letters::server().await;
    shop.put_five().await;
    let found = Diagnosis::of(&shop.operations, "").await;
    let problem = "5 open letters, the newest of 2026-05-01T07:30:00Z";
    found.names("dead-letters", "dead-letter stream DLQ", problem);

    // Redriven and handled.
    let redriven = piped(&shop.operations, "dlq redrive --all").await;
    assert_eq!(redriven.code, 0, "{redriven:?}");
    for consumer in ["billing", "shipping"] {
        let filter = Pattern::parse(format!("retry.{consumer}.>")).unwrap();
        let again = shop.bus.raw().absolute().subscribe(filter);
        let again = again.stream("DLQ_RETRY").durable(consumer);
        let mut again = again.deliver(DeliverPolicy::All).await.unwrap();
        let letters = if consumer == "billing" { 4 } else { 1 };
        for _ in 0..letters {
            let letter = again.next().await.unwrap().unwrap();
            letter.ack_confirmed().await.unwrap();
        }
    }
    let found = Diagnosis::of(&shop.operations, "").await;
    assert!(!found.codes().contains(&"dead-letters"), "{found:#?}");

    // It came back, and was put aside.
    let mut again = order(3, DeadLetterClass::Rejected);
    again.redrive = 1;
    shop.put(&again).await;
    let found = Diagnosis::of(&shop.operations, "").await;
    found.names("dead-letters", "dead-letter stream DLQ", "1 open letter,");
    let archived = "dlq archive --all --by ada --because seen";
    let archived = piped(&shop.operations, archived).await;
    assert_eq!(archived.code, 0, "{archived:?}");
    let found = Diagnosis::of(&shop.operations, "").await;
    assert!(!found.codes().contains(&"dead-letters"), "{found:#?}");
}

#[tokio::test]
async fn an_account_that_has_nearly_no_storage_left_is_named() {
    let account = "accounts { SHOP: {
        jetstream: { max_mem: 100000, max_file: 100000 }
        users: [{ user: operator, password: sesame }]
    } }\n";
    let server = Server::options().config(account).start().await.unwrap();
    let declaring = EventBus::builder().stream(orders());
    let bus = declaring.transport(connect(&server).await).unwrap();
    bus.apply_streams().await.unwrap();
    let body = "x".repeat(95_000);
    bus.raw()
        .publish("orders.order.filled", body)
        .await
        .unwrap();
    let found = Diagnosis::of(&Operations::new("shop").bus(bus), "").await;
    found.names("account-full", "account", "of 100000 bytes of storage");
}

#[tokio::test]
async fn one_replica_in_a_cluster_is_named() {
    const ONE: Topology = Topology::new(
        const { &[StreamSpec::constant("ORDERS", &["orders.>"]).max_age(Duration::from_secs(3_600))] },
    );
    let cluster = Cluster::start(3).await.unwrap();
    let options = Nats::options(cluster.url()).request_timeout(Duration::from_secs(60));
    let nats = Nats::connect(options).await.unwrap();
    let bus = EventBus::builder().transport(nats).unwrap();
    ONE.apply(&bus).await.unwrap();
    let found = Diagnosis::of(&Operations::new("shop").topology(ONE).bus(bus), "").await;
    found.names("one-replica", "stream ORDERS", "one replica in a cluster");
}
