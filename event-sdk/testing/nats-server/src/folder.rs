//! Temporary folder of a server: configuration, store, log.

use std::path::{Path, PathBuf};
use std::{fs, io};

use tempfile::TempDir;

/// Removed when dropped.
#[derive(Debug)]
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("event-sdk-nats-")
            .tempdir()?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path().join("server.conf")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path().join("store")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path().join("server.log")
    }

    /// The whole log; what cannot be read is said instead, since it is there to be shown.
    pub(crate) fn log_text(&self) -> String {
        match fs::read(self.log()) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("(the log could not be read: {error})"),
        }
    }

    /// The last lines of the log.
    pub(crate) fn log_end(&self) -> String {
        const LINES: usize = 40;
        let text = self.log_text();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}
