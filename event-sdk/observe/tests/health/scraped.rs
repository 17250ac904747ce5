//! Health and metrics over HTTP while a nats-server, a PostgreSQL and a consumer are stopped and started: each
//! state is in the report and in what Prometheus scrapes within [`DEADLINE`], liveness stays, the values are
//! those that the test counts itself, and a thousand probes cost one check.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::Consumers;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk_observe::health::Health;
use event_sdk_observe::metrics::Metrics;
use event_sdk_sql::{Outbox, Postgres};
use event_sdk_test_servers::postgres::Postgres as Database;
use event_sdk_test_servers::{Authority, Server, Tls};
use sqlx::postgres::PgPoolOptions;

use crate::http::Probed;
use crate::rig::{OrderPlaced, Service, gated, scraped_metrics, until};

/// How long after a change each state is reported.
const DEADLINE: Duration = Duration::from_secs(30);

/// The label of what this health exports.
const OWN: (&str, &str) = ("health", "scraped");

/// Values that were scraped.
struct Scraped(String);

impl Scraped {
    async fn of(probed: &Probed) -> Self {
        Self(probed.text("/metrics").await)
    }

    /// The value with exactly these labels, besides that of the health.
    fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted = labels
            .iter()
            .map(|(key, value)| format!("{key}=\"{value}\""));
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_unstable();
        self.0.lines().find_map(|line| {
            let (key, value) = line.rsplit_once(' ')?;
            let (of, labels) = key.split_once('{')?;
            let mut labels: Vec<_> = labels.trim_end_matches('}').split(',').collect();
            labels.sort_unstable();
            (of == name && labels == wanted).then(|| value.parse().unwrap())
        })
    }

    fn own(&self, name: &str, label: Option<(&str, &str)>) -> Option<f64> {
        let labels: Vec<_> = [OWN].into_iter().chain(label).collect();
        self.value(name, &labels)
    }
}

/// What is reported by `/health` and `/ready`, and scraped as status and connection.
type State = (u16, u16, f64, f64);

