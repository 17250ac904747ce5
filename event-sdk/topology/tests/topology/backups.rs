//! Backups: what comes back on another server, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::{
    Body, Capability, ConsumerConfig, ConsumerInfo, ConsumerName, Deletion, Error, ErrorKind,
    HistoryRequest, Incoming, MessageId, PublishRequest, Settlement, SnapshotRequest,
    StoredMessage, SubscribeRequest, Transport, TransportExt as _,
};
use event_sdk::{EventBus, Pattern, Subject};
use event_sdk_topology::backup::{self, BackupError, Manifest};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use tempfile::TempDir;

use crate::support::{Place, bus, by_hand};

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

/// A backup of a small stream in memory.
async fn small(folder: &TempDir) -> (Place, Manifest) {
    let place = Place::memory();
    by_hand(&place.bus, orders()).await;
    publish(&place.bus, 1..=100).await;
    let manifest = backup::write(&place.bus, "ORDERS", file(folder), |_| {}).await;
    (place, manifest.unwrap())
}

/// What is refused, without a stream.
async fn refused(path: &Path) -> BackupError {
    let place = Place::memory();
    let error = backup::restore(&place.bus, path, |_| {}).await.unwrap_err();
    let verified = backup::verify(path).await.unwrap_err();
    assert_eq!(error.to_string(), verified.to_string());
    let state = place.bus.stream_state("ORDERS").await.unwrap_err();
    assert_eq!(*state.kind(), ErrorKind::StreamNotFound);
    error
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let _ = small(&folder).await;
    let bytes = fs::read(file(&folder)).unwrap();
    let path = folder.path().join("damaged");
    for end in (1..bytes.len())
        .step_by(bytes.len() / 40)
        .chain([bytes.len() - 1])
    {
        fs::write(&path, &bytes[..end]).unwrap();
        let error = refused(&path).await;
        // Without its beginning it cannot be told from something else.
        let is_right = match &error {
            BackupError::Damaged { .. } => true,
            BackupError::NotABackup { .. } => end < 1_000,
            _ => false,
        };
        assert!(is_right, "{end} bytes: {error}");
    }
    let mut changed = bytes.clone();
    for at in (20..bytes.len()).step_by(bytes.len() / 40) {
        changed[at] ^= 0x10;
        fs::write(&path, &changed).unwrap();
        let error = refused(&path).await.to_string();
        assert!(error.contains("damaged"), "byte {at}: {error}");
        changed[at] ^= 0x10;
    }
}

