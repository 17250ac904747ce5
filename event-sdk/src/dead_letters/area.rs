//! The areas of the dead-letter and retry streams by the first tokens of subjects, and tokens for
//! names.

use std::borrow::Cow;

use event_sdk_core::subject::grammar::escape_key;

/// What a subject of the dead-letter or retry stream is for.
///
/// `=` never occurs in the name of a consumer, so the areas never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    /// A letter.
    Letter,
    /// A further part of a letter that is too large for one message.
    Rest,
    /// What became of a letter.
    State,
    /// An event that waits behind a letter of its key.
    Park,
    /// What is requested for a key.
    Request,
    /// A redriven event; in the retry stream.
    Retry,
}

impl Area {
    /// How the areas besides that of letters begin after `dlq.`.
    pub(super) const ALL_BUT_LETTERS: [&'static str; 4] =
        ["=rest.", "=state.", "=park.", "=request."];

    /// The first tokens.
    pub(super) const fn root(self) -> &'static str {
        match self {
            Self::Letter => "dlq",
            Self::Rest => "dlq.=rest",
            Self::State => "dlq.=state",
            Self::Park => "dlq.=park",
            Self::Request => "dlq.=request",
            Self::Retry => "retry",
        }
    }
}

/// The token of a consumer: its name, which is a token already if the name is valid.
pub(super) fn consumer_token(name: &str) -> String {
    escape_key(&name).unwrap_or_else(|_| short(name.as_bytes()))
}

/// A token in place of a text that cannot be one.
pub(super) fn short(text: &[u8]) -> String {
    format!("={:016x}", fnv(text))
}

/// 64-bit FNV-1a.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The most bytes of a key that is written whole.
const MAX_KEY: usize = 500;

/// A key as it is written: one that is too long is cut, and a hash of it is appended, so that
/// different keys stay different.
pub(crate) fn bounded_key(key: &str) -> Cow<'_, str> {
    if key.len() <= MAX_KEY {
        return Cow::Borrowed(key);
    }
    let mut end = MAX_KEY - short(&[]).len();
    while !key.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}{}", &key[..end], short(key.as_bytes())))
}
