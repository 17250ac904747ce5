//! The monitoring endpoints of real servers.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::transport::nats::Nats;
use event_sdk_ops::Operations;
use event_sdk_test_servers::server_process::Port;
use event_sdk_test_servers::{Cluster, Server};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::shop::Shop;
use super::{Diagnosis, api};
use crate::raw::Raw;
use crate::until;

/// What `doctor` finds at a monitoring endpoint, without connecting: `memory` is a warning of its own.
pub(super) async fn monitored(url: &str) -> Diagnosis {
    let bus = EventBus::memory();
    let operations = Operations::new("shop").bus(bus);
    Diagnosis::of(&operations, &format!("--connect-only --monitor {url}")).await
}

#[tokio::test]
async fn a_durable_of_another_account_is_not_judged() {
    let account = |name: &str| {
        format!("{name}: {{ jetstream: enabled, users: [{{ user: {name}, password: sesame }}] }}\n")
    };
    let accounts = format!("accounts {{\n{}{}}}\n", account("shop"), account("crm"));
    let server = Server::options().config(&accounts).start().await.unwrap();
    let until = jiff::Timestamp::now() + Duration::from_secs(3_600);
    let stream = json!({ "name": "CRM", "subjects": ["crm.>"] });
    api::call(&server.url(), "crm", "STREAM.CREATE.CRM", &stream).await;
    let paused =
        json!({ "durable_name": "paused", "ack_policy": "explicit", "pause_until": until });
    let paused = json!({ "stream_name": "CRM", "config": paused });
    let create = "CONSUMER.DURABLE.CREATE.CRM.paused";
    api::call(&server.url(), "crm", create, &paused).await;
    let paused = async |user: &str| {
        let options = Nats::options(server.url()).user(user, "sesame");
        let nats = Nats::connect(options).await.unwrap();
        let bus = EventBus::builder().transport(nats).unwrap();
        let shop = Operations::new("shop").bus(bus);
        let url = server.monitoring_url();
        let found = Diagnosis::of(&shop, &format!("--connect-only --monitor {url}")).await;
        found.codes().contains(&"consumer-paused")
    };
    assert!(paused("crm").await);
    assert!(!paused("shop").await);
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_named_without_its_login() {
    let port = Port::reserve().unwrap().number();
    let found = monitored(&format!("http://127.0.0.1:{port}")).await;
    found.names(
        "monitor-unreachable",
        "server at 127.0.0.1",
        "no connection",
    );
    let found = monitored("http://shop:a-planted-password@127.0.0.1:8222").await;
    found.names("monitor-unreachable", "monitor", "login");
    assert!(!format!("{found:?}").contains("planted"), "{found:?}");
    let found = monitored("https://127.0.0.1:8222").await;
    found.names("monitor-unreachable", "monitor", "https is not supported");

    // It accepts, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let found = monitored(&format!("http://{}", silent.local_addr().unwrap())).await;
    found.names("monitor-unreachable", "server at", "no answer within");
}

#[tokio::test]
async fn a_url_of_something_else_than_the_monitoring_is_named() {
    let server = Server::start().await.unwrap();
    // The port of clients.
    let found = monitored(&server.url().replace("nats://", "http://")).await;
    found.names("monitor-unreadable", "server at 127.0.0.1", "varz");
}

#[tokio::test]
async fn a_server_that_has_nearly_no_room_left_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let limits = format!(
        "jetstream {{ store_dir: {:?}, max_memory_store: 100000, max_file_store: 100000 }}",
        folder.path()
    );
    let options = Server::options().without_jetstream().config(&limits);
    let shop = Shop::empty(options).await;
    let body = "x".repeat(95_000);
    for (name, storage) in [("DISK", "file"), ("RAM", "memory")] {
        let subject = format!("events.{}.filled", name.to_lowercase());
        let stream = json!({ "name": name, "subjects": [&subject], "storage": storage });
        shop.call(&format!("STREAM.CREATE.{name}"), &stream).await;
        let publish = shop.bus.raw().absolute().publish(subject, body.clone());
        publish.await.unwrap();
    }
    let found = monitored(&shop.server.monitoring_url()).await;
    found.names("server-storage-high", "server at", "bytes of storage");
    found.names("server-memory-high", "server at", "bytes of memory");
}

#[tokio::test]
async fn a_client_that_was_cut_off_is_noted() {
    let config = "max_pending: 200000\nwrite_deadline: \"100ms\"\n";
    let server = Server::options().max_payload(100_000).config(config);
    let server = server.start().await.unwrap();
    // It never reads.
    let mut idle = Raw::connect(&server).await;
    idle.subscribe("flood").await;
    let mut flood = Raw::connect(&server).await;
    let body = "x".repeat(99_000);
    let mut found = None;
    until(async || {
        flood.publish("flood", &body).await;
        let now = monitored(&server.monitoring_url()).await;
        let is = |it: &Value| it["code"] == "slow-consumers";
        let is_named = now.findings.iter().any(is);
        found = Some(now);
        is_named
    })
    .await;
    // The server may count it more than once.
    let problem = "that did not read as fast as messages came";
    found.unwrap().notes("slow-consumers", "server at", problem);
}

#[tokio::test]
async fn a_server_that_writes_late_and_lets_everybody_in_is_named() {
    let server = Server::start().await.unwrap();
    let found = monitored(&server.monitoring_url()).await;
    found.names("sync-interval", "server at", "only every 120s");
    found.names("no-authentication", "server at", "lets everybody connect");
    found.notes("no-clients", "server at", "has no client");
}

#[tokio::test]
async fn a_durable_that_is_paused_is_named_and_so_is_one_of_others() {
    let shop = Shop::start().await;
    let until = jiff::Timestamp::now() + Duration::from_secs(3_600);
    let pause = json!({ "pause_until": until });
    shop.call("CONSUMER.PAUSE.ORDERS.billing", &pause).await;
    let found = shop.diagnose().await;
    found.names(
        "consumer-paused",
        "durable billing of stream ORDERS",
        "is paused until",
    );

    // It is in no topology, so that only the server knows of it.
    let other = json!({ "durable_name": "other", "ack_policy": "explicit", "pause_until": until });
    let request = json!({ "stream_name": "ORDERS", "config": other });
    shop.call("CONSUMER.DURABLE.CREATE.ORDERS.other", &request)
        .await;
    shop.call("CONSUMER.PAUSE.ORDERS.billing", &json!({})).await;
    let url = shop.server.monitoring_url();
    let found = Diagnosis::of(&shop.operations(), &format!("--monitor {url}")).await;
    found.names(
        "consumer-paused",
        "durable other of stream ORDERS",
        "is paused, and",
    );
}

#[tokio::test]
async fn a_server_of_the_cluster_that_is_away_is_named() {
    let mut cluster = Cluster::start(3).await.unwrap();
    let url = cluster.server(0).monitoring_url();
    // The others notice it after a while.
    let noticed = async |code: &str| {
        let mut found = None;
        until(async || {
            let now = monitored(&url).await;
            let is = now.findings.iter().any(|it| it["code"] == *code);
            found = Some(now);
            is
        })
        .await;
        found.unwrap()
    };
    cluster.server(2).stop().await.unwrap();
    let found = noticed("peer-offline").await;
    found.names("peer-offline", "server nats-", "is away");
    // Without a majority, the server that is left is of no use.
    cluster.server(1).stop().await.unwrap();
    let found = noticed("server-unhealthy").await;
    found.names("server-unhealthy", "server at", "JetStream");
}
