//! Parses the JSON in a file of the lock, and sees conflicts that a merge left in it.

use serde_json::Value;

use super::LockError;

/// The JSON in the file with this path.
///
/// # Errors
///
/// [`LockError::NotJson`], which says whether a merge left a conflict in the file.
pub(super) fn parse(path: &str, bytes: &[u8]) -> Result<Value, LockError> {
    serde_json::from_slice(bytes).map_err(|source| LockError::NotJson {
        path: path.to_owned(),
        conflict: bytes.windows(8).any(|part| part == b"<<<<<<< "),
        source,
    })
}
