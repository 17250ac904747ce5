//! File names in the lock, and hashes of files.

use std::fmt::Write as _;

use event_sdk::Version;
use sha2::{Digest, Sha256};

/// The index.
pub(crate) const INDEX: &str = "index.json";

/// The schema of any envelope.
pub(super) const ENVELOPE: &str = "envelope.json";

/// The file of a version's schema.
pub(crate) fn schema(subject: &str, absolute: bool, version: Version) -> String {
    format!("{}/{version}.json", folder(subject, absolute))
}

/// The file of a version's golden document.
pub(super) fn golden(subject: &str, absolute: bool, version: Version) -> String {
    format!("{}/{version}.golden.json", folder(subject, absolute))
}

/// The folder of an event.
fn folder(subject: &str, absolute: bool) -> String {
    let mut name = String::from(if absolute { "@" } else { "" });
    for byte in subject.bytes() {
        if byte.is_ascii_alphanumeric() || b"_-.".contains(&byte) {
            name.push(char::from(byte));
        } else {
            // Writing into memory has no way to fail.
            let _ = write!(name, "={byte:02X}");
        }
    }
    name
}

/// The hash of a file, the same however its lines end, since Git may change that.
pub(super) fn hash(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(unix_lines(bytes)) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The same text with a line feed alone at the end of each line.
pub(super) fn unix_lines(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter().peekable();
    while let Some(byte) = bytes.next() {
        if *byte != b'\r' || bytes.peek() != Some(&&b'\n') {
            text.push(*byte);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_subject_leaves_its_folder() {
        let one = Version::new(1, 0);
        assert_eq!(
            schema("orders.order.placed", false, one),
            "orders.order.placed/1.0.json"
        );
        assert_eq!(
            golden("vendor.Thing", true, one),
            "@vendor.Thing/1.0.golden.json"
        );
        assert_eq!(schema("a/b\\c", false, one), "a=2Fb=5Cc/1.0.json");
        assert_eq!(schema("é", false, one), "=C3=A9/1.0.json");
    }

    #[test]
    fn line_ends_do_not_count() {
        assert_eq!(hash(b"{\r\n}\r\n"), hash(b"{\n}\n"));
        assert_ne!(hash(b"{\r}"), hash(b"{}"));
    }
}
