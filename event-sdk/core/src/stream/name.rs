//! `check_name`: the names that streams and consumers can have, and those that other programs give.

use crate::subject::grammar::check_pattern;

/// Checks the name of a stream or consumer. On a server, names become file names and subject tokens
/// (NATS documentation, "Naming", streams and consumers).
///
/// # Errors
///
/// The reason, as the end of a sentence.
pub const fn check_name(name: &str) -> Result<(), &'static str> {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        return Err("a name has at least one character");
    }
    if bytes.len() > 255 {
        return Err("a name has at most 255 bytes");
    }
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if !byte.is_ascii_alphanumeric() && byte != b'_' && byte != b'-' {
            return Err("a name has only letters, digits, `_` and `-`");
        }
        at += 1;
    }
    Ok(())
}

/// Checks whether another program can have given a stream this name. A server accepts more names
/// than [`check_name`] does (nats-server, `server/jetstream.go`, `isValidAssetName`).
///
/// # Errors
///
/// The reason, as the end of a sentence.
pub const fn check_name_of_others(name: &str) -> Result<(), &'static str> {
    const ALLOWED: &str = "a server has no stream of such a name: it has 1 to 255 bytes, no `$` at its beginning, and no white space, `.`, `*`, `>`, `/` and `\\`";
    let bytes = name.as_bytes();
    if bytes.len() > 255 || check_pattern(name).is_err() {
        return Err(ALLOWED);
    }
    let mut at = 0;
    while at < bytes.len() {
        if matches!(bytes[at], b'.' | b'*' | b'>' | b'/' | b'\\') {
            return Err(ALLOWED);
        }
        at += 1;
    }
    Ok(())
}
