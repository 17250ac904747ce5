//! `Schema`: parses and validates a JSON Schema (2020-12 or draft-07).

mod closed;
mod error;
mod format;
mod index;
mod node;
mod tree;
mod upgrade;

use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub use error::SchemaError;
pub(crate) use format::{Format, with_own};
pub(crate) use node::{Node, NodeId};
pub(crate) use tree::Tree;

/// How deep a schema may be nested, in levels of JSON.
const MAX_DEPTH: usize = 192;

/// A JSON Schema that was parsed and checked. Cheap to clone.
///
/// `format` is an assertion for the formats that the validator knows, for the number formats of
/// `OpenAPI` (`int32`, `uint64`, …), and for the string formats that schemars writes
/// (`partial-date-time`, `partial-time`, `zoned-date-time`, `ip`). For any other format, a
/// comparison treats the accepted values as unknown, and [`accepts`](Self::accepts) accepts every
/// value.
#[derive(Clone, Debug)]
pub struct Schema {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    value: Value,
    /// What the validator is given, where that is not `value`.
    spelled: Option<Value>,
    tree: Tree,
    validator: OnceLock<Result<jsonschema::Validator, String>>,
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

impl Draft {
    /// The draft that `$schema` names.
    fn named(dialect: &str) -> Option<Self> {
        match dialect.trim_end_matches('#') {
            "http://json-schema.org/draft-07/schema"
            | "https://json-schema.org/draft-07/schema" => Some(Draft::Draft7),
            "https://json-schema.org/draft/2020-12/schema" => Some(Draft::Draft202012),
            _ => None,
        }
    }

    pub(crate) fn of_validator(self) -> jsonschema::Draft {
        match self {
            Draft::Draft7 => jsonschema::Draft::Draft7,
            Draft::Draft202012 => jsonschema::Draft::Draft202012,
        }
    }
}

/// One reason why a schema does not accept a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// JSON Pointer into the document; empty for the document itself.
    pub pointer: String,
    /// The validator's message.
    pub message: String,
}

impl Schema {
    /// Parses a schema in the draft that `$schema` names: draft-07 or 2020-12. Without `$schema`,
    /// it is 2020-12. References are followed inside the schema; nothing is ever fetched.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] names what is wrong, and where.
    pub fn parse(value: &Value) -> Result<Self, SchemaError> {
        refuse_depth(value)?;
        let dialect = value.get("$schema").and_then(Value::as_str);
        let draft = match dialect {
            None => Draft::Draft202012,
            Some(dialect) => Draft::named(dialect).ok_or_else(|| SchemaError::UnknownDialect {
                pointer: String::new(),
                dialect: dialect.to_owned(),
            })?,
        };
        check_meta(value, draft, "")?;
        Self::of_checked(value, draft)
    }

    /// Reads a schema that its meta-schema accepts.
    fn of_checked(value: &Value, draft: Draft) -> Result<Self, SchemaError> {
        let tree = Tree::read(value, draft)?;
        let ranges: Vec<String> = tree
            .nodes
            .iter()
            .filter(|node| {
                let format = node.format.as_deref().map(|name| Format::of(name, draft));
                matches!(format, Some(Format::Range(..)))
            })
            .map(|node| node.pointer.clone())
            .collect();
        let schema = Self {
            inner: Arc::new(Inner {
                value: value.clone(),
                spelled: format::spell_out(value, &ranges),
                tree,
                validator: OnceLock::new(),
            }),
        };
        schema.refuse_patterns()?;
        Ok(schema)
    }

