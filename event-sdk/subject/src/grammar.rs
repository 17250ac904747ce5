//! Grammar of subjects, patterns, prefixes, tokens and event types: allowed characters,
//! reserved tokens and maximum lengths.
//!
//! The house grammar is for what this SDK names itself: tokens of lower-case
//! letters, digits, `_` and `-`, joined by dots. NATS's grammar is wider and is
//! for subjects that exist already or are foreign: any tokens without
//! white space, control characters, invisible characters and wildcards
//! (NATS documentation, "Subject-Based Messaging", characters allowed). Two subjects that look the
//! same must be the same: an event under a subject with a no-break space would never reach a
//! subscription whose subject looks the same.

use core::fmt;

use crate::unseen::{self, Unseen};

/// The longest token, in bytes.
///
/// JetStream Bridge refuses longer components; NATS itself only limits the
/// protocol line (4,096 bytes).
pub const MAX_TOKEN_LEN: usize = 255;

/// The longest relative subject, in bytes, without a key token.
pub const MAX_RELATIVE_LEN: usize = 255;

/// The longest prefix of a bus, in bytes.
pub const MAX_PREFIX_LEN: usize = 128;

/// The longest event type, in bytes.
pub const MAX_TYPE_LEN: usize = 255;

/// The longest subject or pattern of all, in bytes: prefix, relative subject,
/// key token and the dots between them.
///
/// It stays well below the 4,096 bytes that a NATS server takes as one protocol
/// line by default (`max_control_line`).
pub const MAX_SUBJECT_LEN: usize = MAX_PREFIX_LEN + 1 + MAX_RELATIVE_LEN + 1 + MAX_TOKEN_LEN;

/// Why a text is not well formed, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The byte offset in the text at which it is wrong.
    pub at: usize,
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// There is no text.
    Empty,
    /// A token is empty: two dots follow each other, or a dot is at the beginning or the end.
    EmptyToken,
    /// A token is longer than [`MAX_TOKEN_LEN`].
    TokenTooLong,
    /// The text is longer than its limit.
    TooLong,
    /// A dot where a single token is wanted.
    Dot,
    /// A character that the house grammar does not have.
    NotHouse,
    /// White space of any script. In NATS's protocol, ASCII white space ends a subject.
    WhiteSpace,
    /// A control character (C0, C1 or DEL).
    Control,
    /// An invisible character: a bidirectional control, a zero-width space, a soft hyphen and the
    /// like.
    Invisible,
    /// `*` or `>` in a subject that has to be literal.
    Wildcard,
    /// `*` or `>` next to other characters of its token.
    WildcardNotAlone,
    /// `>` before the last token.
    TailNotLast,
    /// The first token belongs to the NATS server (`$…`, `_INBOX`, `_R_`, `_GR_`).
    Reserved,
}

impl FaultKind {
    /// Says what is wrong and what to write instead, as the end of a sentence.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Empty => "it is empty; write at least one token",
            Self::EmptyToken => {
                "it has an empty token; write exactly one `.` between tokens and none at the ends"
            }
            Self::TokenTooLong => "a token of it is longer than 255 bytes",
            Self::TooLong => {
                "it is too long: at most 255 bytes for a relative subject, 128 for a prefix, 640 for all together"
            }
            Self::Dot => "a single token has no `.`",
            Self::NotHouse => "only lower-case letters, digits, `_` and `-` are allowed in a token",
            Self::WhiteSpace => {
                "white space is not allowed, of any script; write `_` or `-` instead"
            }
            Self::Control => "control characters are not allowed",
            Self::Invisible => {
                "characters that show nothing are not allowed (bidirectional controls, zero-width spaces, soft hyphens)"
            }
            Self::Wildcard => {
                "an event has one literal subject; `*` and `>` belong in patterns only"
            }
            Self::WildcardNotAlone => "`*` and `>` are wildcards only as a whole token",
            Self::TailNotLast => "`>` stands for the rest and must be the last token",
            Self::Reserved => {
                "subjects that begin with `$`, `_INBOX`, `_R_` or `_GR_` belong to the NATS server"
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.explain())
    }
}

impl core::error::Error for Fault {}

/// Checks one token by the house grammar: `[a-z0-9_-]+`, at most 255 bytes.
///
/// # Errors
///
/// The first [`Fault`] found.
pub const fn check_token(token: &str) -> Result<(), Fault> {
    let bytes = token.as_bytes();
    if bytes.is_empty() {
        return fault(FaultKind::Empty, 0);
    }
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'.' {
            return fault(FaultKind::Dot, at);
        }
        if !is_house(bytes[at]) {
            return fault(FaultKind::NotHouse, at);
        }
        at += 1;
    }
    if bytes.len() > MAX_TOKEN_LEN {
        return fault(FaultKind::TokenTooLong, MAX_TOKEN_LEN);
    }
    Ok(())
}

/// Checks tokens of the house grammar joined by dots, at most 255 bytes.
///
/// # Errors
///
/// The first [`Fault`] found.
pub const fn check_relative(subject: &str) -> Result<(), Fault> {
    check_house(subject, MAX_RELATIVE_LEN)
}

/// Checks the prefix of a bus: the house grammar, at most 128 bytes, and no
/// first token that the server keeps for itself.
///
/// # Errors
///
/// The first [`Fault`] found.
pub const fn check_prefix(prefix: &str) -> Result<(), Fault> {
    match check_house(prefix, MAX_PREFIX_LEN) {
        Ok(()) => check_not_reserved(prefix),
        wrong => wrong,
    }
}

