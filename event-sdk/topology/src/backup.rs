//! Backups of streams: one `.tar.gz` file with a manifest and the stream, in the format of its
//! server.
//!
//! [`write`](write()) makes a backup, [`restore`] creates the stream from it, and [`verify`] reads
//! a backup without a server. A backup has messages with headers, sequences and stored times, the
//! configuration of the stream, and its consumers with their positions.
//!
//! ```
//! use event_sdk::EventBus;
//! use event_sdk_topology::backup;
//!
//! # async fn example(bus: EventBus, other: EventBus) -> Result<(), backup::BackupError> {
//! let manifest = backup::write(&bus, "ORDERS", "orders.tar.gz", |progress| {
//!     println!("{} bytes of {}", progress.done, progress.stream);
//! })
//! .await?;
//! println!("{} messages up to sequence {}", manifest.messages, manifest.last_sequence);
//!
//! // On another server, or where the stream was deleted.
//! backup::restore(&other, "orders.tar.gz", |_| {}).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The file
//!
//! The archive has one folder, with the name of the stream, and in it three files in this order:
//!
//! - `manifest.json`: the [`Manifest`];
//! - `backup.json`: the configuration and state of the stream, as the transport returned them;
//! - `stream.tar.s2`: the NATS server's own archive. In a backup of the memory transport, this file
//!   is `stream.event-sdk-memory`.
//!
//! `nats stream restore DIR` of the NATS command line reads the unpacked folder. A backup contains
//! the data of the events, so only its owner can read the file. Keep it only where this data may be
//! kept.

mod archive;
mod error;
mod manifest;
mod reader;
mod writer;

use std::path::Path;

use event_sdk::EventBus;
use event_sdk::text::Text;
use event_sdk::transport::{RestoreRequest, SnapshotRequest, StreamState, TransportExt as _};
use futures_util::StreamExt as _;

pub use self::error::BackupError;
pub use self::manifest::{Content, Manifest};
use self::writer::Writer;

/// How far a backup or a restore is.
///
/// Later versions may add fields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The stream.
    pub stream: Text,
    /// The bytes of the content that were written or sent so far.
    pub done: u64,
    /// The total bytes of the content. `None` while a backup is written, because the size of the
    /// compressed content is not known before its end.
    pub total: Option<u64>,
    /// The number of messages in the whole backup.
    pub messages: u64,
}

/// A stream that was restored.
///
/// Later versions may add fields.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Restored {
    /// The manifest of the backup.
    pub manifest: Manifest,
    /// The state of the restored stream. It has fewer messages than the backup if some messages
    /// have become too old since the backup.
    pub state: StreamState,
}

/// Writes a stream into a new file, and calls `progress` after each piece.
///
/// `stream` is the name of a stream, or a [`SnapshotRequest`]. A `SnapshotRequest` can leave out
/// the consumers. The file is written under a temporary name in the same folder, and gets its name
/// when it is complete. The folder needs room for twice the content. The call uses at most about 16
/// MiB of memory.
///
/// When the call returns `Ok` on Unix, the file and its name are on disk, and a crash of the
/// machine does not remove them. On other systems, in a folder that may not be read, or on a file
/// system that does not sync folders, only the content of the file is sure to be on disk. The file
/// system decides when it writes the name to disk.
///
/// Cancel-safe: the file gets its name in the last poll of the future, so dropping the future
/// leaves no file. The temporary file is removed soon after the drop. The last poll blocks its
/// thread while the system syncs the folder.
///
/// # Errors
///
/// [`BackupError::FileExists`], [`BackupError::Io`], and [`BackupError::Transport`] with the errors
/// of [`Snapshots::snapshot`](event_sdk::transport::Snapshots::snapshot).
pub async fn write(
    bus: &EventBus,
    stream: impl Into<SnapshotRequest>,
    path: impl AsRef<Path>,
    mut progress: impl FnMut(Progress),
) -> Result<Manifest, BackupError> {
    let request = stream.into();
    let stream = request.stream.clone();
    let writer = Writer::begin(path.as_ref())?;
    let snapshot = bus.transport().snapshot_stream(request).await?;
    let manifest = Manifest::of(bus, &stream, &snapshot.info);
    let mut report = Progress {
        stream,
        done: 0,
        total: None,
        messages: snapshot.info.messages,
    };
    progress(report.clone());
    let mut content = snapshot.content;
    while let Some(piece) = content.next().await {
        let piece = piece?;
        report.done += piece.len() as u64;
        if !writer.push(piece).await {
            break;
        }
        progress(report.clone());
    }
    writer.finish(manifest, snapshot.info.description).await
}

/// Creates the stream of a backup, and calls `progress` after each piece.
///
/// The whole file is first read and compared with its manifest: a damaged backup changes nothing.
/// Then the file is read again and sent, in bounded memory.
///
/// Not cancel-safe: after dropping the future, the stream may have been created
/// ([`Snapshots::restore`](event_sdk::transport::Snapshots::restore)).
///
/// # Errors
///
/// [`BackupError::Io`], [`BackupError::NotABackup`], [`BackupError::NewerFormat`],
/// [`BackupError::Damaged`]; [`BackupError::OtherPrefix`] if the bus has another prefix than the
/// bus that wrote the backup, because the events of this bus would not be stored in the restored
/// stream; and [`BackupError::Transport`] with the errors of
/// [`Snapshots::restore`](event_sdk::transport::Snapshots::restore), such as
/// [`StreamExists`](event_sdk::transport::ErrorKind::StreamExists).
pub async fn restore(
    bus: &EventBus,
    path: impl AsRef<Path>,
    mut progress: impl FnMut(Progress),
) -> Result<Restored, BackupError> {
    let path = path.as_ref();
    let (manifest, description) = reader::verified(path).await?;
    if manifest.prefix != bus.prefix() {
        return Err(BackupError::OtherPrefix {
            path: path.to_owned(),
            backup: manifest.prefix,
            bus: bus.prefix().to_owned(),
        });
    }
    let mut report = Progress {
        stream: Text::from(manifest.stream.clone()),
        done: 0,
        total: Some(manifest.content.size),
        messages: manifest.messages,
    };
    progress(report.clone());
    let (content, mut sent) = reader::content(path, &manifest);
    let kind = Text::from(manifest.kind.clone());
    let request = RestoreRequest::new(report.stream.clone(), kind, description, content);
    let mut restoring = bus.transport().restore_stream(request);
    let state = loop {
        tokio::select! {
            state = &mut restoring => break state?,
            Some(size) = sent.recv() => {
                report.done += size;
                progress(report.clone());
            }
        }
    };
    Ok(Restored { manifest, state })
}

/// Reads a whole backup, compares it with its manifest, and returns the manifest. No server is
/// needed.
///
/// Cancel-safe: it changes nothing.
///
/// # Errors
///
/// [`BackupError::Io`], [`BackupError::NotABackup`], [`BackupError::NewerFormat`],
/// [`BackupError::Damaged`].
pub async fn verify(path: impl AsRef<Path>) -> Result<Manifest, BackupError> {
    let (manifest, _) = reader::verified(path.as_ref()).await?;
    Ok(manifest)
}
