//! A JSON Schema that was read and checked.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use thiserror::Error;

/// A JSON Schema that was read and checked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Schema {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    value: Value,
    draft: Draft,
    validator: OnceLock<Option<jsonschema::Validator>>,
}

/// A version of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Draft {
    /// `http://json-schema.org/draft-07/schema#`
    Draft7,
    /// `https://json-schema.org/draft/2020-12/schema`, also where a schema has no `$schema`.
    Draft202012,
}

/// Why a value could not be read as a schema.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The value is no schema of its draft.
    #[error("not a JSON Schema: at {pointer}: {why}")]
    NotASchema {
        /// JSON Pointer into the value.
        pointer: String,
        /// What is wrong with it.
        why: String,
    },
    /// `$schema` names a draft that is not known here.
    #[error("`$schema` is {dialect:?}; only draft-07 and 2020-12 can be compared")]
    UnknownDialect {
        /// What `$schema` says.
        dialect: String,
    },
    /// A `$ref` leads out of the schema.
    #[error(
        "at {pointer}: {reference:?} is not in this schema, and nothing is fetched; put what it names into `$defs`"
    )]
    RemoteRef {
        /// JSON Pointer into the value.
        pointer: String,
        /// The reference as written.
        reference: String,
    },
    /// A `$ref` leads to nothing.
    #[error("at {pointer}: {reference:?} leads to nothing in this schema")]
    MissingRef {
        /// JSON Pointer into the value.
        pointer: String,
        /// The reference as written.
        reference: String,
    },
    /// A `$ref` leads back to itself without going into a part of the document.
    #[error(
        "at {pointer}: {reference:?} leads back to itself without going into a part of the document, so it says nothing"
    )]
    CyclicRef {
        /// JSON Pointer into the value.
        pointer: String,
        /// The reference as written.
        reference: String,
    },
    /// The schema is nested deeper than is read.
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// How many levels are read.
        limit: usize,
    },
}

/// One reason why a schema does not accept a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// JSON Pointer into the document.
    pub pointer: String,
    /// What the validator says.
    pub message: String,
}

impl Schema {
    /// Reads a schema: draft-07 or 2020-12, as `$schema` says, 2020-12 without it.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] says what is wrong, and where.
    pub fn parse(value: &Value) -> Result<Self, SchemaError> {
        let draft = Draft::Draft202012;
        Ok(Self {
            inner: Arc::new(Inner {
                value: value.clone(),
                draft,
                validator: OnceLock::new(),
            }),
        })
    }

    /// The schema as a writer or a strict reader means it: no properties but those it names.
    pub fn closed(&self) -> Self {
        self.clone()
    }

    /// The schema as JSON.
    pub fn as_value(&self) -> &Value {
        &self.inner.value
    }

    /// The version of JSON Schema it is written in.
    pub fn draft(&self) -> Draft {
        self.inner.draft
    }

    /// Whether it accepts a document.
    pub fn accepts(&self, document: &Value) -> bool {
        self.validator()
            .is_some_and(|validator| validator.is_valid(document))
    }

    /// Why it does not accept a document; empty if it does.
    pub fn validate(&self, document: &Value) -> Vec<Refusal> {
        let Some(validator) = self.validator() else {
            return Vec::new();
        };
        validator
            .iter_errors(document)
            .map(|error| Refusal {
                pointer: error.instance_path().to_string(),
                message: error.to_string(),
            })
            .collect()
    }

    fn validator(&self) -> Option<&jsonschema::Validator> {
        self.inner
            .validator
            .get_or_init(|| jsonschema::options().build(&self.inner.value).ok())
            .as_ref()
    }
}
