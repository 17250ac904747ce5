//! `BackupError`: why a backup was not written, read or restored.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use event_sdk::transport::Error;

/// Why a backup was not written, read or restored.
#[derive(Debug)]
#[non_exhaustive]
pub enum BackupError {
    /// A file of this name exists. A backup does not replace a file.
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written.
    Io {
        /// The file, or its folder.
        path: PathBuf,
        /// What was being done when the error occurred.
        action: &'static str,
        /// The reason.
        source: io::Error,
    },
    /// The file is not a backup.
    NotABackup {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The file has a format of a newer version of the SDK.
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// The version of the format.
        version: u32,
    },
    /// The file is a backup that is incomplete, or was changed.
    Damaged {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The bus has another prefix than the bus that wrote the backup: its events would not reach
    /// the restored stream.
    OtherPrefix {
        /// The file.
        path: PathBuf,
        /// The prefix in the backup.
        backup: String,
        /// The prefix of the bus.
        bus: String,
    },
    /// The transport could not write or restore the stream.
    Transport(Error),
}

impl BackupError {
    pub(super) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            path,
            action,
            source,
        }
    }

    pub(super) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}

impl From<Error> for BackupError {
    fn from(error: Error) -> Self {
        Self::Transport(error)
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileExists { path } => write!(
                f,
                "{} exists, and a backup replaces no file; choose another name, or remove it",
                path.display()
            ),
            Self::Io { path, action, .. } => write!(f, "cannot {action} {}", path.display()),
            Self::NotABackup { path, reason } => {
                write!(f, "{} is no backup of a stream: {reason}", path.display())
            }
            Self::NewerFormat { path, version } => write!(
                f,
                "{} has version {version} of the format, which a newer version of event-sdk reads; update it",
                path.display()
            ),
            Self::Damaged { path, reason } => write!(
                f,
                "the backup {} is damaged: {reason}; use another backup",
                path.display()
            ),
            Self::OtherPrefix { path, backup, bus } => write!(
                f,
                "the backup {} was written with the prefix \"{backup}\", and the prefix of this bus is \"{bus}\", so its events would not reach the restored stream; use a bus with that prefix",
                path.display()
            ),
            Self::Transport(_) => f.write_str("the transport failed"),
        }
    }
}

impl std::error::Error for BackupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Transport(error) => Some(error),
            _ => None,
        }
    }
}
