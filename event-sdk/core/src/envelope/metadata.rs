//! `Metadata`: the envelope's `metadata` object with correlation id, causation id, key and up to
//! 256 entries.

use std::fmt;

use serde::Serialize;

use super::{EventKey, LooseId};
use crate::json::{EncodeError, RawJson};

/// Maximum number of metadata entries of an envelope, including the two ids and the key. Entries
/// are searched linearly, so a sender must not be able to add many: a codec neither writes nor reads
/// more.
pub const MAX_METADATA: usize = 256;

/// The metadata of an envelope: correlation id, causation id, key and named values.
///
/// With only the two ids and a short key it allocates nothing.
#[derive(Clone, Default, PartialEq)]
pub struct Metadata {
    /// The id of the causal chain: the id of its first event, inherited by every event of the
    /// chain.
    pub correlation_id: Option<LooseId>,
    /// The `event_id` of the event that caused this one.
    pub causation_id: Option<LooseId>,
    /// The key of the event. A publisher sets it from the field marked `#[event(key)]`.
    pub key: Option<EventKey>,
    /// Boxed, because most events have none.
    entries: Option<Box<Entries>>,
}

/// The named values; not empty.
#[derive(Clone, PartialEq)]
struct Entries(Vec<(String, MetaValue)>);

/// A value of the metadata.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum MetaValue {
    /// A string.
    Text(String),
    /// Any other JSON value, unchanged.
    Json(RawJson),
}

impl Metadata {
    /// The text under `name`; `None` if it is missing or not a string.
    ///
    /// The two ids and the key are fields, and are not found here.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            MetaValue::Text(text) => Some(text),
            MetaValue::Json(_) => None,
        }
    }

    /// The value under `name`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&MetaValue> {
        self.entries()
            .iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Sets a text under `name`.
    ///
    /// `correlation_id`, `causation_id` and `key` set the fields of these names. A `key` longer than
    /// [`EventKey::MAX_LEN`] bytes is an entry like others, and the event then has no key.
    pub fn insert(&mut self, name: impl Into<String>, text: impl Into<String>) {
        self.put(name.into(), MetaValue::Text(text.into()));
    }

    /// Sets any serializable value under `name`.
    ///
    /// Under `correlation_id`, `causation_id` and `key`, a text sets the field of this name, and
    /// null clears it, because readers treat null as missing. Any other value becomes an entry, and
    /// clears the field.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if JSON cannot represent the value; nothing is changed.
    pub fn insert_json<T: Serialize + ?Sized>(
        &mut self,
        name: impl Into<String>,
        value: &T,
    ) -> Result<(), EncodeError> {
        let value = RawJson::from_value(value)?;
        let value = match value.read::<String>() {
            Ok(text) => MetaValue::Text(text),
            Err(_) => MetaValue::Json(value),
        };
        self.put(name.into(), value);
        Ok(())
    }

    /// Number of entries, including the two ids and the key.
    #[must_use]
    pub fn len(&self) -> usize {
        let fields = [
            self.correlation_id.is_some(),
            self.causation_id.is_some(),
            self.key.is_some(),
        ];
        let fields = fields.into_iter().filter(|is_set| *is_set).count();
        // An id or key that was no text stands among the entries until it is set.
        fields + self.iter().filter(|(name, _)| !self.replaces(name)).count()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an id or key that is set takes the place of the entry `name`.
    pub(crate) fn replaces(&self, name: &str) -> bool {
        match name {
            "correlation_id" => self.correlation_id.is_some(),
            "causation_id" => self.causation_id.is_some(),
            "key" => self.key.is_some(),
            _ => false,
        }
    }

    /// The named values in writing order, without the two ids and the key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &MetaValue)> {
        self.entries()
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    fn entries(&self) -> &[(String, MetaValue)] {
        self.entries
            .as_deref()
            .map_or(&[], |Entries(entries)| entries)
    }

    /// Puts the value in the place of whatever stands under the name, in its field or among the entries.
    pub(crate) fn put(&mut self, name: String, value: MetaValue) {
        let is_field = match name.as_str() {
            "correlation_id" => id_field(&mut self.correlation_id, &value),
            "causation_id" => id_field(&mut self.causation_id, &value),
            "key" => {
                self.key = match &value {
                    MetaValue::Text(text) if text.len() <= EventKey::MAX_LEN => {
                        EventKey::new(text).ok()
                    }
                    _ => None,
                };
                self.key.is_some() || value.is_null()
            }
            _ => false,
        };
        if is_field {
            self.remove(&name);
            return;
        }
        let Entries(entries) = &mut **self
            .entries
            .get_or_insert_with(|| Box::new(Entries(Vec::new())));
        match entries.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => entries.push((name, value)),
        }
    }

    fn remove(&mut self, name: &str) {
        if let Some(entries) = &mut self.entries {
            entries.0.retain(|(key, _)| key != name);
            if entries.0.is_empty() {
                self.entries = None;
            }
        }
    }
}

/// Sets the field of an id; `false` if the value is an entry. Null unsets it, since readers take null
/// as missing.
fn id_field(field: &mut Option<LooseId>, value: &MetaValue) -> bool {
    *field = match value {
        MetaValue::Text(id) => Some(id.as_str().into()),
        MetaValue::Json(_) => None,
    };
    field.is_some() || value.is_null()
}

impl MetaValue {
    fn is_null(&self) -> bool {
        matches!(self, Self::Json(json) if json.as_str() == "null")
    }
}

impl fmt::Debug for MetaValue {
    /// Shows the kind and the size: the value may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Json(json) => json.fmt(f),
        }
    }
}

impl fmt::Debug for Metadata {
    /// Shows the ids, and of the key and the other entries only the sizes: the values may be
    /// personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        if let Some(id) = &self.correlation_id {
            map.entry(&"correlation_id", id);
        }
        if let Some(id) = &self.causation_id {
            map.entry(&"causation_id", id);
        }
        if let Some(key) = &self.key {
            map.entry(&"key", key);
        }
        map.entries(self.iter()).finish()
    }
}
