//! Sets of strings: intersection of patterns, and shortest members.

mod formats;
mod pattern;
mod search;

pub(crate) use formats::{as_content, inner, outline, samples};
pub(crate) use pattern::Pattern;
pub(crate) use search::{Found, Language, find};