#[tokio::test]
async fn what_is_no_backup_is_said() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("other");
    assert!(matches!(refused(&path).await, BackupError::Io { .. }));
    for bytes in [&b""[..], b"no archive at all, but a text"] {
        fs::write(&path, bytes).unwrap();
        let error = refused(&path).await;
        assert!(matches!(error, BackupError::NotABackup { .. }), "{error}");
    }
    let files = |manifest: &str| {
        let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let mut archive = tar::Builder::new(gzip);
        let mut header = tar::Header::new_gnu();
        header.set_size(manifest.len() as u64);
        archive
            .append_data(&mut header, "ORDERS/manifest.json", manifest.as_bytes())
            .unwrap();
        archive.into_inner().unwrap().finish().unwrap()
    };
    fs::write(&path, files(r#"{"format":"another","version":1}"#)).unwrap();
    let error = refused(&path).await;
    assert!(matches!(error, BackupError::NotABackup { .. }), "{error}");
    fs::write(&path, files(r#"{"format":"event-sdk-backup","version":2}"#)).unwrap();
    let error = refused(&path).await;
    assert!(
        matches!(error, BackupError::NewerFormat { version: 2, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_exists_is_not_replaced() {
    let folder = TempDir::new().unwrap();
    let (place, _) = small(&folder).await;
    let before = fs::read(file(&folder)).unwrap();
    let error = backup::write(&place.bus, "ORDERS", file(&folder), |_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, BackupError::FileExists { .. }), "{error}");
    assert_eq!(fs::read(file(&folder)).unwrap(), before);
    assert_eq!(only_file(folder.path()), file(&folder));
}

#[tokio::test]
async fn another_prefix_is_refused() {
    let folder = TempDir::new().unwrap();
    let _ = small(&folder).await;
    let place = Place::memory();
    let other = place.bus.with_prefix("shop").unwrap();
    let error = backup::restore(&other, file(&folder), |_| {})
        .await
        .unwrap_err();
    let BackupError::OtherPrefix { backup, bus, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((&**backup, &**bus), ("events", "shop"));
    assert!(place.bus.stream_state("ORDERS").await.is_err());
}

#[tokio::test]
async fn a_server_refuses_a_backup_of_memory() {
    let folder = TempDir::new().unwrap();
    let _ = small(&folder).await;
    let place = Place::current().await;
    let error = backup::restore(&place.bus, file(&folder), |_| {})
        .await
        .unwrap_err();
    let BackupError::Transport(error) = error else {
        panic!("{error}");
    };
    assert_eq!(*error.kind(), ErrorKind::InvalidSnapshot, "{error}");
}

#[tokio::test]
async fn a_backup_that_fails_leaves_no_file() {
    let folder = TempDir::new().unwrap();
    let place = Place::memory();
    let missing = backup::write(&place.bus, "ORDERS", file(&folder), |_| {}).await;
    let BackupError::Transport(error) = missing.unwrap_err() else {
        panic!("another error");
    };
    assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{error}");
    let nowhere = folder.path().join("no").join("folder.tar.gz");
    by_hand(&place.bus, orders()).await;
    let error = backup::write(&place.bus, "ORDERS", nowhere, |_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, BackupError::Io { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A transport whose streams have no snapshots.
#[derive(Debug)]
struct Lacking(event_sdk::transport::memory::MemoryTransport);

impl Transport for Lacking {
    fn name(&self) -> &'static str {
        "lacking"
    }

    fn capabilities(&self) -> event_sdk::transport::Capabilities {
        self.0.capabilities()
    }

    fn publish(
        &self,
        message: PublishRequest<'_>,
    ) -> event_sdk::transport::Completion<Result<event_sdk::transport::Confirmation, Error>> {
        self.0.publish(message)
    }

    fn subscribe(
        &self,
        request: SubscribeRequest,
    ) -> event_sdk::transport::Completion<Result<event_sdk::transport::Subscription, Error>> {
        self.0.subscribe(request)
    }

    fn drain(
        &self,
        within: Duration,
    ) -> event_sdk::transport::Completion<Result<event_sdk::transport::Drained, Error>> {
        self.0.drain(within)
    }

    fn close(&self) -> event_sdk::transport::Completion<Result<(), Error>> {
        self.0.close()
    }
}

#[tokio::test]
async fn a_transport_without_snapshots_says_so() {
    let folder = TempDir::new().unwrap();
    let memory = event_sdk::transport::memory::MemoryTransport::builder();
    let bus = bus(Lacking(memory.build().unwrap()));
    let error = backup::write(&bus, "EVENTS", file(&folder), |_| {})
        .await
        .unwrap_err();
    let BackupError::Transport(error) = error else {
        panic!("{error}");
    };
    let kind = ErrorKind::Unsupported(Capability::Snapshots);
    assert_eq!(*error.kind(), kind, "{error}");
}

/// The unpacked folder is what the `nats` command line restores: its two files, as it reads them.
#[tokio::test]
async fn the_unpacked_folder_is_one_of_the_nats_command_line() {
    let folder = TempDir::new().unwrap();
    let place = Place::current().await;
    by_hand(&place.bus, orders()).await;
    publish(&place.bus, 1..=100).await;
    let manifest = backup::write(&place.bus, "ORDERS", file(&folder), |_| {})
        .await
        .unwrap();
    let gzip = flate2::read::GzDecoder::new(fs::File::open(file(&folder)).unwrap());
    tar::Archive::new(gzip).unpack(folder.path()).unwrap();
    let unpacked = folder.path().join("ORDERS");
    let description = fs::read(unpacked.join("backup.json")).unwrap();
    let description: serde_json::Value = serde_json::from_slice(&description).unwrap();
    assert_eq!(description["config"]["name"], "ORDERS");
    assert_eq!(description["state"]["messages"], 100);
    let content = fs::read(unpacked.join("stream.tar.s2")).unwrap();
    assert_eq!(content.len() as u64, manifest.content.size);
    // The beginning of an S2 stream.
    assert_eq!(&content[..10], b"\xff\x06\x00\x00S2sTwO");
}
