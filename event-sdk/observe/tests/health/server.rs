//! Health over HTTP while a real nats-server is stopped, started and paused: each state is reported within
//! [`DEADLINE`], and liveness stays.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{BucketConfig, TransportExt as _};
use event_sdk_observe::health::Health;
use event_sdk_test_servers::{Permissions, Server, User};
use serde_json::Value;

use crate::http::Probed;
use crate::rig::{OrderPlaced, Running, gated};

/// How long after a change each state is reported.
const DEADLINE: Duration = Duration::from_secs(30);

/// It is in no report.
const PASSWORD: &str = "a-planted-password";

/// Asks `/health` until `is`, and looks at `/live` each time.
async fn reported(probed: &Probed, what: &str, is: impl Fn(u16, &Value) -> bool) -> Value {
    let mut last = Value::Null;
    let asking = async {
        loop {
            assert_eq!(probed.get("/live").await.0, 200, "{what}");
            let (status, report) = probed.get("/health").await;
            assert!(!report.to_string().contains(PASSWORD), "{what}");
            if is(status, &report) {
                return report;
            }
            last = report;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let reported = tokio::time::timeout(DEADLINE, asking).await;
    reported.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}; last: {last:#}"))
}

fn status_is(wanted: &str) -> impl Fn(u16, &Value) -> bool {
    move |_, report| report["status"] == *wanted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_and_starts_is_reported() {
    let user = User::password("billing", PASSWORD);
    let mut server = Server::options().users([user]).start().await.unwrap();
    let options = Nats::options(server.url()).user("billing", PASSWORD);
    let nats = Nats::connect(options).await.unwrap();
    let stream = StreamSpec::new("ORDERS").subject("orders.>").replicas(1);
    let bus = EventBus::builder().stream(stream).transport(nats).unwrap();
    bus.apply_streams().await.unwrap();
    let (consumer, gate) = gated(&bus);
    let health = Health::builder(&bus).consumer(&consumer);
    let health = health.interval(Duration::from_millis(50)).build();
    let probed = Probed::serve(health).await;
    let running = Running::start(consumer).await;
    let publisher = bus.publisher::<OrderPlaced>();
    for id in 0..3 {
        publisher.publish(OrderPlaced { id }).await.unwrap();
    }

    let report = reported(&probed, "lag", |_, report| {
        report["consumers"][0]["durables"][0]["lag_events"] == 3
    })
    .await;
    assert_eq!(report["status"], "ok", "{report:#}");
    assert_eq!(report["connection"]["transport"], "nats");
    assert_eq!(report["streams"][0]["messages"], 3);
    let durable = &report["consumers"][0]["durables"][0];
    let lag = durable["lag_seconds"].as_f64().unwrap();
    assert!(lag > 0.0 && lag < 600.0, "{report:#}");
    assert!(report["performance"]["round_trip_ms"].as_f64().unwrap() > 0.0);
    assert!(report["connection"].get("last_disconnect").is_none());
    assert_eq!(probed.get("/ready").await.0, 200);

    server.stop().await.unwrap();
    let report = reported(&probed, "the end of the server", |status, _| status == 503).await;
    assert_eq!(report["connection"]["state"], "disconnected");
    reported(&probed, "the failed attempts to connect", |_, report| {
        report["connection"]["last_disconnect"]["reason"] == "no server can be reached"
    })
    .await;
    assert_eq!(probed.get("/ready").await.0, 503);

    server.restart().await.unwrap();
    let report = reported(&probed, "the new connection", status_is("ok")).await;
    assert_eq!(report["connection"]["connections"], 2);
    // The last error stays to be seen.
    let last = &report["connection"]["last_disconnect"];
    assert_eq!(last["reason"], "no server can be reached");
    assert_eq!(probed.get("/ready").await.0, 200);
    gate.add_permits(3);
    reported(&probed, "the end of the lag", |_, report| {
        report["consumers"][0]["durables"][0]["lag_seconds"] == 0.0
    })
    .await;

    running.end().await;
    assert_eq!(probed.get("/ready").await.0, 503);
    reported(&probed, "the end of the consumer", status_is("degraded")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_reported_although_the_connection_exists() {
    let mut server = Server::start().await.unwrap();
    let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
    let stream = StreamSpec::new("ORDERS").subject("orders.>").replicas(1);
    let bus = EventBus::builder().stream(stream).transport(nats).unwrap();
    bus.apply_streams().await.unwrap();
    let health = Health::builder(&bus).stream("ORDERS");
    let health = health.interval(Duration::from_millis(50));
    let probed = Probed::serve(health.timeout(Duration::from_millis(500)).build()).await;
    reported(&probed, "the start", status_is("ok")).await;

    server.pause().unwrap();
    let report = reported(&probed, "the silence", status_is("down")).await;
    assert_eq!(
        report["streams"][0]["error"], "gave no answer within 500ms",
        "{report:#}"
    );
    server.resume().unwrap();
    reported(&probed, "the answers", status_is("ok")).await;
}

/// The start only checks the permission for `member.none`, so that the heartbeats are denied while the consumer runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_whose_heartbeats_are_denied_is_reported_with_the_subject() {
    let may = Permissions::none().subscribe(&["_INBOX.>"]).publish(&[
        "$JS.API.>",
        "$JS.ACK.>",
        "$KV.EVENT_SDK.owners.billing.lease.>",
        "$KV.EVENT_SDK.owners.billing.member.none",
    ]);
    let users = [
        User::password("operator", "pw"),
        User::password("billing", PASSWORD).permissions(may),
    ];
    let server = Server::options().users(users).start().await.unwrap();
    let connect = async |user: &str, password: &str| {
        let options = Nats::options(server.url()).user(user, password);
        let nats = Nats::connect(options).await.unwrap();
        let stream = StreamSpec::new("ORDERS").subject("orders.>").replicas(1);
        EventBus::builder().stream(stream).transport(nats).unwrap()
    };
    let operator = connect("operator", "pw").await;
    operator.apply_streams().await.unwrap();
    let bucket = BucketConfig::default();
    operator.transport().apply_bucket(&bucket).await.unwrap();
    let consumer = |bus: &EventBus| {
        let consumer = bus.consumer::<OrderPlaced>("billing");
        let consumer = consumer.partitions_for(2, Duration::from_secs(2));
        consumer.on(|_: OrderPlaced, _| async { Ok(()) })
    };
    let bus = connect("billing", PASSWORD).await;
    let denied = consumer(&bus);
    let health = Health::builder(&bus).consumer(&denied);
    let probed = Probed::serve(health.interval(Duration::from_millis(50)).build()).await;
    let denied = tokio::spawn(denied.run_until(std::future::pending()));

    // It owns nothing, and no other instance does. Before it has read the leases, it does not know that, and is ready.
    let problem = |report: &Value| report["problems"][0]["problem"].to_string();
    let names = |report: &Value| problem(report).contains("$KV.EVENT_SDK.owners.billing.member.");
    let report = reported(&probed, "the denial", |_, report| {
        report["ready"] == false && names(report)
    })
    .await;
    assert_eq!(report["status"], "degraded", "{report:#}");
    assert!(
        problem(&report).contains("does not receive events: "),
        "{report:#}"
    );
    assert_eq!(probed.get("/ready").await.0, 503);

    // Another instance owns everything: the first one is a standby that could not take over.
    let allowed = tokio::spawn(consumer(&operator).run_until(std::future::pending()));
    let report = reported(&probed, "the other instance", |_, report| {
        report["ready"] == true && names(report)
    })
    .await;
    assert_eq!(report["status"], "degraded", "{report:#}");
    assert!(
        problem(&report).contains("cannot take over from other instances: "),
        "{report:#}"
    );
    assert_eq!(probed.get("/ready").await.0, 200);
    denied.abort();
    allowed.abort();
}
