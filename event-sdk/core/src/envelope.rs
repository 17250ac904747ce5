//! `EnvelopeHeader`: every envelope field but `data` (event id, type, timestamp, source,
//! version, metadata).

mod loose_id;
mod metadata;
mod timestamp;
mod version;

pub use loose_id::LooseId;
pub use metadata::{MAX_METADATA, MetaValue, Metadata};
pub(crate) use timestamp::{read_timestamp, write_timestamp};
pub use version::{InvalidVersion, Version};

use jiff::Timestamp;
use uuid::Uuid;

use crate::json::RawJson;
use crate::text::Text;

/// Everything in an envelope but the data.
///
/// `Debug` shows the fields of the contract; of what else a publisher noted or added,
/// which may be personal data, it shows names and sizes.
///
/// The fields are those of the wire contract; what a foreign publisher added
/// is kept in [`unknown`](Self::unknown) and written again.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvelopeHeader {
    /// The id of this event, for ever: a retry has the same (UUID v7 when made here).
    pub event_id: Uuid,
    /// What kind of event it is, `<entity>.<action>` unless the event says otherwise.
    pub event_type: Text,
    /// When it happened, in microseconds; in the years 1 to 9998.
    pub timestamp: Timestamp,
    /// The service that published it; `unknown` when the publisher did not say.
    pub source: Text,
    /// The version of the data; `1.0` when the publisher did not say.
    pub version: Version,
    /// The story that it belongs to, what caused it, and whatever else was noted.
    pub metadata: Metadata,
    unknown: Option<Box<[(String, RawJson)]>>,
}

impl EnvelopeHeader {
    /// What `source` says when a publisher left it out.
    pub const UNKNOWN_SOURCE: &'static str = "unknown";

    /// A head with the fields that every envelope has, source and version at
    /// their defaults, and no metadata.
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

    /// The fields of the envelope that the wire contract does not name, in
    /// their order.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, &RawJson)> {
        self.unknown
            .iter()
            .flat_map(|fields| fields.iter().map(|(name, value)| (name.as_str(), value)))
    }

    pub(crate) fn set_unknown(&mut self, fields: Vec<(String, RawJson)>) {
        self.unknown = (!fields.is_empty()).then(|| fields.into());
    }
}
