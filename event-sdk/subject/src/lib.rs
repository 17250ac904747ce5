//! Subjects: their grammar, wildcard matching, pattern overlap, and escaping of keys, in `const
//! fn` over `&str`.
//!
//! Everything that decides about a subject stands here once and is used three
//! times: by the derive while it expands, by `const` checks while the user's
//! crate compiles, and by the SDK at run time. Nearly all of it is `const fn`
//! over `&str`; only what makes a new string ([`meet`], [`escape_key`],
//! [`unescape_key`]) allocates.
//!
//! - [`check_token`], [`check_relative`], [`check_subject`], [`check_pattern`],
//!   [`check_prefix`], [`check_event_type`]: is this text well formed, and if not,
//!   where and why.
//! - [`is_unseen`]: which characters no subject contains, because they are invisible.
//! - [`matches()`], [`overlaps`], [`covers`], [`meet`]: how patterns relate to subjects and to each
//!   other, exactly as the NATS server matches.
//! - [`escape_key`], [`unescape_key`]: a key as one subject token, and back.
//! - [`subject_hash`]: the hash by which sets find an event.

mod grammar;
mod hash;
mod key;
mod matching;
mod unseen;
mod words;

pub use grammar::{
    Fault, FaultKind, MAX_PREFIX_LEN, MAX_RELATIVE_LEN, MAX_SUBJECT_LEN, MAX_TOKEN_LEN,
    MAX_TYPE_LEN, check_event_type, check_pattern, check_prefix, check_relative, check_subject,
    check_token,
};
pub use hash::{parent, subject_hash};
pub use key::{KeyError, MAX_KEY_LEN, escape_key, escape_key_into, unescape_key};
pub use matching::{covers, matches, meet, overlaps, token_count};
pub use unseen::is_unseen;
pub use words::two_words;

/// The README's example, run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
