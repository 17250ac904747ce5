//! The files of a server, while it is stopped.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::rig::STREAM;

/// A copy of files, which a test puts back later.
pub(crate) struct Copy(TempDir);

/// The folder of everything that a server stores.
pub(crate) fn store(server: &Path) -> PathBuf {
    server.join("store")
}

/// The folder of the messages of the stream, without its consumers.
pub(crate) fn messages(server: &Path) -> PathBuf {
    let stream = store(server).join("jetstream/$G/streams").join(STREAM);
    assert!(stream.is_dir(), "the server keeps its streams elsewhere");
    stream.join("msgs")
}

impl Copy {
    pub(crate) fn of(folder: &Path) -> Self {
        let copy = Self(tempfile::tempdir().expect("a folder"));
        copy_all(folder, &copy.0.path().join("copy"));
        copy
    }

    /// Replaces a folder by the copy.
    pub(crate) fn put(&self, folder: &Path) {
        fs::remove_dir_all(folder).expect("the folder is there");
        copy_all(&self.0.path().join("copy"), folder);
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let place = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_all(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).expect("a copy");
        }
    }
}
