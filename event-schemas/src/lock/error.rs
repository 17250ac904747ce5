//! `LockError`: why a lock cannot be read.

use std::io;
use std::path::PathBuf;

use event_schemas_subset::SchemaError;
use thiserror::Error;

/// Why a lock cannot be read. Each error names the file; nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// The folder has no lock.
    #[error("there is no lock: `index.json` is missing; `schemas generate` writes it")]
    NoLock,
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file is not JSON.
    #[error("{path} is no JSON{}", if *conflict { ": it has the marks of a merge that was not finished; take either side, then run `schemas generate`" } else { "; put it back as it was committed (`git checkout`)" })]
    NotJson {
        /// The file, in the lock's folder.
        path: String,
        /// Whether the file has the markers of a Git conflict.
        conflict: bool,
        /// The place and the reason.
        source: serde_json::Error,
    },
    /// A newer release wrote the lock.
    #[error(
        "index.json is of format {found}, and this release of event-schemas knows formats up to {known}; use a newer release"
    )]
    NewerFormat {
        /// The format of the lock.
        found: u64,
        /// The newest format that this release knows.
        known: u32,
    },
    /// The index has an invalid value.
    #[error("{path}: {why}")]
    Malformed {
        /// The file, in the lock's folder.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The index names a file that does not exist.
    #[error(
        "{path} is missing, but the index has it; restore the committed file (`git checkout`): contracts are not removed"
    )]
    MissingFile {
        /// The file, in the lock's folder.
        path: String,
    },
    /// A file was changed after `generate` wrote it.
    #[error(
        "{path} is not as `schemas generate` wrote it (its hash differs); restore the committed file (`git checkout`), and change the type instead"
    )]
    Edited {
        /// The file, in the lock's folder.
        path: String,
    },
    /// A file is not a JSON Schema.
    #[error("{path} is no schema of an event")]
    NotASchema {
        /// The file, in the lock's folder.
        path: String,
        /// The cause.
        source: SchemaError,
    },
    /// The index has a version twice.
    #[error("index.json has {subject} {version} twice; remove one of the two entries")]
    TwoVersions {
        /// The event.
        subject: String,
        /// The version.
        version: String,
    },
    /// The index has an event twice.
    #[error("index.json has the event {subject} twice; remove one of the two entries")]
    TwoEvents {
        /// The event.
        subject: String,
    },
}