/// Checks a literal subject by NATS's own grammar, at most 640 bytes.
///
/// Tokens may hold any UTF-8 but white space, control characters, characters that
/// show nothing, `*` and `>`.
///
/// # Errors
///
/// The first [`Fault`] found.
pub const fn check_subject(subject: &str) -> Result<(), Fault> {
    match check_nats(subject, false) {
        Ok(()) => check_not_reserved(subject),
        wrong => wrong,
    }
}

/// Checks a pattern by NATS's own grammar: a subject in which a whole token may
/// be `*` (any one token) and the last may be `>` (one token or more).
///
/// A `*` or `>` inside a longer token is legal for the server, which takes it literally. It is
/// refused here, because a person who writes `order*` means a wildcard.
///
/// # Errors
///
/// The first [`Fault`] found.
pub const fn check_pattern(pattern: &str) -> Result<(), Fault> {
    match check_nats(pattern, true) {
        Ok(()) => check_not_reserved(pattern),
        wrong => wrong,
    }
}

/// Checks the type of an event whose whole subject is written out: any text of at most
/// 255 bytes without control characters, line breaks and characters that show nothing.
///
/// Foreign systems name their types as they like (`com.example/Tx`), so blanks pass.
///
/// # Errors
///
/// The first [`Fault`] found.
pub const fn check_event_type(text: &str) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        return fault(FaultKind::Empty, 0);
    }
    let mut at = 0;
    while at < bytes.len() {
        match unseen::at(bytes, at) {
            Some(Unseen::Control | Unseen::Break) => return fault(FaultKind::Control, at),
            Some(Unseen::Invisible) => return fault(FaultKind::Invisible, at),
            Some(Unseen::Blank) | None => {}
        }
        at += 1;
    }
    if bytes.len() > MAX_TYPE_LEN {
        return fault(FaultKind::TooLong, MAX_TYPE_LEN);
    }
    Ok(())
}

const fn check_house(text: &str, max: usize) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        return fault(FaultKind::Empty, 0);
    }
    let mut at = 0;
    let mut start = 0;
    while at <= bytes.len() {
        if at == bytes.len() || bytes[at] == b'.' {
            if at == start {
                return fault(FaultKind::EmptyToken, at);
            }
            start = at + 1;
        } else if !is_house(bytes[at]) {
            return fault(FaultKind::NotHouse, at);
        }
        at += 1;
    }
    if bytes.len() > max {
        return fault(FaultKind::TooLong, max);
    }
    Ok(())
}

const fn check_nats(text: &str, wildcards: bool) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    if bytes.is_empty() {
        return fault(FaultKind::Empty, 0);
    }
    let mut at = 0;
    let mut start = 0;
    while at <= bytes.len() {
        if at == bytes.len() || bytes[at] == b'.' {
            let len = at - start;
            if len == 0 {
                return fault(FaultKind::EmptyToken, at);
            }
            if len > MAX_TOKEN_LEN {
                return fault(FaultKind::TokenTooLong, start);
            }
            if len == 1 && bytes[start] == b'>' && at < bytes.len() {
                return fault(FaultKind::TailNotLast, start);
            }
            start = at + 1;
        } else {
            match unseen::at(bytes, at) {
                Some(Unseen::Blank | Unseen::Break) => {
                    return fault(FaultKind::WhiteSpace, at);
                }
                Some(Unseen::Control) => return fault(FaultKind::Control, at),
                Some(Unseen::Invisible) => return fault(FaultKind::Invisible, at),
                None => {}
            }
            match bytes[at] {
                b'*' | b'>' if !wildcards => return fault(FaultKind::Wildcard, at),
                b'*' | b'>' => {
                    let alone = at == start && (at + 1 == bytes.len() || bytes[at + 1] == b'.');
                    if !alone {
                        return fault(FaultKind::WildcardNotAlone, at);
                    }
                }
                _ => {}
            }
        }
        at += 1;
    }
    if bytes.len() > MAX_SUBJECT_LEN {
        return fault(FaultKind::TooLong, MAX_SUBJECT_LEN);
    }
    Ok(())
}

/// The server's own subjects: `$JS`, `$SYS`, `$KV` and the like, reply inboxes,
/// and the routed replies `_R_` and `_GR_` (nats-server, `server/client.go`). JetStream's
/// advisories are messages that a stream may store and a consumer deliver.
const fn check_not_reserved(subject: &str) -> Result<(), Fault> {
    let bytes = subject.as_bytes();
    if (bytes[0] == b'$' && !first_tokens_are(bytes, b"$JS.EVENT.ADVISORY"))
        || first_tokens_are(bytes, b"_INBOX")
        || first_tokens_are(bytes, b"_R_")
        || first_tokens_are(bytes, b"_GR_")
    {
        return fault(FaultKind::Reserved, 0);
    }
    Ok(())
}

const fn first_tokens_are(bytes: &[u8], tokens: &[u8]) -> bool {
    if bytes.len() < tokens.len() {
        return false;
    }
    let mut at = 0;
    while at < tokens.len() {
        if bytes[at] != tokens[at] {
            return false;
        }
        at += 1;
    }
    bytes.len() == tokens.len() || bytes[tokens.len()] == b'.'
}

const fn is_house(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-')
}

const fn fault(kind: FaultKind, at: usize) -> Result<(), Fault> {
    Err(Fault { kind, at })
}
