//! `check_name`: the names that streams and consumers can have.

/// Names become file names and subject tokens on a server (NATS documentation, "Naming", streams
/// and consumers).
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
