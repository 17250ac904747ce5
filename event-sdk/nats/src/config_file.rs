//! The JSON files of the `nats` command line: a stream's or a durable's configuration in and out.
//!
//! [`export_stream`] and [`export_consumer`] write files for `nats stream add --config FILE` and
//! `nats consumer add STREAM --config FILE`. [`import_stream`] and [`import_consumer`] read such
//! files, and the output of `nats stream info --json` and `nats consumer info --json`.
//!
//! No setting is dropped silently. If only one side can express a setting, it is listed
//! ([`Exported::left_out`], [`Imported::left_out`]). If the import cannot keep a setting that
//! changes how the consumer works, such as the subject to which the server pushes, it fails with an
//! [`ImportError`].
//!
//! ```
//! use event_sdk_core::stream::StreamSpec;
//! use event_sdk_nats::config_file;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let orders = StreamSpec::new("ORDERS").subject("orders.>").max_messages(1_000);
//! let config = orders.config("events")?;
//! let exported = config_file::export_stream(&config);
//! assert!(exported.json.contains(r#""max_msgs": 1000"#));
//!
//! let imported = config_file::import_stream(&exported.json)?;
//! assert!(imported.left_out.is_empty());
//! assert_eq!(imported.config, config);
//! // A declaration again, relative to the prefix.
//! let spec = StreamSpec::of_config(&imported.config, "events");
//! assert_eq!(spec.config("events")?, config);
//! # Ok(())
//! # }
//! ```

use std::fmt;

use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::consumer::Wire;
use super::streams::{ConfigJson, is_default, mistyped};
use event_sdk_core::stream::{Deduplication, StreamConfig};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{AckPolicy, ConsumerConfig, ConsumerName, ForeignSetting};

/// A configuration in the form that the `nats` command line reads.
///
/// Fields may be added.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The configuration as JSON, with line breaks.
    pub json: String,
    /// Settings of the configuration that a server does not have, so that the JSON lacks them.
    pub left_out: Vec<ForeignSetting>,
}

/// A configuration that was read from a file of the `nats` command line.
///
/// Fields may be added.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Imported<T> {
    /// The configuration.
    pub config: T,
    /// Settings of the file that the configuration cannot express, by their names in the file. A
    /// stream or durable created from the configuration has the server's defaults for them.
    pub left_out: Vec<ForeignSetting>,
}

/// Why a file cannot be read as a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportError {
    /// The file is not a JSON object.
    NotJson {
        /// What is wrong, and where.
        reason: String,
    },
    /// A setting is missing, has the wrong type, or has an unknown value.
    Invalid {
        /// The setting.
        field: String,
        /// The reason.
        reason: String,
    },
    /// A declaration cannot express a setting that changes how the consumer works, such as the
    /// subject to which the server pushes.
    Unsupported {
        /// The setting.
        field: String,
        /// The reason.
        reason: &'static str,
    },
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson { reason } => write!(
                f,
                "the file is no JSON object ({reason}); use one that the `nats` command line writes"
            ),
            Self::Invalid { field, reason } => {
                write!(
                    f,
                    "the setting `{field}` of the file cannot be read: {reason}"
                )
            }
            Self::Unsupported { field, reason } => write!(
                f,
                "the file has the setting `{field}`, which a declaration cannot say: {reason}"
            ),
        }
    }
}

impl std::error::Error for ImportError {}

/// The settings of a durable that are read.
const CONSUMER_FIELDS: [&str; 13] = [
    "durable_name",
    "name",
    "deliver_policy",
    "opt_start_seq",
    "opt_start_time",
    "ack_policy",
    "ack_wait",
    "max_deliver",
    "backoff",
    "filter_subject",
    "filter_subjects",
    "replay_policy",
    "max_ack_pending",
];

/// Writes a stream for `nats stream add --config FILE`.
#[must_use]
pub fn export_stream(config: &StreamConfig) -> Exported {
    let mut json = ConfigJson::new(config);
    json.set("max_consumers", json!(-1));
    let mut left_out = Vec::new();
    let deduplication = config.deduplication;
    if deduplication.window.is_zero() {
        // Zero is the server's default in a file.
        left_out.push(ForeignSetting::new("duplicate_window", "0"));
    }
    if deduplication.capacity != Deduplication::DEFAULT.capacity
        && deduplication.capacity != usize::MAX
    {
        let capacity = deduplication.capacity.to_string();
        left_out.push(ForeignSetting::new("duplicate_capacity", capacity));
    }
    Exported {
        json: pretty(json.as_json()),
        left_out,
    }
}

