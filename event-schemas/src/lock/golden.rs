//! Golden documents: one envelope for each version, which every later version of the code must
//! read.

use std::str::FromStr as _;

use bytes::Bytes;
use event_sdk::codec::{Codec as _, JsonCodec};
use event_sdk::headers::Headers;
use event_sdk::json::RawJson;
use event_sdk::{EnvelopeHeader, EventKey, Version};
use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;
use uuid::Uuid;

use super::{Lock, LockError, json};
use crate::schema::text;
use crate::{Catalogue, EventEntry};

/// The entry of a golden document's metadata that says what it was made from.
const MARK: &str = "golden_made_from";

/// When all golden documents happened.
const HAPPENED: &str = "2025-11-06T12:00:00Z";

/// A golden document.
#[derive(Debug, Clone)]
pub struct Golden {
    path: String,
    bytes: Bytes,
    data: Value,
    made_from: MadeFrom,
}

/// What a golden document was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeFrom {
    /// The first example of the event in that version.
    Example,
    /// The writer's schema, because the catalogue has no example.
    Schema,
}

/// A golden document that can no longer be read.
#[derive(Debug, Error)]
#[error(
    "{path}: version {version} of {subject} can no longer be read as {newest}, the newest that the code knows; streams and backups still have such events: add an upcaster (`upcast_from`), or mend the one that is there"
)]
pub struct GoldenFault {
    /// The subject of the event.
    pub subject: String,
    /// The version of the document.
    pub version: Version,
    /// The newest version in the catalogue.
    pub newest: Version,
    /// The document's file in the lock's folder.
    pub path: String,
    /// The cause.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl Golden {
    /// The path of the document's file in the lock's folder.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole envelope, as bytes.
    pub fn envelope(&self) -> &[u8] {
        &self.bytes
    }

    /// The data in the envelope.
    pub fn data(&self) -> &Value {
        &self.data
    }

    /// What the document was made from.
    pub fn made_from(&self) -> MadeFrom {
        self.made_from
    }

    pub(super) fn parse(path: String, bytes: Vec<u8>) -> Result<Self, LockError> {
        let envelope = json::parse(&path, &bytes)?;
        let made_from = match envelope.get("metadata").and_then(|meta| meta.get(MARK)) {
            Some(Value::String(from)) if from == "schema" => MadeFrom::Schema,
            _ => MadeFrom::Example,
        };
        let data = envelope.get("data").cloned();
        let data = data.ok_or_else(|| LockError::Malformed {
            path: path.clone(),
            why: "it is no envelope: it has no `data`".to_owned(),
        })?;
        Ok(Self {
            path,
            bytes: bytes.into(),
            data,
            made_from,
        })
    }

    /// Reads it as the event is read in the code, through its upcasters.
    pub(super) fn check(
        &self,
        newest: &EventEntry,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let envelope = JsonCodec.decode(&self.bytes, &Headers::default())?;
        newest.decode(envelope.head.version, &envelope.data)?;
        Ok(())
    }
}

/// Reads every golden document of the lock as the newest version in the
/// catalogue, through its upcasters, and says which cannot be read. Events that
/// are not in the catalogue are left out.
pub(super) fn faults(catalogue: &Catalogue, lock: &Lock) -> Vec<GoldenFault> {
    let mut faults = Vec::new();
    for event in lock.events() {
        let Some(newest) = catalogue.newest(event.subject(), event.is_absolute()) else {
            continue;
        };
        let versions = event.versions().iter();
        // A view reads what is of its own major; the publisher's type has to read all.
        let is_asked = |version: &super::LockedVersion| {
            newest.is_published() || version.version().major() == newest.spec().version().major()
        };
        for version in versions.filter(|version| is_asked(version)) {
            if let Err(source) = version.golden().check(newest) {
                faults.push(GoldenFault {
                    subject: event.subject().to_owned(),
                    version: version.version(),
                    newest: newest.spec().version(),
                    path: version.golden().path().to_owned(),
                    source,
                });
            }
        }
    }
    faults
}

/// The text of a golden document for the entry's version.
///
/// # Errors
///
/// Why none can be made without an example.
pub(super) fn write(catalogue: &Catalogue, entry: &EventEntry) -> Result<String, String> {
    let (data, from) = match entry.examples().first() {
        Some(example) => (example.clone(), "example"),
        None => (entry.made_up()?, "schema"),
    };
    let bytes = envelope(catalogue, entry, &data, from).map_err(|why| why.to_string())?;
    // What was written as JSON is read as such.
    Ok(text::of_value(
        &serde_json::from_slice(&bytes).unwrap_or_default(),
    ))
}

fn envelope(
    catalogue: &Catalogue,
    entry: &EventEntry,
    data: &Value,
    made_from: &str,
) -> Result<Vec<u8>, event_sdk::codec::EncodeError> {
    let spec = entry.spec();
    let id = id_of(entry);
    let happened = Timestamp::from_str(HAPPENED).unwrap_or_default();
    let mut head = EnvelopeHeader::new(id, spec.event_type(), happened);
    let publisher = catalogue.publishers_of(spec).next();
    if let Some(service) = publisher {
        head.source = service.name().to_owned().into();
    }
    head.version = spec.version();
    head.metadata.correlation_id = Some(id.into());
    let key = entry.key_of(data);
    head.metadata.key = key.and_then(|key| EventKey::new(&key).ok());
    head.metadata.insert(MARK, made_from);
    let mut bytes = Vec::new();
    let data = RawJson::from_value(data)?;
    JsonCodec.encode(&head, &data, &mut Headers::default(), &mut bytes)?;
    Ok(bytes)
}

/// An id of version 7 that no other event's golden document has, the same each time.
fn id_of(entry: &EventEntry) -> Uuid {
    let spec = entry.spec();
    let mut random = [0; 10];
    random[..8].copy_from_slice(&spec.subject_hash().to_be_bytes());
    let (major, minor) = (spec.version().major(), spec.version().minor());
    random[8..].copy_from_slice(&(major.rotate_left(8) ^ minor).to_be_bytes());
    let millis = Timestamp::from_str(HAPPENED).map_or(0, Timestamp::as_millisecond);
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or_default(), &random)
        .into_uuid()
}
