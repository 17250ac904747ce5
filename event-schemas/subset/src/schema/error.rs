//! `SchemaError`: why a value is not a usable schema.

use thiserror::Error;

/// Why a value could not be read as a schema.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The value is no schema of its draft.
    #[error("not a JSON Schema: at {pointer:?}: {why}")]
    NotASchema {
        /// JSON Pointer into the value; empty for the value itself.
        pointer: String,
        /// What is wrong with it.
        why: String,
    },
    /// `$schema` names a draft that is not known here, or another one than the schema around it.
    #[error(
        "at {pointer:?}: `$schema` is {dialect:?}; only draft-07 and 2020-12 can be compared, one in a schema"
    )]
    UnknownDialect {
        /// JSON Pointer into the value; empty for the value itself.
        pointer: String,
        /// What `$schema` says.
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
    /// A reference leads to nothing.
    #[error(
        "at {pointer:?}: {reference:?} leads to nothing in this schema; correct it, or define what it names"
    )]
    MissingRef {
        /// JSON Pointer into the value.
        pointer: String,
        /// The reference as written.
        reference: String,
    },
    /// A reference leads back to itself without going into a part of the document.
    #[error(
        "at {pointer:?}: {reference:?} refers to itself without descending into a part of the document, so no validator would terminate"
    )]
    CyclicRef {
        /// JSON Pointer into the value.
        pointer: String,
        /// The reference as written.
        reference: String,
    },
    /// A `$dynamicRef` whose target depends on the way to it.
    #[error(
        "at {pointer:?}: the target of `$dynamicRef` {reference:?} depends on which schema it is reached from; only those with one target are followed"
    )]
    DynamicRef {
        /// JSON Pointer into the value.
        pointer: String,
        /// The reference as written.
        reference: String,
    },
    /// The schema is nested deeper than is read.
    #[error("nested deeper than {limit} levels; deeper schemas are not supported")]
    TooDeep {
        /// How many levels are read.
        limit: usize,
    },
    /// A number is larger than is computed with.
    #[error("at {pointer:?}: the number is too large to compute with")]
    NumberTooLarge {
        /// JSON Pointer into the value.
        pointer: String,
    },
}
