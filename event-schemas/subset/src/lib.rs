//! Decides whether every document that one JSON Schema accepts is accepted by another: a proof,
//! or verified counterexamples.
//!
//! The answer is a proof ([`Verdict::Contained`]), a list of breaks of which
//! each carries a document that the one accepts and the other refuses
//! ([`Verdict::Broken`]), or that it is not known ([`Verdict::Unknown`]). A
//! document is shown only after an independent validator has said the same of
//! it: nothing is guessed.
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
//! This crate knows JSON Schema (2020-12 and draft-07) and nothing of events.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod comparison;
mod diff;
mod expr;
mod lower;
mod number;
mod path;
mod rule;
mod schema;
mod solve;
mod text;
mod types;

pub use comparison::{Break, Comparison, Options, Unknown, Verdict, compare, compare_with};
pub use path::{Path, Step};
pub use rule::Rule;
pub use schema::{Draft, Refusal, Schema, SchemaError};

/// The README's example, run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
