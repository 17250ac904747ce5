//! Invisible characters that subjects and names must not contain: white space, control, format
//! and bidirectional characters.
//!
//! The lists are written out, and not taken from a Unicode table, because they must be the same for
//! every release of Rust and in every language (the wire contract has them).

/// What kind of character it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unseen {
    /// White space within a line.
    Blank,
    /// White space that is a control character or ends a line.
    Break,
    /// Another control character: C0, C1 or DEL.
    Control,
    /// A format character that shows nothing, bidirectional controls among them.
    Invisible,
}

/// Whether `c` is white space of any script, a control character, or an invisible format character:
/// no subject, pattern or name contains such a character.
///
/// ```
/// use event_sdk_subject::is_unseen;
///
/// assert!(is_unseen('\u{a0}') && is_unseen('\u{202e}') && is_unseen('\n'));
/// assert!(!is_unseen('ä') && !is_unseen('東'));
/// ```
#[must_use]
pub const fn is_unseen(c: char) -> bool {
    kind(c as u32).is_some()
}

/// What kind of unseen character begins at the byte `at`; `None` if it is none, or if
/// no character begins there. `bytes` are UTF-8.
pub(crate) const fn at(bytes: &[u8], at: usize) -> Option<Unseen> {
    let first = bytes[at];
    let (payload, more) = match first {
        // Nearly every character of a subject; and bytes in the middle of one.
        b'!'..=b'~' | 0x80..0xc0 => return None,
        0..0x80 => return kind(first as u32),
        0xc0..0xe0 => (first & 0x1f, 1),
        0xe0..0xf0 => (first & 0x0f, 2),
        0xf0.. => (first & 0x07, 3),
    };
    let mut code = payload as u32;
    let mut index = at + 1;
    while index <= at + more && index < bytes.len() {
        code = code << 6 | (bytes[index] & 0x3f) as u32;
        index += 1;
    }
    kind(code)
}

const fn kind(code: u32) -> Option<Unseen> {
    Some(match code {
        // Unicode's White_Space; those that are controls or end a line first.
        0x09..=0x0d | 0x85 | 0x2028..=0x2029 => Unseen::Break,
        0x20 | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => Unseen::Blank,
        0..=0x1f | 0x7f..=0x9f => Unseen::Control,
        // Of Unicode's format characters (Cf) those that show nothing: the soft hyphen,
        // the Arabic letter mark, the Mongolian vowel separator, zero-width spaces,
        // joiners and marks, embeddings and overrides, invisible operators and isolates,
        // the byte order mark, annotations, tags.
        0xad
        | 0x061c
        | 0x180e
        | 0x200b..=0x200f
        | 0x202a..=0x202e
        | 0x2060..=0x206f
        | 0xfeff
        | 0xfff9..=0xfffb
        | 0xe0000..=0xe007f => Unseen::Invisible,
        _ => return None,
    })
}
