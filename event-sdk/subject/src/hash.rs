//! `subject_hash`: the hash by which a set finds an event; and `parent`, a subject without its
//! last token.

/// Hashes a relative subject (64-bit FNV-1a).
///
/// The derive writes the result into the event's spec. The table of a set is built from these numbers, and a lookup
/// hashes the subject once. Two subjects with one hash are still told apart: the table compares texts.
#[must_use]
pub const fn subject_hash(subject: &str) -> u64 {
    let bytes = subject.as_bytes();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash ^= bytes[at] as u64;
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

/// The subject without its last token; `None` if it has only one.
#[must_use]
pub const fn parent(subject: &str) -> Option<&str> {
    let bytes = subject.as_bytes();
    let mut at = bytes.len();
    while at > 0 {
        at -= 1;
        if bytes[at] == b'.' {
            return Some(subject.split_at(at).0);
        }
    }
    None
}
