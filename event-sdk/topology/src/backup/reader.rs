//! Reads a backup in a thread: once to compare it with its manifest, and once to send its content.

use std::path::Path;
use std::thread;

use bytes::Bytes;
use event_sdk::transport::{Error, ErrorKind, Operation, SnapshotContent};
use futures_util::stream;
use tokio::sync::{mpsc, oneshot};

use super::archive;
use super::error::BackupError;
use super::manifest::Manifest;

/// How many pieces wait until they are sent.
const WAITING: usize = 8;

/// The manifest and the description of a backup, all of which was read and compared.
pub(super) async fn verified(path: &Path) -> Result<(Manifest, Bytes), BackupError> {
    let (result, done) = oneshot::channel();
    let own = path.to_owned();
    spawn(path, move || {
        let read = archive::read(&own, |_| Ok(()));
        // Nobody waits if it was dropped.
        let _ = result.send(read);
    })?;
    let read = done.await.unwrap_or_else(|_| {
        let source = std::io::Error::other("the thread that reads has ended");
        Err(BackupError::io(path, "read")(source))
    });
    read.map(|(manifest, description)| (manifest, description.into()))
}

/// The content of a backup that was compared before, and the sizes of the pieces that were taken.
pub(super) fn content(
    path: &Path,
    manifest: &Manifest,
) -> (SnapshotContent, mpsc::UnboundedReceiver<u64>) {
    let (pieces, waiting) = mpsc::channel(WAITING);
    let (taken, sizes) = mpsc::unbounded_channel();
    let (own, expected) = (path.to_owned(), manifest.clone());
    let failed = pieces.clone();
    let spawned = spawn(path, move || {
        let each = |piece: &[u8]| {
            let piece = Bytes::copy_from_slice(piece);
            let gone = || BackupError::damaged(&own, "nobody reads it");
            pieces.blocking_send(Ok(piece)).map_err(|_| gone())
        };
        let read = archive::read(&own, each).and_then(|(manifest, _)| {
            if manifest == expected {
                return Ok(());
            }
            Err(BackupError::damaged(
                &own,
                "it was replaced while it was read",
            ))
        });
        if let Err(error) = read {
            // The reader may be gone.
            let _ = pieces.blocking_send(Err(changed(&expected, error)));
        }
    });
    if let Err(error) = spawned {
        // There is room for it.
        let _ = failed.try_send(Err(changed(manifest, error)));
    }
    drop(failed);
    let content = stream::unfold((waiting, taken), |(mut waiting, taken)| async move {
        let piece: Result<Bytes, Error> = waiting.recv().await?;
        if let Ok(piece) = &piece {
            // Nobody counts any more if the restore was dropped.
            let _ = taken.send(piece.len() as u64);
        }
        Some((piece, (waiting, taken)))
    });
    (Box::pin(content), sizes)
}

/// The error in the content of a backup that was complete a moment ago.
fn changed(manifest: &Manifest, error: BackupError) -> Error {
    let reason = "the backup cannot be read again";
    Error::new(ErrorKind::InvalidSnapshot, Operation::Manage, reason)
        .at_stream(manifest.stream.clone())
        .with_source(error)
}

fn spawn(path: &Path, work: impl FnOnce() + Send + 'static) -> Result<(), BackupError> {
    let thread = thread::Builder::new().name("event-sdk-backup".to_owned());
    let spawned = thread.spawn(work);
    spawned.map_err(BackupError::io(path, "start a thread to read"))?;
    Ok(())
}
