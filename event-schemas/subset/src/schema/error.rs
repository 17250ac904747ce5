//! `SchemaError`: why a value is not a usable schema.

use thiserror::Error;

/// Why a value could not be read as a schema.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The value is not a schema of its draft.
    #[error("not a JSON Schema: at {pointer:?}: {why}")]
    NotASchema {
        /// JSON Pointer into the value; empty for the value itself.
        pointer: String,
        /// What is wrong with it.
        why: String,
    },
    /// `$schema` names an unknown draft, or another draft than the enclosing schema.
    #[error(
        "at {pointer:?}: `$schema` is {dialect:?}; only draft-07 and 2020-12 can be compared, one in a schema"
    )]
    UnknownDialect {
        /// JSON Pointer into the value; empty for the value itself.
        pointer: String,
        /// The value of `$schema`.
        dialect: String,
    },
    /// A reference leads out of the schema.
    #[error(
        "at {pointer:?}: {reference:?} is not in this schema, and nothing is fetched; put what it names into `$defs`"
    )]
    RemoteRef {
        /// JSON Pointer into the value.
        pointer: String,
        /// The reference as written.
        reference: String,
    },
    /// The target of a reference does not exist.
    #[error(
        "at {pointer:?}: {reference:?} leads to nothing in this schema; correct it, or define what it names"
    )]
    MissingRef {
        /// JSON Pointer into the value.
        pointer: String,
        /// The reference as written.
        reference: String,
    },
    /// A reference leads back to itself without descending into a part of the document.
    #[error(
        "at {pointer:?}: {reference:?} refers to itself without descending into a part of the document, so no validator would terminate"
    )]
    CyclicRef {
        /// JSON Pointer into the value.
        pointer: String,
        /// The reference as written.
        reference: String,
    },
    /// The target of a `$dynamicRef` depends on the path to the reference.
    #[error(
        "at {pointer:?}: the target of `$dynamicRef` {reference:?} depends on which schema it is reached from; only those with one target are followed"
    )]
    DynamicRef {
        /// JSON Pointer into the value.
        pointer: String,
        /// The reference as written.
        reference: String,
    },
    /// The schema is nested too deeply.
    #[error("nested deeper than {limit} levels; deeper schemas are not supported")]
    TooDeep {
        /// The maximum number of levels.
        limit: usize,
    },
    /// A number is too large for exact computation.
    #[error("at {pointer:?}: the number is too large to compute with")]
    NumberTooLarge {
        /// JSON Pointer into the value.
        pointer: String,
    },
}
