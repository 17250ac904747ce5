//! `RawJson`: JSON kept as text, with its digits and its order of fields.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{EncodeError, JsonError, WriteJson, read_value, write_value};

/// One well-formed JSON value, kept as text, so that unknown data is passed on unchanged.
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Checks a text.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if it is not exactly one JSON value.
    pub fn parse(text: impl Into<String>) -> Result<Self, JsonError> {
        RawValue::from_string(text.into())
            .map(Self)
            .map_err(|error| JsonError::malformed(&error))
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if JSON cannot represent the value.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let mut out = Vec::new();
        write_value(value, &mut out)?;
        serde_json::from_slice(&out)
            .map(Self)
            .map_err(|error| EncodeError::from_json(&error))
    }

    /// What was read as one value.
    pub(crate) fn of(raw: &RawValue) -> Self {
        Self(raw.to_owned())
    }

    /// The text, without white space around it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Reads the value as a type.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if the value does not match the type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        read_value(self.as_str().as_bytes())
    }
}

impl PartialEq for RawJson {
    /// Compares the texts, not the values.
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RawJson {}

impl fmt::Debug for RawJson {
    /// Shows only the kind and the size, because the value may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.as_str().as_bytes().first() {
            Some(b'{') => "object",
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "boolean",
            Some(b'n') => "null",
            _ => "number",
        };
        write!(f, "RawJson({kind}, {} bytes)", self.as_str().len())
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

impl WriteJson for RawJson {
    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(self.as_str().as_bytes());
        Ok(())
    }
}
