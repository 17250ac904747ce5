//! `compare`: compares two schemas, and holds verdict and breaks.

use crate::diff::diff;
use crate::finding::{Break, Unknown};
use crate::options::Options;
use crate::path::Path;
use crate::schema::Schema;

/// The stack of a search, in bytes; what is not used of it is never touched.
const STACK: usize = 64 << 20;

/// Compares two schemas: does `sup` accept every document that `sub` accepts?
///
/// `sub` is the schema of the documents that are written; `sup` is the schema that has to accept
/// them.
///
/// ```
/// use event_schemas_subset::{Rule, Schema, Verdict, compare};
/// use serde_json::json;
///
/// let written = Schema::parse(&json!({ "type": "integer", "minimum": 0 }))?;
/// let read = Schema::parse(&json!({ "type": "integer", "minimum": 1 }))?;
///
/// assert_eq!(compare(&read, &written).verdict(), Verdict::Contained);
///
/// let comparison = compare(&written, &read);
/// assert_eq!(comparison.breaks()[0].rule, Rule::BoundTightened);
/// assert_eq!(comparison.breaks()[0].document, json!(0));
/// # Ok::<(), event_schemas_subset::SchemaError>(())
/// ```
pub fn compare(sub: &Schema, sup: &Schema) -> Comparison {
    compare_with(sub, sup, &Options::default())
}

/// Compares two schemas like [`compare`], with the limits in `options`.
pub fn compare_with(sub: &Schema, sup: &Schema, options: &Options) -> Comparison {
    // A schema is contained in itself, however deep it is.
    if sub.as_value() == sup.as_value() {
        return Comparison {
            breaks: Vec::new(),
            unknowns: Vec::new(),
        };
    }
    // The search goes as deep as the schemas do: a stack of its own lets it, whatever the
    // caller's is.
    let compared = std::thread::scope(|scope| {
        let search = std::thread::Builder::new().stack_size(STACK);
        search
            .spawn_scoped(scope, || diff(sub, sup, options))
            .ok()?
            .join()
            .ok()
    });
    let (breaks, unknowns) = compared.unwrap_or_else(|| {
        let why = "there was no thread to search in".to_owned();
        (
            Vec::new(),
            vec![Unknown {
                path: Path::root(),
                why,
            }],
        )
    });
    Comparison { breaks, unknowns }
}

/// The result of [`compare`].
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    breaks: Vec<Break>,
    unknowns: Vec<Unknown>,
}

impl Comparison {
    /// The answer in one word.
    pub fn verdict(&self) -> Verdict {
        if !self.breaks.is_empty() {
            Verdict::Broken
        } else if self.unknowns.is_empty() {
            Verdict::Contained
        } else {
            Verdict::Unknown
        }
    }

    /// All independent breaks, at most one for a path and rule, in the order of their paths.
    pub fn breaks(&self) -> &[Break] {
        &self.breaks
    }

    /// The places where the comparison could not decide. There may be breaks too.
    pub fn unknowns(&self) -> &[Unknown] {
        &self.unknowns
    }
}

/// The answer of a [`Comparison`] in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is proven that the second schema accepts every document that the first one accepts.
    Contained,
    /// There is a document that the first schema accepts and the second one refuses.
    Broken,
    /// Neither a proof nor such a document was found. Do not treat this as compatible.
    Unknown,
}
