//! `Break` and `Unknown`: what a comparison says of one place in the document.

use serde_json::Value;

use crate::path::Path;
use crate::rule::Rule;

/// A place where the second schema refuses documents that the first one accepts.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Break {
    /// The rule that the change breaks.
    pub rule: Rule,
    /// Where in the document.
    pub path: Path,
    /// Why the change breaks, in one sentence.
    pub why: String,
    /// A whole document that the first schema accepts and the second one refuses, verified by
    /// running both validators.
    pub document: Value,
}

/// A place where the comparison could not decide.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unknown {
    /// Where in the document.
    pub path: Path,
    /// Why the comparison could not decide, in one sentence.
    pub why: String,
}
