//! `Writer`: the thread that writes a backup. Its temporary files are removed when it is dropped.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::thread;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, tempfile_in};
use tokio::sync::{mpsc, oneshot};

use super::archive;
use super::error::BackupError;
use super::manifest::Manifest;

/// How many pieces wait for the thread: with those of a server, which have 128 KiB, some 8 MiB.
const WAITING: usize = 64;

/// A backup that is being written.
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    done: oneshot::Receiver<Result<Manifest, BackupError>>,
}

enum Job {
    Piece(Bytes),
    Finish(Box<Manifest>, Bytes),
}

impl Writer {
    /// Begins to write, if there is no file of this name.
    pub(super) fn begin(path: &Path) -> Result<Self, BackupError> {
        if path.symlink_metadata().is_ok() {
            let path = path.to_owned();
            return Err(BackupError::FileExists { path });
        }
        let (jobs, todo) = mpsc::channel(WAITING);
        let (result, done) = oneshot::channel();
        let target = path.to_owned();
        let thread = thread::Builder::new().name("event-sdk-backup".to_owned());
        let spawned = thread.spawn(move || {
            // Without an end, nobody waits for it.
            if let Some(written) = run(&target, todo).transpose() {
                let _ = result.send(written);
            }
        });
        spawned.map_err(BackupError::io(path, "start a thread to write"))?;
        Ok(Self { jobs, done })
    }

    /// Writes a piece of the content. `false` if the thread has failed:
    /// [`finish`](Self::finish) says why.
    pub(super) async fn push(&self, piece: Bytes) -> bool {
        self.jobs.send(Job::Piece(piece)).await.is_ok()
    }

    /// Completes the file.
    pub(super) async fn finish(
        self,
        manifest: Manifest,
        description: Bytes,
    ) -> Result<Manifest, BackupError> {
        let finish = Job::Finish(Box::new(manifest), description);
        // An error of the thread is its result.
        let _ = self.jobs.send(finish).await;
        drop(self.jobs);
        self.done.await.unwrap_or_else(|_| {
            let source = std::io::Error::other("the thread that writes has ended");
            Err(BackupError::io(&PathBuf::new(), "write")(source))
        })
    }
}

/// Writes until the end; `None` if that does not come.
fn run(target: &Path, mut todo: mpsc::Receiver<Job>) -> Result<Option<Manifest>, BackupError> {
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut content = tempfile_in(folder).map_err(BackupError::io(folder, "write to"))?;
    let (mut sha, mut size) = (Sha256::new(), 0);
    while let Some(job) = todo.blocking_recv() {
        let (mut manifest, description) = match job {
            Job::Piece(piece) => {
                let written = content.write_all(&piece);
                written.map_err(BackupError::io(folder, "write to"))?;
                sha.update(&piece);
                size += piece.len() as u64;
                continue;
            }
            Job::Finish(manifest, description) => (manifest, description),
        };
        manifest.content.size = size;
        manifest.content.sha256 = archive::hex(&sha.finalize());
        let mut file =
            NamedTempFile::new_in(folder).map_err(BackupError::io(folder, "write to"))?;
        let written = content
            .seek(SeekFrom::Start(0))
            .and_then(|_| archive::write(file.as_file_mut(), &manifest, &description, &mut content))
            .and_then(|()| file.as_file().sync_all());
        written.map_err(BackupError::io(target, "write"))?;
        file.persist_noclobber(target).map_err(|error| {
            if error.error.kind() == std::io::ErrorKind::AlreadyExists {
                let path = target.to_owned();
                return BackupError::FileExists { path };
            }
            BackupError::io(target, "write")(error.error)
        })?;
        return Ok(Some(*manifest));
    }
    Ok(None)
}
