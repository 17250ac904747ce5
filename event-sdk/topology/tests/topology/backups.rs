//! Backups: what comes back on another server.

mod leaving;
mod refusals;

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::{
    Body, ConsumerConfig, ConsumerInfo, ConsumerName, Deletion, Error, ErrorKind, HistoryRequest,
    Incoming, MessageId, PublishRequest, Settlement, SnapshotRequest, StoredMessage,
    SubscribeRequest, Transport, TransportExt as _,
};
use event_sdk::{EventBus, Pattern, Subject};
use event_sdk_topology::backup::{self, BackupError};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use tempfile::TempDir;

use crate::support::{Place, by_hand};

/// How many events the large backup has; `cargo xtask long backup` has 100,000.
fn many() -> u64 {
    let events = std::env::var("BACKUP_EVENTS");
    events.map_or(20_000, |events| events.parse().unwrap())
}

fn orders() -> StreamSpec {
    StreamSpec::new("ORDERS").subject("orders.>")
}

/// Publishes these numbers, many at once, with headers and ids.
async fn publish(bus: &EventBus, numbers: impl Iterator<Item = u64>) {
    let numbers: Vec<u64> = numbers.collect();
    for numbers in numbers.chunks(5_000) {
        let mut confirmations = Vec::new();
        for number in numbers {
            let subject = format!("{}.orders.placed.{}", bus.prefix(), number % 10);
            let subject = Subject::parse(subject).unwrap();
            let body = Bytes::from(format!("the body of {number}"));
            let mut request = PublishRequest::new(&subject, Body::Encoded(body));
            request
                .headers
                .insert("Number", number.to_string())
                .unwrap();
            request.message_id = Some(MessageId::Text(number.to_string().into()));
            confirmations.push(bus.transport().publish(request).await.unwrap());
        }
        for stored in join_all(confirmations).await {
            assert!(!stored.unwrap().duplicate);
        }
    }
}

fn durable(bus: &EventBus, name: &'static str) -> ConsumerConfig {
    let filter = Pattern::parse(format!("{}.orders.>", bus.prefix())).unwrap();
    let mut config = ConsumerConfig::new(ConsumerName::Durable(name.into()), vec![filter]);
    config.ack_wait = Duration::from_secs(1);
    config.max_ack_pending = NonZeroU32::new(5);
    config
}

/// Receives messages until `done`, and acknowledges those that `settles` says. What it received.
async fn consume(
    bus: &EventBus,
    name: &'static str,
    done: impl Fn(&[u64]) -> bool,
    settles: impl Fn(u64) -> bool,
) -> Vec<u64> {
    let mut request = SubscribeRequest::new("ORDERS", durable(bus, name));
    request.prefetch = 1.into();
    let mut subscription = bus.transport().subscribe(request).await.unwrap();
    let mut sequences = Vec::new();
    let mut held = Vec::new();
    while !done(&sequences) {
        let item = subscription.next().await.unwrap().unwrap();
        let Incoming::Message(received) = item else {
            // What was deleted is a gap.
            continue;
        };
        let sequence = received.info.sequence.unwrap();
        sequences.push(sequence);
        if settles(sequence) {
            let settler = received.settler.unwrap();
            settler.settle(Settlement::AckConfirmed).await.unwrap();
        } else {
            held.push(received);
        }
    }
    drop(subscription);
    // Nothing is delivered any more when no request waits.
    let begun = Instant::now();
    while info(bus, name).await.waiting.unwrap_or(0) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "a request waits");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sequences
}

async fn info(bus: &EventBus, name: &str) -> ConsumerInfo {
    bus.transport().consumer_info("ORDERS", name).await.unwrap()
}

/// All messages of the stream, in short.
async fn messages(bus: &EventBus) -> Vec<String> {
    let filter = Pattern::parse(format!("{}.orders.>", bus.prefix())).unwrap();
    let request = HistoryRequest::new("ORDERS", vec![filter]);
    let history = bus.transport().read_history(request).await.unwrap();
    let short = |message: Result<StoredMessage, Error>| {
        let message = message.unwrap();
        let Body::Encoded(body) = &message.body else {
            panic!("a value");
        };
        let headers: BTreeMap<_, _> = message.headers.iter().collect();
        let (sequence, subject, time) = (message.sequence, message.subject, message.stored_at);
        format!("{sequence} {subject} {time} {headers:?} {body:?}")
    };
    history.map(short).collect().await
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("orders.tar.gz")
}

