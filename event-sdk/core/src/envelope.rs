//! `EnvelopeHeader`: all envelope fields except `data` (event id, type, timestamp, source, version,
//! metadata).

mod key;
mod loose_id;
mod metadata;
mod timestamp;
mod version;

pub use key::{EventKey, InvalidKey};
pub use loose_id::LooseId;
pub use metadata::{MAX_METADATA, MetaValue, Metadata};
pub(crate) use timestamp::{read_timestamp, write_timestamp};
pub use version::{InvalidVersion, Version};

use jiff::Timestamp;
use uuid::Uuid;

use crate::json::RawJson;
use crate::text::Text;

/// The fields of an envelope except the data.
///
/// `Debug` shows the fields of the contract. Of other entries, it shows only names and sizes,
/// because they may be personal data.
///
/// The struct has the fields that the wire contract defines. Fields that another publisher added
/// are kept in [`unknown`](Self::unknown), and written again.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvelopeHeader {
    /// The id of the event (UUID v7 if made by this SDK). A retry has the same id.
    pub event_id: Uuid,
    /// The type of the event; default `<entity>.<action>`.
    pub event_type: Text,
    /// The time of the event, in microseconds; years 1 to 9998.
    pub timestamp: Timestamp,
    /// The publishing service; `unknown` if the publisher left it out.
    pub source: Text,
    /// The version of the data; `1.0` if the publisher left it out.
    pub version: Version,
    /// Correlation id, causation id, key and other entries.
    pub metadata: Metadata,
    unknown: Option<Box<Unknown>>,
}

/// The fields that the contract does not define; not empty.
#[derive(Debug, Clone, PartialEq)]
struct Unknown(Vec<(String, RawJson)>);

impl EnvelopeHeader {
    /// Value of `source` if a publisher left it out.
    pub const UNKNOWN_SOURCE: &'static str = "unknown";

    /// A header with the required fields, default source and version, and no metadata.
    #[must_use]
    pub fn new(event_id: Uuid, event_type: impl Into<Text>, timestamp: Timestamp) -> Self {
        Self {
            event_id,
            event_type: event_type.into(),
            timestamp,
            source: Text::from_static(Self::UNKNOWN_SOURCE),
            version: Version::default(),
            metadata: Metadata::default(),
            unknown: None,
        }
    }

    /// The fields that the wire contract does not define, in their order.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.unknown
            .iter()
            .flat_map(|unknown| unknown.0.iter().map(|(name, value)| (name.as_str(), value)))
    }

    pub(crate) fn set_unknown(&mut self, fields: Vec<(String, RawJson)>) {
        self.unknown = (!fields.is_empty()).then(|| Box::new(Unknown(fields)));
    }
}