    /// Returns the schema as a writer, or a strict reader, uses it: if the schema of a value names
    /// properties, other properties of the value are refused.
    ///
    /// `unevaluatedProperties: false` is added for each value whose schema has `properties`. It is
    /// also added if only another schema of the same value has them (`$ref`, `allOf`, `anyOf`,
    /// `oneOf`, `then`, `else`, `dependentSchemas`). An object without named properties, such as a
    /// map, stays open, and so does an object with `additionalProperties`. The schemas in `not`,
    /// `if` and `contains` are conditions, not descriptions, and are not changed. Draft-07 does not
    /// have `unevaluatedProperties`, so a schema in draft-07 is first converted to 2020-12.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] if a schema in draft-07 cannot be converted to 2020-12, for example because
    /// it refers to a place that is elsewhere in 2020-12. The schema is not left open in this case,
    /// since an open schema accepts more than a writer writes.
    pub fn closed(&self) -> Result<Self, SchemaError> {
        closed::close(self)
    }

    /// The schema as JSON.
    pub fn as_value(&self) -> &Value {
        &self.inner.value
    }

    /// The version of JSON Schema in which the schema is written.
    pub fn draft(&self) -> Draft {
        self.inner.tree.draft
    }

    /// Whether the schema accepts a document.
    pub fn accepts(&self, document: &Value) -> bool {
        self.validator()
            .is_ok_and(|validator| validator.is_valid(document))
    }

    /// Whether the validator says that it does not accept a document.
    pub(crate) fn refuses(&self, document: &Value) -> bool {
        self.validator()
            .is_ok_and(|validator| !validator.is_valid(document))
    }

    /// Returns why the schema does not accept a document; empty if the schema accepts it.
    pub fn validate(&self, document: &Value) -> Vec<Refusal> {
        match self.validator() {
            Ok(validator) => validator
                .iter_errors(document)
                .map(|error| Refusal {
                    pointer: error.instance_path().to_string(),
                    message: error.to_string(),
                })
                .collect(),
            Err(message) => vec![Refusal {
                pointer: String::new(),
                message: message.clone(),
            }],
        }
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.inner.tree
    }

    /// The validator, or why it could not be made of this schema.
    pub(crate) fn validator(&self) -> Result<&jsonschema::Validator, &String> {
        let build = || {
            let schema = self.inner.spelled.as_ref().unwrap_or(&self.inner.value);
            let options = || {
                with_own(jsonschema::options())
                    .with_draft(self.draft().of_validator())
                    .should_validate_formats(true)
            };
            // The engine that needs linear time, and the other one for what it does not know.
            options()
                .with_pattern_options(jsonschema::PatternOptions::regex())
                .build(schema)
                .or_else(|_| options().build(schema))
                .map_err(|error| error.to_string())
        };
        self.inner.validator.get_or_init(build).as_ref()
    }

    /// Refuses a schema with a pattern that the validator cannot read. The validator of
    /// one without patterns is made when a document is there to be shown to it.
    fn refuse_patterns(&self) -> Result<(), SchemaError> {
        let patterned = self
            .inner
            .tree
            .nodes
            .iter()
            .any(|node| node.pattern.is_some() || !node.pattern_properties.is_empty());
        match self.validator_if(patterned) {
            Some(Err(why)) => Err(SchemaError::NotASchema {
                pointer: String::new(),
                why: why.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn validator_if(&self, wanted: bool) -> Option<Result<&jsonschema::Validator, &String>> {
        wanted.then(|| self.validator())
    }
}

/// Refuses a value that is nested too deep, without recursion.
fn refuse_depth(value: &Value) -> Result<(), SchemaError> {
    let mut open = vec![(value, 0)];
    while let Some((value, depth)) = open.pop() {
        if depth > MAX_DEPTH {
            return Err(SchemaError::TooDeep { limit: MAX_DEPTH });
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => {
                open.extend(members.values().map(|member| (member, depth + 1)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses what the meta-schema of the draft does not accept.
fn check_meta(schema: &Value, draft: Draft, pointer: &str) -> Result<(), SchemaError> {
    let checked = match draft {
        Draft::Draft7 => jsonschema::draft7::meta::validate(schema),
        Draft::Draft202012 => jsonschema::draft202012::meta::validate(schema),
    };
    checked.map_err(|error| SchemaError::NotASchema {
        pointer: format!("{pointer}{}", error.instance_path()),
        why: error.to_string(),
    })
}