/// Asks until all of them are so, and looks at `/live` each time.
async fn reported(probed: &Probed, what: &str, wanted: State) -> Scraped {
    let mut last = None;
    let asking = async {
        loop {
            assert_eq!(probed.get("/live").await.0, 200, "{what}");
            let (health, _) = probed.get("/health").await;
            let (ready, _) = probed.get("/ready").await;
            let scraped = Scraped::of(probed).await;
            let status = scraped.own("event_sdk_health_status", None).unwrap();
            let connected = scraped.own("event_sdk_connection_connected", None).unwrap();
            let state = (health, ready, status, connected);
            if state == wanted {
                return scraped;
            }
            last = Some(state);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let reported = tokio::time::timeout(DEADLINE, asking).await;
    reported.unwrap_or_else(|_| panic!("{what}: {last:?}, not {wanted:?} within {DEADLINE:?}"))
}

#[expect(clippy::too_many_lines, reason = "one story, told in order")]
#[expect(clippy::cast_precision_loss, reason = "counts of a test are small")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_state_is_scraped_with_values_that_others_count_too() {
    let metrics = scraped_metrics();
    let authority = Authority::new().unwrap();
    let tls = Tls::new(&authority).until((2200, 1, 1));
    let mut server = Server::options().tls(tls).start().await.unwrap();
    let mut postgres = Database::start().await.unwrap();
    let database = postgres.database().await.unwrap();
    let options = Nats::options(server.url()).ca_file(authority.certificate());
    let nats = Nats::connect(options).await.unwrap();
    let stream = StreamSpec::new("SCRAPED").subject("orders.>").replicas(1);
    let bus = EventBus::builder()
        .source("scraped")
        .stream(stream.max_bytes(1_000_000));
    let bus = bus.observer(Metrics::new()).transport(nats).unwrap();
    bus.apply_streams().await.unwrap();
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_secs(1));
    let pool = pool.connect_lazy(&database.url()).unwrap();
    let outbox = Outbox::<Postgres>::new(pool.clone(), bus.clone());
    outbox.migrate().await.unwrap();
    let consumers = Consumers::new();
    let health = Health::builder(&bus).consumers(&consumers);
    let health = health.outbox(Arc::clone(outbox.store()));
    let health = health.interval(Duration::from_millis(50)).build();
    let probed = Probed::serve_with(health, Some(metrics)).await;

    let (consumer, gate) = gated(&bus);
    let mut id = consumers.add(consumer).unwrap();
    consumers.ready().await.unwrap();
    for id in 0..7 {
        bus.publisher().publish(OrderPlaced { id }).await.unwrap();
    }
    for id in 0..2 {
        let mut tx = outbox.begin().await.unwrap();
        outbox.enqueue(&mut tx, OrderPlaced { id }).await.unwrap();
        tx.commit().await.unwrap();
    }
    gate.add_permits(4);
    let durable = [
        OWN,
        ("stream", "SCRAPED"),
        ("messaging_consumer_group_name", "billing"),
        ("durable", "billing"),
    ];
    until("four events are settled", async || {
        probed.get("/health").await;
        Scraped::of(&probed)
            .await
            .value("event_sdk_consumer_lag", &durable)
            == Some(3.0)
    })
    .await;
    let scraped = reported(&probed, "the start", (200, 200, 0.0, 1.0)).await;
    let info = bus.transport().consumer_admin().unwrap();
    let info = info.info("SCRAPED", "billing").await.unwrap();
    assert_eq!(info.pending + info.ack_pending, 3);
    let state = bus.stream_state("SCRAPED").await.unwrap();
    let of_stream = |name: &str| scraped.own(name, Some(("stream", "SCRAPED")));
    assert_eq!(of_stream("event_sdk_stream_messages"), Some(7.0));
    let bytes = Some(state.bytes as f64);
    assert_eq!(of_stream("event_sdk_stream_bytes"), bytes);
    assert_eq!(of_stream("event_sdk_stream_removed"), Some(0.0));
    let most = [OWN, ("stream", "SCRAPED"), ("discard", "old")];
    let most = scraped.value("event_sdk_stream_max_bytes", &most);
    assert_eq!(most, Some(1_000_000.0));
    let rows = "select count(*) from event_outbox where published_at is null";
    let rows = sqlx::query_scalar::<_, i64>(rows)
        .fetch_one(&pool)
        .await
        .unwrap();
    let owner = Some(("owner", "server"));
    let expires = scraped.own("event_sdk_certificate_expiry_seconds", owner);
    assert_eq!(expires, Some(7_258_118_400.0)); // `date -d 2200-01-01Z +%s`
    let label = Some(("outbox", outbox.store().name()));
    assert_eq!(
        scraped.own("event_sdk_outbox_depth", label),
        Some(rows as f64)
    );
    assert_eq!(rows, 2);
    let sent = [
        ("messaging_operation_name", "publish"),
        ("event_type", "order.placed"),
        ("error_type", ""),
    ];
    let sent = scraped.value("messaging_client_sent_messages", &sent);
    assert_eq!(sent, Some(7.0));
    let ended = [
        ("messaging_consumer_group_name", "billing"),
        ("event_type", "order.placed"),
        ("outcome", "handled"),
    ];
    assert_eq!(
        scraped.value("event_sdk_consumer_events", &ended),
        Some(4.0)
    );

    server.stop().await.unwrap();
    reported(&probed, "the end of the server", (503, 503, 2.0, 0.0)).await;
    server.restart().await.unwrap();
    let scraped = reported(&probed, "the new connection", (200, 200, 0.0, 1.0)).await;
    let connections = scraped.own("event_sdk_connection_connections", None);
    assert_eq!(connections, Some(2.0));
    let (_, report) = probed.get("/health").await;
    let since = report["connection"]["connected_at"].as_str().unwrap();
    let lost = report["connection"]["last_disconnect"]["at"]
        .as_str()
        .unwrap();
    assert!(since > lost, "{report:#}");

    postgres.stop().await.unwrap();
    reported(&probed, "the end of the database", (503, 200, 2.0, 1.0)).await;
    postgres.restart().await.unwrap();
    reported(&probed, "the database", (200, 200, 0.0, 1.0)).await;

    gate.add_permits(3);
    let report = consumers.remove(id).await.unwrap();
    reported(&probed, "the end of the consumer", (200, 503, 1.0, 1.0)).await;
    let (consumer, gate) = gated(&bus);
    gate.add_permits(10);
    id = consumers.add(consumer).unwrap();
    until("all are settled", async || {
        probed.get("/health").await;
        Scraped::of(&probed)
            .await
            .value("event_sdk_consumer_lag", &durable)
            == Some(0.0)
    })
    .await;
    let scraped = reported(&probed, "the new consumer", (200, 200, 0.0, 1.0)).await;
    let later = consumers.remove(id).await.unwrap();
    let handled = scraped.value("event_sdk_consumer_events", &ended);
    assert_eq!(handled, Some((report.handled + later.handled) as f64));
    assert!(handled >= Some(7.0), "{handled:?}");
}

#[tokio::test]
async fn a_thousand_probes_over_http_cost_one_check() {
    let service = Service::start().await;
    let health = Health::builder(&service.bus)
        .stream("ORDERS")
        .dead_letters("DLQ");
    let served = Probed::serve(health.build()).await;
    let probes = (0..1_000).map(|_| served.get("/health"));
    let answers = futures_util::future::join_all(probes).await;
    assert!(answers.iter().all(|(status, _)| *status == 200));
    // The stream and the dead-letter stream, once each.
    assert_eq!(service.server.requests(), 2);
}
