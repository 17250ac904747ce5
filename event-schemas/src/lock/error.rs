//! `LockError`: why a lock cannot be read.

use std::io;
use std::path::PathBuf;

use event_schemas_subset::SchemaError;
use thiserror::Error;

/// Why a lock cannot be read. Each names the file; nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LockError {
    /// There is no lock.
    #[error("there is no lock: `index.json` is missing; `schemas generate` writes it")]
    NoLock,
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is no JSON.
    #[error("{path} is no JSON{}", if *conflict { ": it has the marks of a merge that was not finished; take either side, then run `schemas generate`" } else { "; put it back as it was committed (`git checkout`)" })]
    NotJson {
        /// The file, in the lock's folder.
        path: String,
        /// Whether it has the marks of a conflict of Git.
        conflict: bool,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A newer release wrote the lock.
    #[error(
        "index.json is of format {found}, and this release of event-schemas knows formats up to {known}; use a newer release"
    )]
    NewerFormat {
        /// The format of the lock.
        found: u64,
        /// The newest one that is known.
        known: u32,
    },
    /// The index says something that cannot be.
    #[error("{path}: {why}")]
    Malformed {
        /// The file, in the lock's folder.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The index names a file that is not there.
    #[error(
        "{path} is missing, but the index has it; restore the committed file (`git checkout`): contracts are not removed"
    )]
    MissingFile {
        /// The file, in the lock's folder.
        path: String,
    },
    /// A file is not as it was written.
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
        /// Why not.
        source: SchemaError,
    },
    /// A version is there twice.
    #[error("index.json has {subject} {version} twice; remove one of the two entries")]
    TwoVersions {
        /// The event.
        subject: String,
        /// The version.
        version: String,
    },
    /// An event is there twice.
    #[error("index.json has the event {subject} twice; remove one of the two entries")]
    TwoEvents {
        /// The event.
        subject: String,
    },
}
