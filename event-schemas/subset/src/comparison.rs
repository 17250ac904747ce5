//! `compare`: compares two schemas, and holds verdict and breaks.

use crate::diff::diff;
use crate::finding::{Break, Unknown};
use crate::options::Options;
use crate::path::Path;
use crate::schema::Schema;

/// The stack of a search, in bytes; what is not used of it is never touched.
const STACK: usize = 64 << 20;

/// Compares two schemas: is every document that `sub` accepts accepted by `sup`?
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

/// Like [`compare`], with budgets of the caller's choice.
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

/// What [`compare`] found out.
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

    /// What could not be decided. May stand beside breaks.
    pub fn unknowns(&self) -> &[Unknown] {
        &self.unknowns
    }
}

/// The answer of a [`Comparison`] in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is proven that every document of the one is accepted by the other.
    Contained,
    /// There is a document that the one accepts and the other refuses.
    Broken,
    /// Neither was found. This is not "safe".
    Unknown,
}
