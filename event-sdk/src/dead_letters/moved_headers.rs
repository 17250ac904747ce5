//! Original headers at the beginning of a body: those of a letter that has no room for them.

use bytes::{Bytes, BytesMut};
use event_sdk_core::headers::{Headers, InvalidHeader};

use super::wire::{self, kept};

/// The headers of a letter without the original ones, and the body behind the original ones. `None`
/// if there are no original headers.
pub(super) fn move_into(
    headers: &Headers,
    body: &Bytes,
) -> Result<Option<(Headers, Bytes)>, InvalidHeader> {
    let original = kept(headers)?;
    if original.is_empty() {
        return Ok(None);
    }
    let mut own = headers.clone();
    let mut moved = BytesMut::with_capacity(original.byte_len() + 2 * original.len() + body.len());
    for (name, value) in original.iter() {
        own.remove(name);
        for part in [name, ":", value, "\n"] {
            moved.extend_from_slice(part.as_bytes());
        }
    }
    own.insert(wire::HEADERS_LENGTH, moved.len().to_string())?;
    moved.extend_from_slice(body);
    Ok(Some((own, moved.freeze())))
}

/// Takes the original headers from the beginning of a body, and adds them to those of the letter.
/// `None` if they are malformed.
pub(super) fn take_from(headers: &mut Headers, body: Bytes) -> Option<Bytes> {
    if headers.get(wire::HEADERS_LENGTH).is_none() {
        return Some(body);
    }
    let length = wire::read_number(headers, wire::HEADERS_LENGTH)?;
    let lines = std::str::from_utf8(body.get(..length)?).ok()?;
    let mut original = Headers::new();
    for line in lines.lines() {
        let (name, value) = line.split_once(':')?;
        original.insert(name.to_owned(), value).ok()?;
    }
    // They do not replace what the letter says of itself.
    for (name, value) in kept(&original).ok()?.iter() {
        headers.insert(name.to_owned(), value).ok()?;
    }
    Some(body.slice(length..))
}
