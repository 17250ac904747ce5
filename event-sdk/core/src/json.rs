//! JSON reading and writing without loss: NaN and too deep nesting are refused, numbers keep
//! their digits.
//!
//! Writing refuses NaN and infinities, which `serde_json` would silently turn into `null`. It also
//! refuses what could not be read again: `serde_json` reads at most 127 nested arrays and objects.

mod end;
mod error;
mod explain;
mod raw;
mod writer;

use end::is_plain;
pub(crate) use end::{plain_len, value_end};
pub use error::{EncodeError, JsonError};
pub use raw::RawJson;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};

/// Appends `value` as JSON to `out`.
///
/// # Errors
///
/// [`EncodeError`] if JSON cannot represent a part of the value, more than 127 arrays and objects
/// are nested, or its `Serialize` returns an error. `out` may then end with a part of the JSON.
pub fn write_value<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    value
        .serialize(writer::Writer::new(out))
        .map_err(|error| EncodeError::from_json(&error))
}

/// Writes a value as JSON; usable as a trait object.
pub trait WriteJson {
    /// Appends one JSON value to `out`.
    ///
    /// # Errors
    ///
    /// The errors of [`write_value`].
    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Reads `written`, which this value has written, as a value of the same type, and writes the
    /// value that was read; `None` if the type cannot be read. Not public interface: the test kit
    /// calls it.
    #[cfg(feature = "read-back")]
    #[doc(hidden)]
    fn __read_back(&self, written: &[u8]) -> Option<Result<Vec<u8>, ReadBackError>> {
        let _ = written;
        None
    }
}

/// Why a written value could not be read back, or why the value that was read could not be written.
#[cfg(feature = "read-back")]
#[doc(hidden)]
#[derive(Debug)]
pub enum ReadBackError {
    /// The type cannot read what it has written.
    Read(JsonError),
    /// The value that was read cannot be written.
    Written(EncodeError),
}

/// Appends `text` as a JSON string, quoted and escaped, to `out`.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    // Most texts are short names that need no escape.
    if is_plain(text.as_bytes()) {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing a string into memory has no way to fail.
        let _ = serde_json::to_writer(out, text);
    }
}

/// Reads one JSON value and nothing after it.
///
/// # Errors
///
/// [`JsonError`], with the path and the kinds, and without the value.
pub fn read_value<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    // Asked once for all, instead of for each string.
    let value = match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(bytes),
    };
    value.map_err(|error| JsonError::of::<T>(&error, bytes))
}

/// Reads one JSON value that borrows from `bytes`, and nothing after it.
///
/// # Errors
///
/// The errors of [`read_value`].
pub(crate) fn read_borrowed<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, JsonError> {
    serde_json::from_slice(bytes).map_err(|error| JsonError::of::<T>(&error, bytes))
}
