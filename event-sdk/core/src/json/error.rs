//! `JsonError` and `EncodeError`: name the path and the kind of value, never the value, since
//! errors are logged.
//!
//! An event may have personal data, and errors go to logs. The messages of `serde_json` and of
//! users' types show values, so they are kept apart: only the method `expose` returns them.

use std::fmt::{self, Write as _};

use serde::Deserialize;
use serde_json::error::Category;

use super::explain::{self, What};
use super::writer;

/// Why bytes are not valid JSON for the expected type.
///
/// `Display` and `Debug` show the path, what was expected and what kind of value was found, and
/// never the value: `items[2].price: invalid type: string, expected u64 at line 1 column 40`. In a
/// path, `*` stands for the key of a map, because a key is data too.
#[derive(Clone)]
pub struct JsonError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    path: String,
    /// Without the value.
    reason: String,
    /// What `serde_json` says, with it.
    exposed: String,
}

impl JsonError {
    /// That `json` could not be read as a `T`.
    pub(super) fn of<'de, T: Deserialize<'de>>(error: &serde_json::Error, json: &'de [u8]) -> Self {
        let seen = error.classify() == Category::Data;
        let Some(explained) = explain::explain::<T>(json, seen) else {
            let reason = if seen {
                "a type refuses a value".to_owned()
            } else {
                error.to_string()
            };
            return Self::new(String::new(), reason, error.to_string());
        };
        let mut reason = String::new();
        if !explained.path.is_empty() {
            reason = format!("{}: ", explained.path);
        }
        match explained.what {
            // What is said of text that is no JSON, or not the reader's, has no value.
            _ if !seen => {
                reason.push_str(&error.to_string());
                return Self::new(explained.path, reason, error.to_string());
            }
            What::Kinds(text) => reason.push_str(&text),
            What::Own { found, expected } => {
                let found = found.unwrap_or("value");
                reason += "invalid value: ";
                reason += found;
                reason += " that its type refuses";
                if let Some(expected) = expected {
                    reason += ", expected ";
                    reason += &expected;
                }
            }
        }
        if let Some((line, column)) = explained.position {
            // Writing into memory has no way to fail.
            let _ = write!(reason, " at line {line} column {column}");
        }
        Self::new(explained.path, reason, error.to_string())
    }

    /// That a text is no JSON: what is said of that never shows a value.
    pub(super) fn malformed(error: &serde_json::Error) -> Self {
        Self::new(String::new(), error.to_string(), error.to_string())
    }

    fn new(path: String, reason: String, exposed: String) -> Self {
        Self(Box::new(Inner {
            path,
            reason,
            exposed,
        }))
    }

    /// The path of the value that could not be read, such as `items[2].price`; empty for the whole
    /// document, or if the text is not JSON.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The error messages of the reader and of the types, **with the value**, which may be personal
    /// data. Show it only to people who may see the event, and never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0.exposed
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}

impl fmt::Debug for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JsonError").field(&self.0.reason).finish()
    }
}

impl std::error::Error for JsonError {}

/// Why a value could not be written as JSON.
///
/// `Display` and `Debug` never show the value. The error message of a type's own `Serialize` is in
/// [`expose`](Self::expose).
#[derive(Clone)]
pub struct EncodeError(Box<Unwritten>);

#[derive(Clone)]
struct Unwritten {
    /// Without the value.
    reason: String,
    /// With it.
    exposed: String,
}

impl EncodeError {
    /// An error with this reason, for codecs that do more than JSON. The reason is shown with the
    /// error, so it must contain no value.
    pub fn new(reason: impl fmt::Display) -> Self {
        let reason = reason.to_string();
        Self(Box::new(Unwritten {
            exposed: reason.clone(),
            reason,
        }))
    }

    /// What `serde_json` says; a text of a type's own is kept apart.
    pub(super) fn from_json(error: &serde_json::Error) -> Self {
        let exposed = error.to_string();
        let own = error.classify() == Category::Data && !writer::is_reason(&exposed);
        let reason = if own {
            "a type of the value refuses to be written".to_owned()
        } else {
            exposed.clone()
        };
        Self(Box::new(Unwritten { reason, exposed }))
    }

    /// The error messages of the writer and of the types, perhaps **with the value**, which may be
    /// personal data. Show it only to people who may see the event, and never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0.exposed
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}

impl fmt::Debug for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EncodeError").field(&self.0.reason).finish()
    }
}

impl std::error::Error for EncodeError {}
