//! `Writer`: the thread that writes a backup. Its temporary files are removed when it is dropped.
//!
//! The thread writes the complete file under a temporary name, and the caller's future gives it its
//! name, so that a future that was dropped has not done so.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
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
    done: oneshot::Receiver<Written>,
    target: PathBuf,
}

/// The complete file under its temporary name, which is removed if nobody takes it.
type Written = Result<(Manifest, NamedTempFile), BackupError>;

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
            if let Some(written) = run(&target, todo, &result).transpose() {
                let _ = result.send(written);
            }
        });
        spawned.map_err(BackupError::io(path, "start a thread to write"))?;
        let target = path.to_owned();
        Ok(Self { jobs, done, target })
    }

    /// Writes a piece of the content. `false` if the thread has failed:
    /// [`finish`](Self::finish) says why.
    pub(super) async fn push(&self, piece: Bytes) -> bool {
        self.jobs.send(Job::Piece(piece)).await.is_ok()
    }

    /// Completes the file and gives it its name, as the last thing before it returns. The last poll blocks
    /// its thread until the name is on disk.
    pub(super) async fn finish(
        self,
        manifest: Manifest,
        description: Bytes,
    ) -> Result<Manifest, BackupError> {
        let finish = Job::Finish(Box::new(manifest), description);
        // An error of the thread is its result.
        let _ = self.jobs.send(finish).await;
        drop(self.jobs);
        let target = &*self.target;
        let (manifest, file) = self.done.await.unwrap_or_else(|_| {
            let source = io::Error::other("the thread that writes has ended");
            Err(BackupError::io(target, "write")(source))
        })?;
        name(file, target, sync_folder)?;
        Ok(manifest)
    }
}

/// Gives the complete file its name, and syncs the folder: only then a crash of the machine keeps the
/// name. If that fails, the file is removed.
fn name(
    file: NamedTempFile,
    target: &Path,
    sync: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), BackupError> {
    file.persist_noclobber(target).map_err(|why| {
        if why.error.kind() == io::ErrorKind::AlreadyExists {
            let path = target.to_owned();
            BackupError::FileExists { path }
        } else {
            BackupError::io(target, "write")(why.error)
        }
    })?;
    let folder = folder_of(target);
    sync(folder).map_err(|why| {
        // The error is what the caller acts on, also if the file stays.
        let _ = fs::remove_file(target);
        BackupError::io(folder, "write to disk the names in")(why)
    })
}

/// Writes the names of the files in a folder to disk, unless the folder may not be read or its file system does not
/// sync folders: then that is left to the system.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(why) if matches!(why.kind(), InvalidInput | PermissionDenied | Unsupported) => Ok(()),
        synced => synced,
    }
}

/// On other systems, no folder can be opened to be synced.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn folder_of(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Writes until the end; `None` if that does not come.
fn run(
    target: &Path,
    mut todo: mpsc::Receiver<Job>,
    result: &oneshot::Sender<Written>,
) -> Result<Option<(Manifest, NamedTempFile)>, BackupError> {
    let folder = folder_of(target);
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
        let written = content.seek(SeekFrom::Start(0)).and_then(|_| {
            let mut content = Awaited { content, result };
            archive::write(file.as_file_mut(), &manifest, &description, &mut content)
        });
        let written = written.and_then(|()| file.as_file().sync_all());
        written.map_err(BackupError::io(target, "write"))?;
        return Ok(Some((*manifest, file)));
    }
    Ok(None)
}

/// The content, which cannot be read any more once nobody waits for the result.
struct Awaited<'a> {
    content: File,
    result: &'a oneshot::Sender<Written>,
}

impl Read for Awaited<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.result.is_closed() {
            return Err(io::Error::other("nobody waits for the backup any more"));
        }
        self.content.read(into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_synced_once_the_file_has_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("orders.tar.gz");
        let file = || NamedTempFile::new_in(folder.path()).unwrap();
        let mut synced = None;
        let named = name(file(), &target, |folder| {
            synced = Some((folder.to_owned(), target.exists()));
            sync_folder(folder)
        });
        assert!(named.is_ok(), "{named:?}");
        assert_eq!(synced, Some((folder.path().to_owned(), true)));

        let again = name(file(), &target, |_| unreachable!("it has no name"));
        assert!(matches!(again, Err(BackupError::FileExists { .. })));
        assert!(target.exists());
    }

    #[test]
    fn a_file_whose_folder_cannot_be_synced_is_no_backup() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("orders.tar.gz");
        let file = NamedTempFile::new_in(folder.path()).unwrap();
        let failed = name(file, &target, |_| Err(io::Error::other("the disk is away")));
        let failed = failed.unwrap_err().to_string();
        assert!(failed.starts_with("cannot write to disk"), "{failed}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
