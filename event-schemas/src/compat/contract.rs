//! `Contract`: what one version of an event promises, read from the code or from the lock.

use event_sdk::envelope::Version;
use event_sdk::event::KeyUse;
use serde_json::Value;

/// What one version of an event promises.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Contract {
    /// The version.
    pub version: Version,
    /// What the contract promises apart from the data.
    pub facts: Facts,
    /// The JSON Schema of the data that its publishers write.
    pub writer: Value,
    /// The JSON Schema of the data that its subscribers read.
    pub reader: Value,
    /// The fields that are personal data, as paths (`customer.email`), sorted.
    pub pii: Vec<String>,
    /// A document that was really written.
    pub golden: Option<Value>,
    /// The file with its schema, relative to the folder.
    pub file: String,
}

/// What the contract of an event promises apart from the data.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The subject: relative, or whole if it is absolute.
    pub subject: String,
    /// Whether the subject takes no prefix.
    pub absolute: bool,
    /// The `event_type` of the envelope.
    pub event_type: String,
    /// Whether the event has a key, and whether the key is in the subject.
    pub key: KeyUse,
    /// The stream that stores it.
    pub stream: Option<String>,
    /// The services that publish it, sorted.
    pub publishers: Vec<String>,
    /// The Rust type.
    pub rust_type: String,
}

impl Contract {
    /// A version with these schemas of its data, without anything personal and without a
    /// golden document, in no file.
    #[must_use]
    pub fn new(version: Version, facts: Facts, writer: Value, reader: Value) -> Self {
        Self {
            version,
            facts,
            writer,
            reader,
            pii: Vec::new(),
            golden: None,
            file: String::new(),
        }
    }
}

impl Facts {
    /// An event on a relative subject that has no key, stream and publisher.
    pub fn new(
        subject: impl Into<String>,
        event_type: impl Into<String>,
        rust_type: impl Into<String>,
    ) -> Self {
        Self {
            subject: subject.into(),
            absolute: false,
            event_type: event_type.into(),
            key: KeyUse::None,
            stream: None,
            publishers: Vec::new(),
            rust_type: rust_type.into(),
        }
    }
}

/// All versions of one event that are committed, or that the code has.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// The subject, which is the identity of the event.
    pub subject: String,
    /// Whether the subject takes no prefix, which is part of the identity.
    pub absolute: bool,
    /// The versions, oldest first.
    pub versions: Vec<Contract>,
}

impl History {
    /// An event with its versions, in whatever order they come.
    pub fn new(subject: impl Into<String>, absolute: bool, mut versions: Vec<Contract>) -> Self {
        versions.sort_by_key(|contract| contract.version);
        Self {
            subject: subject.into(),
            absolute,
            versions,
        }
    }
}
