//! The lock: the folder `contracts/` with schemas, golden documents and `index.json` of all
//! versions.
//!
//! The folder is `contracts` unless another is given. It has these files:
//!
//! - `<subject>/<version>.json`: a JSON Schema (2020-12) of the whole envelope as a publisher
//!   writes it. `$defs` has two schemas of the data, as a publisher writes it and as a subscriber
//!   reads it; `x-event` names both;
//! - `<subject>/<version>.golden.json`: the golden document, an envelope of that version. Every
//!   later version of the event must be able to read it, through its upcasters;
//! - `envelope.json`: the JSON Schema of every envelope that a reader accepts;
//! - `index.json`: the rest of the contracts: services, consumers and streams, and for each version
//!   its type, key, stream and hashes. Differences are computed from this file.
//!
//! The name of an event's folder is the subject, with an `@` in front if the event takes no prefix.
//! Bytes other than letters, digits, `_`, `-` and `.` become `=` and two hexadecimal digits. Files
//! that the lock does not know are left alone.
//!
//! # What may change
//!
//! - **The contract of a version that is in the lock does not change.** A change, compatible or
//!   not, needs another version. If readers of the old version can read the new one, raise the
//!   minor. Otherwise raise the major and add an upcaster. `generate` refuses to replace the
//!   contract of a version in the lock ([`Conflict::Changed`]).
//! - Descriptions, titles, defaults and examples can change at any time, and so can services,
//!   consumers and streams.
//! - **A version that was not released yet** can be replaced with `generate --replace <subject>`.
//!   `generate` cannot know whether the version was released. So run `check --against <git ref>` in
//!   the CI, with the ref that was released: the check reports each released version that was
//!   replaced.
//! - **An event that is no longer in the catalogue** stays in the lock: `generate` refuses to write
//!   ([`Conflict::Gone`]) until you declare that no service publishes the event any more
//!   (`generate --retire <subject>`). The index then marks the event as retired. The files of the
//!   event stay, since streams still have its messages.
//! - **A golden document** is written once and never again, unless its version is
//!   replaced.
//!
//! # All or nothing
//!
//! Files are first written under temporary names and then renamed, the index last. If a step fails,
//! the old files are restored. If the lock cannot be read, for example because a newer release of
//! this crate wrote it, `generate` fails and writes nothing.

mod conflict;
mod error;
mod facts;
mod generate;
mod golden;
mod index;
mod json;
mod names;
mod options;
mod plan;
mod read;
mod write;

pub use conflict::{Change, Conflict};
pub use error::LockError;
pub use generate::{GenerateError, drift, generate};
pub use golden::{Golden, GoldenFault, MadeFrom};
pub(crate) use names::{INDEX, schema as schema_path};
pub use options::Options;
pub use plan::Plan;
pub(crate) use write::changed;
pub use write::{WriteError, Written};

use std::path::Path;

use event_sdk::Version;
use event_sdk::event::KeyUse;
use serde_json::Value;

use crate::Catalogue;
use index::Index;

/// The contracts in a folder, read and checked.
#[derive(Debug, Clone)]
pub struct Lock {
    index: Index,
    events: Vec<LockedEvent>,
}

/// An event in the lock, with its versions.
#[derive(Debug, Clone)]
pub struct LockedEvent {
    pub(crate) subject: String,
    pub(crate) absolute: bool,
    pub(crate) retired: bool,
    pub(crate) versions: Vec<LockedVersion>,
}

/// A version of an event in the lock.
#[derive(Debug, Clone)]
pub struct LockedVersion {
    pub(crate) version: Version,
    pub(crate) facts: index::VersionFacts,
    pub(crate) key: KeyUse,
    pub(crate) schema_path: String,
    pub(crate) envelope: Value,
    pub(crate) writer: Value,
    pub(crate) reader: Value,
    pub(crate) golden: Golden,
}

