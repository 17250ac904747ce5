//! Sets of strings: what patterns match, and the shortest string in all of some and none of others.

mod formats;
mod pattern;
mod search;

pub(crate) use formats::{as_content, inner, outline, samples};
pub(crate) use pattern::Pattern;
pub(crate) use search::{Found, Language, find};
