//! Runs one service of the shop in a process of its own, with probes and metrics.

use std::net::SocketAddr;
use std::time::Duration;

use axum::routing::get;
use event_sdk::consumer::{Consumer, shutdown_signal};
use event_sdk::{EventBus, EventSet};
use event_sdk_observe::health::Health;
use event_sdk_observe::routes::routes;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::args::ServiceName;
use crate::topology::DEAD_LETTERS;
use crate::{audit, bank, billing, orders};

/// How often gauges, such as the lag that the number of instances follows, are measured.
const MEASURE: Duration = Duration::from_secs(15);

pub(crate) async fn serve(
    bus: &EventBus,
    service: ServiceName,
    listen: SocketAddr,
) -> anyhow::Result<()> {
    match service {
        ServiceName::Orders => run(bus, orders::consumer(bus), listen).await,
        ServiceName::Billing => {
            run(bus, billing::consumer(bus, bank::Bank::default()), listen).await
        }
        ServiceName::Audit => {
            let book = audit::Book::new();
            run(bus, audit::consumer(bus, book), listen).await
        }
    }
}

async fn run<S: EventSet>(
    bus: &EventBus,
    consumer: Consumer<S>,
    listen: SocketAddr,
) -> anyhow::Result<()> {
    let metrics = PrometheusBuilder::new().install_recorder()?;
    let health = Health::builder(bus)
        .consumer(&consumer)
        .dead_letters(DEAD_LETTERS)
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    let measured = health.clone();
    tokio::spawn(async move {
        loop {
            measured.check().await;
            tokio::time::sleep(MEASURE).await;
        }
    });
    let metrics = get(move || std::future::ready(metrics.render()));
    let app = routes(health).route("/metrics", metrics);
    let listener = tokio::net::TcpListener::bind(listen).await?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    // At most 25 s after the signal, and then 10 s for the bus; a container is killed 40 s after it in
    // Kubernetes, and 45 s in Docker (see examples/deploy).
    println!("{}", consumer.run_until(shutdown_signal()).await?);
    Ok(())
}
