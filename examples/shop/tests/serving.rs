//! A service in a process of its own answers what the manifests ask it for.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::args::ServiceName;
use crate::events::InvoicePaid;
use crate::topology::SINGLE;
use crate::{config, open, serve};

const MANIFEST: &str = include_str!("../../deploy/kubernetes/shop.yaml");

/// How long an answer may take on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

async fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Asks until the answer has these words.
pub(super) async fn until(address: SocketAddr, path: &str, words: &str) {
    let begun = Instant::now();
    loop {
        let answer = get(address, path).await.unwrap_or_default();
        if answer.contains(words) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{path}, {words}: {answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// It takes as long as the interval between two measurements of the lag.
#[tokio::test(flavor = "multi_thread")]
async fn the_probes_and_the_metrics_of_the_manifests_answer() {
    let config = config()
        .variables(Vec::<(&str, &str)>::new())
        .load()
        .unwrap();
    let bus = open(&config, &SINGLE).await.unwrap();
    SINGLE.apply(&bus).await.unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let serving = bus.clone();
    tokio::spawn(async move { serve::serve(&serving, ServiceName::Orders, address).await });

    let probes = MANIFEST.split("httpGet: { path: ").skip(1);
    let probes: Vec<_> = probes.filter_map(|rest| rest.split(',').next()).collect();
    assert_eq!(probes.len(), 6, "{probes:?}");
    for probe in probes {
        until(address, probe, "HTTP/1.1 200").await;
    }
    let paid = InvoicePaid {
        order: "order-1".to_owned(),
        cents: 990,
    };
    bus.publisher::<InvoicePaid>().publish(paid).await.unwrap();
    // The observer counts, and the autoscaler finds its metric.
    until(address, "/metrics", "event_sdk_consumer_events{").await;
    until(address, "/metrics", "event_sdk_consumer_lag{").await;
    until(
        address,
        "/metrics",
        "messaging_consumer_group_name=\"orders\"",
    )
    .await;
}
