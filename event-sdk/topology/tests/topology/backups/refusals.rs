//! Files that are refused, and backups that fail.

use std::cell::Cell;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    Capabilities, Capability, Completion, Confirmation, Drained, Error, ErrorKind, PublishRequest,
    SubscribeRequest, Subscription, Transport,
};
use event_sdk_topology::backup::{self, BackupError, Manifest};
use futures_util::FutureExt as _;
use tempfile::TempDir;

use super::{file, only_file, orders, publish};
use crate::support::{Place, bus, by_hand};

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

/// The archive in a file.
fn unpacked(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut archive = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut archive)?;
    Ok(archive)
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
    let whole = unpacked(&bytes).unwrap();
    let mut changed = bytes.clone();
    for at in (20..bytes.len()).step_by(bytes.len() / 40) {
        changed[at] ^= 0x10;
        // The compressed form has a few bits that mean nothing, at the end of its last block.
        if unpacked(&changed).is_ok_and(|archive| archive == whole) {
            changed[at] ^= 0x10;
            continue;
        }
        fs::write(&path, &changed).unwrap();
        let error = refused(&path).await.to_string();
        assert!(error.contains("damaged"), "byte {at}: {error}");
        changed[at] ^= 0x10;
    }
}

/// The archive is whole, and another content is in it, or one file too much or too few.
#[tokio::test]
async fn a_file_that_was_packed_again_is_refused() {
    let folder = TempDir::new().unwrap();
    let _ = small(&folder).await;
    let gzip = flate2::read::GzDecoder::new(fs::File::open(file(&folder)).unwrap());
    tar::Archive::new(gzip).unpack(folder.path()).unwrap();
    let unpacked = folder.path().join("ORDERS");
    let names = ["manifest.json", "backup.json", "stream.event-sdk-memory"];
    let content = unpacked.join(names[2]);
    let whole = fs::read(&content).unwrap();
    let path = folder.path().join("again");
    let packed = |names: &[&str]| {
        let file = fs::File::create(&path).unwrap();
        let gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        let mut archive = tar::Builder::new(gzip);
        for name in names {
            let inside = format!("ORDERS/{name}");
            archive
                .append_path_with_name(unpacked.join(name), inside)
                .unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap();
    };
    packed(&names);
    assert!(backup::verify(&path).await.is_ok());
    packed(&names[..2]);
    assert!(refused(&path).await.to_string().contains(names[2]));
    packed(&[names[0], names[2]]);
    assert!(refused(&path).await.to_string().contains(names[1]));
    packed(&[names[0], names[1], names[2], names[2]]);
    assert!(refused(&path).await.to_string().contains("more files"));
    let mut other = whole.clone();
    other[whole.len() / 2] ^= 1;
    for content_of in [&other[..], &whole[..whole.len() - 1]] {
        fs::write(&content, content_of).unwrap();
        packed(&names);
        assert!(refused(&path).await.to_string().contains("the manifest"));
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
struct Lacking(MemoryTransport);

impl Transport for Lacking {
    fn name(&self) -> &'static str {
        "lacking"
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        self.0.publish(message)
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        self.0.subscribe(request)
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.0.drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        self.0.close()
    }
}

#[tokio::test]
async fn a_transport_without_snapshots_says_so() {
    let folder = TempDir::new().unwrap();
    let memory = MemoryTransport::builder();
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

#[tokio::test]
async fn a_backup_that_is_dropped_leaves_no_file() {
    let folder = TempDir::new().unwrap();
    let place = Place::current().await;
    by_hand(&place.bus, orders()).await;
    publish(&place.bus, 1..=5_000).await;
    let path = file(&folder);
    let mut reports = 0;
    {
        let mut writing = Box::pin(backup::write(&place.bus, "ORDERS", &path, |_| reports += 1));
        // Until it has begun: a server has to be asked before.
        let first = writing.as_mut().now_or_never();
        assert!(first.is_none(), "{first:?}");
    }
    let begun = Instant::now();
    while fs::read_dir(folder.path()).unwrap().count() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "a file is left");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(reports, 0);
    // The same name is free.
    backup::write(&place.bus, "ORDERS", &path, |_| {})
        .await
        .unwrap();
}

/// All of it is with the thread that writes, so that only the end of the thread is awaited.
#[tokio::test]
async fn a_backup_that_is_dropped_at_its_end_leaves_no_file() {
    let folder = TempDir::new().unwrap();
    let place = Place::memory();
    by_hand(&place.bus, orders()).await;
    publish(&place.bus, 1..=1_000).await;
    let path = file(&folder);
    let count = || fs::read_dir(folder.path()).unwrap().count();
    let size = {
        let manifest = backup::write(&place.bus, "ORDERS", &path, |_| {}).await;
        fs::remove_file(&path).unwrap();
        manifest.unwrap().content.size
    };
    let done = Cell::new(0);
    let mut writing;
    loop {
        done.set(0);
        let report = |report: backup::Progress| done.set(report.done);
        writing = Box::pin(backup::write(&place.bus, "ORDERS", &path, report));
        while done.get() < size {
            if writing.as_mut().now_or_never().is_some() {
                break;
            }
        }
        // The thread may have been as fast as the poll.
        if count() == 0 || fs::remove_file(&path).is_err() {
            break;
        }
    }
    let begun = Instant::now();
    while count() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no file");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(writing);
    let begun = Instant::now();
    while count() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "a file is left");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