/// What comes back is what was there.
async fn comes_back(from: &Place, to: &Place, count: u64) {
    let (from, to) = (&from.bus, &to.bus);
    by_hand(from, orders()).await;
    publish(from, 1..=count).await;
    for deleted in [1, 7, count] {
        let deleted = from
            .transport()
            .delete_message("ORDERS", deleted, Deletion::Remove);
        assert!(deleted.await.unwrap());
    }
    let five = |got: &[u64]| got.len() == 5;
    let got = consume(from, "billing", five, |sequence| sequence < 5).await;
    assert_eq!(got, [2, 3, 4, 5, 6]);
    let folder = TempDir::new().unwrap();
    let path = file(&folder);
    let mut reports = Vec::new();
    let manifest = backup::write(from, "ORDERS", &path, |report| reports.push(report)).await;
    let manifest = manifest.unwrap();
    let last = reports.last().unwrap();
    assert_eq!(
        (last.done, last.messages),
        (manifest.content.size, count - 3)
    );
    assert_eq!(only_file(folder.path()), path);

    let had = from.stream_state("ORDERS").await.unwrap();
    let (first, last) = (had.first_sequence, had.last_sequence);
    assert_eq!(
        (manifest.messages, manifest.bytes),
        (had.messages, had.bytes)
    );
    assert_eq!(
        (manifest.first_sequence, manifest.last_sequence),
        (first, last)
    );
    assert_eq!((manifest.consumers, &*manifest.prefix), (1, "events"));
    assert_eq!(backup::verify(&path).await.unwrap(), manifest);

    reports.clear();
    let restored = backup::restore(to, &path, |report| reports.push(report))
        .await
        .unwrap();
    assert_eq!(reports[0].total, Some(manifest.content.size));
    assert_eq!(
        (restored.state.messages, restored.state.bytes),
        (had.messages, had.bytes)
    );
    assert_eq!(to.stream_state("ORDERS").await.unwrap(), had);
    assert!(
        messages(to).await == messages(from).await,
        "the messages differ"
    );
    let (before, after) = (info(from, "billing").await, info(to, "billing").await);
    assert_eq!((after.delivered, after.acknowledged), (before.delivered, 4));
    assert_eq!(
        (after.pending, &after.config),
        (before.pending, &before.config)
    );
    // What was not settled comes again, and nothing that was.
    let all = |got: &[u64]| [5, 6, 8].iter().all(|due| got.contains(due));
    let next = consume(to, "billing", all, |sequence| sequence < 9).await;
    assert!(!next.iter().any(|sequence| *sequence < 5), "{next:?}");

    // Over something newer it is refused.
    publish(to, [count + 1].into_iter()).await;
    let newer = to.stream_state("ORDERS").await.unwrap();
    let error = backup::restore(to, &path, |_| {}).await.unwrap_err();
    let BackupError::Transport(error) = error else {
        panic!("{error}");
    };
    assert_eq!(*error.kind(), ErrorKind::StreamExists, "{error}");
    assert_eq!(error.stream(), Some("ORDERS"));
    assert_eq!(to.stream_state("ORDERS").await.unwrap(), newer);
}

fn only_file(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let only = files.next().expect("no file");
    assert_eq!(files.next(), None, "beside {}", only.display());
    only
}

#[tokio::test]
async fn a_stream_comes_back_in_memory() {
    comes_back(&Place::memory(), &Place::memory(), 1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_comes_back_on_a_second_server() {
    comes_back(&Place::current().await, &Place::current().await, many()).await;
}

#[tokio::test]
async fn a_stream_comes_back_on_a_newer_server() {
    comes_back(&Place::oldest().await, &Place::current().await, 1_000).await;
}

#[tokio::test]
async fn a_stream_comes_back_on_the_oldest_server() {
    comes_back(&Place::oldest().await, &Place::oldest().await, 1_000).await;
}

#[tokio::test]
async fn consumers_can_be_left_out() {
    for place in [Place::memory(), Place::current().await] {
        let folder = TempDir::new().unwrap();
        by_hand(&place.bus, orders()).await;
        publish(&place.bus, 1..=3).await;
        consume(&place.bus, "billing", |got| !got.is_empty(), |_| true).await;
        let request = SnapshotRequest::new("ORDERS").without_consumers();
        let manifest = backup::write(&place.bus, request, file(&folder), |_| {})
            .await
            .unwrap();
        assert_eq!(manifest.consumers, 0);
        let other = match place.bus.transport().name() {
            "memory" => Place::memory(),
            _ => Place::current().await,
        };
        let restored = backup::restore(&other.bus, file(&folder), |_| {})
            .await
            .unwrap();
        assert_eq!((restored.state.messages, restored.state.consumers), (3, 0));
    }
}
