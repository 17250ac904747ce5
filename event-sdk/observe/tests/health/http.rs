//! The routes over HTTP, on the memory transport.

use axum::Router;
use axum::routing::get;
use event_sdk_observe::health::Health;
use event_sdk_observe::routes::routes;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::rig::{Running, Service, gated};

/// A service that answers probes.
pub(crate) struct Probed {
    address: std::net::SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Probed {
    pub(crate) async fn serve(health: Health) -> Self {
        Self::serve_with(health, None).await
    }

    /// Also answers `/metrics`, as Prometheus scrapes it.
    pub(crate) async fn serve_with(health: Health, metrics: Option<PrometheusHandle>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut app = Router::new().merge(routes(health));
        if let Some(metrics) = metrics {
            app = app.route("/metrics", get(async move || metrics.render()));
        }
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, task }
    }

    /// Status and body of a route.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let (head, body) = self.ask(path).await;
        assert!(head.contains("content-type: application/json"), "{head}");
        assert!(head.contains("cache-control: no-store"), "{head}");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(&body).unwrap())
    }

    /// The text of a route that answers with 200.
    pub(crate) async fn text(&self, path: &str) -> String {
        let (head, body) = self.ask(path).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        body
    }

    /// Head and body of a route.
    pub(crate) async fn whole(&self, path: &str) -> String {
        let (head, body) = self.ask(path).await;
        head + &body
    }

    async fn ask(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

impl Drop for Probed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn each_route_answers_with_its_state() {
    let service = Service::start().await;
    let (consumer, _gate) = gated(&service.bus);
    let health = Health::builder(&service.bus)
        .stream("ORDERS")
        .consumer(&consumer);
    let probed = Probed::serve(health.interval(std::time::Duration::ZERO).build()).await;

    // The consumer does not run yet.
    let unready = serde_json::json!([{
        "status": "degraded", "part": "consumer billing", "problem": "does not receive events"
    }]);
    assert_eq!(
        probed.get("/live").await,
        (200, serde_json::json!({ "live": true }))
    );
    let (status, ready) = probed.get("/ready").await;
    assert_eq!(
        (status, &ready["ready"], &ready["problems"]),
        (503, &false.into(), &unready)
    );
    let (status, report) = probed.get("/health").await;
    assert_eq!((status, &report["status"]), (200, &"degraded".into()));
    assert_eq!(report["problems"], unready);

    let running = Running::start(consumer).await;
    let (status, ready) = probed.get("/ready").await;
    assert_eq!((status, &ready["ready"]), (200, &true.into()));
    let (status, report) = probed.get("/health").await;
    assert_eq!((status, &report["status"]), (200, &"ok".into()));

    service.server.away(true);
    assert_eq!(probed.get("/live").await.0, 200);
    assert_eq!(probed.get("/ready").await.0, 503);
    let (status, report) = probed.get("/health").await;
    assert_eq!((status, &report["status"]), (503, &"down".into()));
    service.server.away(false);

    running.end().await;
    assert_eq!(probed.get("/live").await.0, 200);
    assert_eq!(probed.get("/ready").await.0, 503);
    assert_eq!(probed.get("/health").await.1["status"], "degraded");
}
