//! Data model of the file `index.json`.

use serde::{Deserialize, Serialize};

/// The format that this release writes, and the newest that it reads.
pub(super) const FORMAT: u32 = 1;

/// The file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Index {
    pub(super) format: u32,
    pub(super) title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    pub(super) prefix: String,
    pub(super) services: Vec<ServiceFacts>,
    pub(super) streams: Vec<StreamFacts>,
    pub(super) events: Vec<EventFacts>,
    /// The hash of `envelope.json`.
    pub(super) envelope: String,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceFacts {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) publishes: Vec<SetFacts>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) consumers: Vec<ConsumerFacts>,
}

/// A set of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetFacts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pattern: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) takes_other: bool,
    /// Subjects, those without prefix with an `@` in front.
    pub(super) events: Vec<String>,
}

/// A consumer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsumerFacts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) durable: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    pub(super) set: SetFacts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) max_deliver: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ack_wait_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) backoff_ms: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dead_letter: Option<String>,
}

/// A stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamFacts {
    pub(super) name: String,
    /// Whole subjects, with the prefix.
    pub(super) subjects: Vec<String>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventFacts {
    pub(super) subject: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) absolute: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) retired: bool,
    pub(super) versions: Vec<VersionFacts>,
}

/// A version of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VersionFacts {
    pub(super) version: String,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) event_type: String,
    /// `none`, `order` or `subject`.
    pub(super) key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) publishers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) consumers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pii: Vec<String>,
    /// The hash of the schema's file.
    pub(super) schema: String,
    /// The hash of the golden document's file.
    pub(super) golden: String,
}