impl Lock {
    /// Reads the lock in the folder `dir`.
    ///
    /// # Errors
    ///
    /// [`LockError`] names the file and what is wrong with it. If the folder has no lock, the error
    /// is [`LockError::NoLock`].
    pub fn read(dir: impl AsRef<Path>) -> Result<Self, LockError> {
        read::folder(dir.as_ref())
    }

    /// Reads a lock from the contents of its files. Each file has its path relative to the lock's
    /// folder, with `/` between the parts.
    ///
    /// # Errors
    ///
    /// The same as for [`read`](Self::read).
    pub fn from_files(
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<Self, LockError> {
        let files = files.into_iter().collect();
        read::lock(&|path| Ok(read::file_of(&files, path)))
    }

    /// The events, sorted by subject.
    pub fn events(&self) -> &[LockedEvent] {
        &self.events
    }

    /// The event with this subject.
    pub fn event(&self, subject: &str, absolute: bool) -> Option<&LockedEvent> {
        let mut events = self.events.iter();
        events.find(|event| event.subject == subject && event.absolute == absolute)
    }

    /// Finds the golden documents that the catalogue can no longer read. Each document is read as
    /// the newest version of its event, through the event's upcasters. Events that are not in the
    /// catalogue are skipped.
    pub fn golden_faults(&self, catalogue: &Catalogue) -> Vec<GoldenFault> {
        golden::faults(catalogue, self)
    }

    /// The prefix of the bus.
    pub fn prefix(&self) -> &str {
        &self.index.prefix
    }

    /// The index as JSON, with `services` and `streams`.
    pub fn index(&self) -> Value {
        // What was read as JSON can be written as such.
        serde_json::to_value(&self.index).unwrap_or_default()
    }
}

impl LockedEvent {
    /// The subject, without prefix and key.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether the subject takes no prefix.
    pub fn is_absolute(&self) -> bool {
        self.absolute
    }

    /// Whether the event is retired: no service publishes it any more.
    pub fn is_retired(&self) -> bool {
        self.retired
    }

    /// The versions, the oldest first; there is at least one.
    pub fn versions(&self) -> &[LockedVersion] {
        &self.versions
    }

    /// The newest version.
    pub fn newest(&self) -> Option<&LockedVersion> {
        self.versions.last()
    }

    /// The given version; `None` if the lock does not have it.
    pub fn version(&self, version: Version) -> Option<&LockedVersion> {
        self.versions
            .iter()
            .find(|locked| locked.version == version)
    }
}

impl LockedVersion {
    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The name of the Rust type.
    pub fn name(&self) -> &str {
        &self.facts.name
    }

    /// The `event_type` of the envelope.
    pub fn event_type(&self) -> &str {
        &self.facts.event_type
    }

    /// Whether the event has a key, and whether the key is in the subject.
    pub fn key_use(&self) -> KeyUse {
        self.key
    }

    /// The stream that stores the event, if the catalogue had one.
    pub fn stream(&self) -> Option<&str> {
        self.facts.stream.as_deref()
    }

    /// The services that publish the event, sorted.
    pub fn publishers(&self) -> &[String] {
        &self.facts.publishers
    }

    /// The services that consume the event, sorted.
    pub fn consumers(&self) -> &[String] {
        &self.facts.consumers
    }

    /// The paths of the personal data (`items[].name`), sorted.
    pub fn pii(&self) -> &[String] {
        &self.facts.pii
    }

    /// The path of the schema's file in the folder.
    pub fn schema_path(&self) -> &str {
        &self.schema_path
    }

    /// The JSON Schema of the whole envelope, as a publisher writes it.
    pub fn envelope(&self) -> &Value {
        &self.envelope
    }

    /// The JSON Schema of the data, as a publisher writes them.
    pub fn writer(&self) -> &Value {
        &self.writer
    }

    /// The JSON Schema of the data, as a subscriber reads them.
    pub fn reader(&self) -> &Value {
        &self.reader
    }

    /// The golden document.
    pub fn golden(&self) -> &Golden {
        &self.golden
    }
}
