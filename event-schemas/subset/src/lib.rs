//! Decides whether every document that one JSON Schema accepts is accepted by another: a proof,
//! or verified counterexamples.
//!
//! There are three answers. [`Verdict::Contained`] is a proof. [`Verdict::Broken`] is a list of
//! breaks, each with a document that the first schema accepts and the second one refuses.
//! [`Verdict::Unknown`] says that neither was found. A document is reported only after an
//! independent validator has confirmed it for both schemas.
//!
//! ```
//! use event_schemas_subset::{Schema, Verdict, compare};
//! use serde_json::json;
//!
//! let written = Schema::parse(&json!({ "properties": { "price": { "type": "number" } } }))?;
//! let read = Schema::parse(&json!({ "properties": { "price": { "minimum": 0 } } }))?;
//!
//! let comparison = compare(&written, &read);
//! assert_eq!(comparison.verdict(), Verdict::Broken);
//! let found = &comparison.breaks()[0];
//! assert_eq!(found.path.to_string(), "price");
//! assert_eq!(found.rule.id(), "bound-tightened");
//! assert_eq!(found.why, "-1 may be written, but only numbers of at least 0 are accepted.");
//! # Ok::<(), event_schemas_subset::SchemaError>(())
//! ```
//!
//! This crate knows only JSON Schema (2020-12 and draft-07). It does not know about events.
//!
//! # Modules
//!
//! - `schema`: parses a JSON Schema and resolves its references;
//! - `lower`: turns the schemas of a comparison into expressions;
//! - `expr`: expressions: assertions with `and` and `not`;
//! - `solve`: finds a value that satisfies expressions, or proves that there is none;
//! - `number`, `text`, `types`: exact numbers, sets of strings, types of values;
//! - `diff`: finds all breaks between two schemas, field by field;
//! - `finding`, `options`: the findings of a comparison, and limits for its work;
//! - `rule`, `path`: the rule that a break violates, and its place;
//! - `comparison`: runs the steps, and holds the result.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod schema;

mod lower;

mod expr;

mod solve;

mod number;
mod text;
mod types;

mod diff;

mod finding;
mod options;
mod path;
mod rule;

mod comparison;

pub use comparison::{Comparison, Verdict, compare, compare_with};
pub use finding::{Break, Unknown};
pub use options::Options;
pub use path::{Path, Step};
pub use rule::Rule;
pub use schema::{Draft, Refusal, Schema, SchemaError};

/// The README's example, run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