/// Reads a stream from a file of the `nats` command line.
///
/// # Errors
///
/// [`ImportError::NotJson`] and [`ImportError::Invalid`].
pub fn import_stream(file: &str) -> Result<Imported<StreamConfig>, ImportError> {
    let json = object(file)?;
    if let Some((field, value)) = mistyped(&json) {
        return Err(invalid(field, format!("{value} has another type")));
    }
    let json = ConfigJson::of(json);
    let mut config = json.read().map_err(|reason| invalid("config", reason))?;
    config.deduplication.capacity = Deduplication::DEFAULT.capacity;
    if config.deduplication.window.is_zero() {
        // A server takes its default then, and no longer than messages are kept.
        let window = Deduplication::DEFAULT.window;
        config.deduplication.window = config.limits.age.map_or(window, |age| age.min(window));
    }
    config
        .check()
        .map_err(|why| invalid("config", why.reason()))?;
    Ok(Imported {
        left_out: json.foreign(),
        config,
    })
}

/// Writes a durable for `nats consumer add STREAM --config FILE`.
#[must_use]
pub fn export_consumer(config: &ConsumerConfig) -> Exported {
    let wire = Wire::wanted(config, std::time::Duration::ZERO);
    // A structure of numbers and texts always has a JSON.
    let json = serde_json::to_value(&wire).unwrap_or_default();
    Exported {
        json: pretty(&json),
        left_out: Vec::new(),
    }
}

/// Reads a durable from a file of the `nats` command line.
///
/// # Errors
///
/// [`ImportError::NotJson`] and [`ImportError::Invalid`], the latter also if the consumer is not a
/// durable. [`ImportError::Unsupported`] if the server pushes to the consumer, or if its ack policy
/// is not `explicit`, `all` or `none`.
pub fn import_consumer(file: &str) -> Result<Imported<ConsumerConfig>, ImportError> {
    let json = object(file)?;
    let is_set = |field: &str| {
        json.get(field)
            .is_some_and(|value| !is_default(field, value))
    };
    if is_set("deliver_subject") {
        return Err(ImportError::Unsupported {
            field: "deliver_subject".to_owned(),
            reason: "the server pushes to it, and a durable of the SDK is pulled from",
        });
    }
    let name = json.get("durable_name").and_then(Value::as_str);
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        let reason = "it has no name that stays, and only durables are declared".to_owned();
        return Err(invalid("durable_name", reason));
    };
    let unknown = |why: serde_json::Error| invalid("config", why.to_string());
    let wire = Wire::deserialize(Value::Object(json.clone())).map_err(unknown)?;
    let name = ConsumerName::Durable(Text::copy_of(name));
    let (mut config, foreign) = wire.read(&ConsumerConfig::new(name.clone(), Vec::new()));
    config.name = name;
    // What a server takes where the file says nothing.
    let max_ack_pending = json.get("max_ack_pending").and_then(Value::as_i64);
    if config.ack != AckPolicy::None && max_ack_pending.unwrap_or(0) == 0 {
        config.max_ack_pending = ConsumerConfig::DEFAULT_MAX_ACK_PENDING;
    }
    for difference in &foreign {
        match difference.field {
            "filters" => return Err(invalid("filter_subjects", difference.existing.clone())),
            "ack policy" => {
                return Err(ImportError::Unsupported {
                    field: "ack_policy".to_owned(),
                    reason: "acknowledgements are explicit, all or none",
                });
            }
            // Listed by its own name below.
            _ => {}
        }
    }
    config
        .check_applicable()
        .map_err(|error| invalid("config", error.to_string()))?;
    let own = json.iter().filter(|(field, value)| {
        let replays = *field == "replay_policy" && value.as_str() != Some("instant");
        // The server's default, which `nats consumer info` shows.
        let waiting = *field == "max_waiting" && value.as_u64() == Some(512);
        let read = CONSUMER_FIELDS.contains(&field.as_str()) && !replays;
        !read && !waiting && !is_default(field, value)
    });
    let left_out = own.map(|(field, value)| ForeignSetting::new(field.clone(), value.to_string()));
    Ok(Imported {
        left_out: left_out.collect(),
        config,
    })
}

/// The configuration in a file: all of it, or its `config`.
fn object(file: &str) -> Result<Map<String, Value>, ImportError> {
    let not_json = |reason: String| ImportError::NotJson { reason };
    let json: Value = serde_json::from_str(file).map_err(|error| not_json(error.to_string()))?;
    let Value::Object(mut json) = json else {
        return Err(not_json("it is another value".to_owned()));
    };
    match json.remove("config") {
        None => Ok(json),
        Some(Value::Object(config)) => Ok(config),
        Some(_) => Err(not_json("its `config` is another value".to_owned())),
    }
}

fn invalid(field: &str, reason: String) -> ImportError {
    ImportError::Invalid {
        field: field.to_owned(),
        reason,
    }
}

fn pretty(json: &impl serde::Serialize) -> String {
    // Maps with texts as keys always have a JSON.
    serde_json::to_string_pretty(json).unwrap_or_default()
}

#[cfg(test)]
mod tests;
