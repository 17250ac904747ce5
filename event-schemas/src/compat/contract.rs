//! `Contract`: what one version of an event promises, read from the code or from the lock.

use event_sdk::envelope::Version;
use event_sdk::event::KeyUse;
use serde_json::Value;

/// The contract of one version of an event.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Contract {
    /// The version.
    pub version: Version,
    /// What the contract promises apart from the data.
    pub facts: Facts,
    /// The JSON Schema of the data that publishers of the event write.
    pub writer: Value,
    /// The JSON Schema of the data that subscribers to the event read.
    pub reader: Value,
    /// The fields that are personal data, as paths (`customer.email`), sorted.
    pub pii: Vec<String>,
    /// The data of the golden document, if there is one.
    pub golden: Option<Value>,
    /// The path of the schema's file, relative to the folder of the contracts.
    pub file: String,
}

/// What the contract of an event promises apart from the data.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// The subject: relative to the bus's prefix, or whole if the event is absolute.
    pub subject: String,
    /// Whether the subject takes no prefix.
    pub absolute: bool,
    /// The `event_type` of the envelope.
    pub event_type: String,
    /// Whether the event has a key, and whether the key is in the subject.
    pub key: KeyUse,
    /// The stream that stores the event.
    pub stream: Option<String>,
    /// The services that publish the event, sorted.
    pub publishers: Vec<String>,
    /// The Rust type.
    pub rust_type: String,
}

impl Contract {
    /// Creates the contract of a version. It has no personal data, no golden document and no file.
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
    /// Creates the facts of an event on a relative subject, without key, stream and publishers.
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

/// All versions of one event: those that are committed, or those that the code has.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// The subject. Together with `absolute` it identifies the event.
    pub subject: String,
    /// Whether the subject takes no prefix. This is part of the identity.
    pub absolute: bool,
    /// The versions, oldest first.
    pub versions: Vec<Contract>,
}

impl History {
    /// Creates the history of an event from its versions, which may be in any order.
    pub fn new(subject: impl Into<String>, absolute: bool, mut versions: Vec<Contract>) -> Self {
        versions.sort_by_key(|contract| contract.version);
        Self {
            subject: subject.into(),
            absolute,
            versions,
        }
    }
}
