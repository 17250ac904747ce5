//! The two schemas of a version, ready to be compared in a content model.

use event_schemas_subset::{Comparison, Schema, SchemaError, Verdict, compare};
use serde_json::{Map, Value};

use super::{ContentModel, Contract};

/// The schemas of one version as they are compared: the writer closed, since it writes
/// what it declares and nothing else; the reader as the content model says.
pub(super) struct Prepared<'a> {
    pub(super) contract: &'a Contract,
    writer: Schema,
    reader: Schema,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(contract: &'a Contract, model: ContentModel) -> Result<Self, BadSchema> {
        let read = |side, schema| {
            Schema::parse(schema).map_err(|source| BadSchema {
                subject: contract.facts.subject.clone(),
                version: contract.version,
                side,
                file: contract.file.clone(),
                source,
            })
        };
        let reader = read("reader", &contract.reader)?;
        Ok(Self {
            contract,
            writer: read("writer", &contract.writer)?.closed(),
            reader: match model {
                ContentModel::Tolerant => reader,
                ContentModel::Strict => reader.closed(),
            },
        })
    }

    /// Whether `reader` reads what this version writes.
    pub(super) fn read_by(&self, reader: &Self) -> Comparison {
        compare(&self.writer, &reader.reader)
    }

    /// Whether both sides mean the same as those of `other`, however they are written.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        let (one, two) = (self.contract, other.contract);
        equivalent((&one.writer, &self.writer), (&two.writer, &other.writer))
            && equivalent((&one.reader, &self.reader), (&two.reader, &other.reader))
    }

    /// Whether the writer is, texts aside, written as that of `other`.
    pub(super) fn has_writer_of(&self, other: &Self) -> bool {
        same_but_texts(&self.contract.writer, &other.contract.writer)
    }

    /// Whether the reader is, texts aside, written as that of `other`.
    pub(super) fn has_reader_of(&self, other: &Self) -> bool {
        same_but_texts(&self.contract.reader, &other.contract.reader)
    }
}

fn equivalent(one: (&Value, &Schema), other: (&Value, &Schema)) -> bool {
    let within = |one, other| compare(one, other).verdict() == Verdict::Contained;
    same_but_texts(one.0, other.0) || (within(one.1, other.1) && within(other.1, one.1))
}

/// A schema that cannot be compared, since it is none.
#[derive(Debug, thiserror::Error)]
#[error(
    "{file}: the schema of {subject} {version} as {side} cannot be used; put the file right, or take it back from git"
)]
pub struct BadSchema {
    subject: String,
    version: event_sdk::envelope::Version,
    side: &'static str,
    file: String,
    source: SchemaError,
}

/// Whether two schemas differ in nothing but texts and marks that validate nothing.
pub(crate) fn same_but_texts(one: &Value, other: &Value) -> bool {
    one == other || without_texts(one) == without_texts(other)
}

/// The schema without the keywords that say nothing about documents.
fn without_texts(schema: &Value) -> Value {
    let Value::Object(keywords) = schema else {
        return schema.clone();
    };
    let kept = keywords
        .iter()
        .filter(|(keyword, _)| !is_text(keyword))
        .map(|(keyword, value)| (keyword.clone(), keyword_without_texts(keyword, value)));
    Value::Object(kept.collect())
}

fn keyword_without_texts(keyword: &str, value: &Value) -> Value {
    match keyword {
        "properties" | "patternProperties" | "dependentSchemas" | "$defs" | "definitions" => {
            each(value)
        }
        "allOf" | "anyOf" | "oneOf" | "prefixItems" | "items" if value.is_array() => {
            let parts = value.as_array().into_iter().flatten();
            Value::Array(parts.map(without_texts).collect())
        }
        "required" => sorted(value),
        // Values, not schemas.
        "enum" | "const" | "type" => value.clone(),
        _ => without_texts(value),
    }
}

/// A map from names to schemas: the names are no keywords.
fn each(value: &Value) -> Value {
    let Value::Object(schemas) = value else {
        return value.clone();
    };
    let kept = schemas
        .iter()
        .map(|(name, schema)| (name.clone(), without_texts(schema)));
    Value::Object(kept.collect::<Map<_, _>>())
}

fn sorted(value: &Value) -> Value {
    let mut names = value.clone();
    if let Value::Array(names) = &mut names {
        names.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
    }
    names
}

fn is_text(keyword: &str) -> bool {
    matches!(
        keyword,
        "title"
            | "description"
            | "examples"
            | "default"
            | "deprecated"
            | "readOnly"
            | "writeOnly"
            | "$comment"
            | "$id"
            | "$schema"
    ) || keyword.starts_with("x-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_no_difference_and_properties_of_their_names_are() {
        let plain = json!({ "type": "object", "properties": { "title": { "type": "string" } } });
        let told = json!({
            "title": "Told", "type": "object", "x-pii": true,
            "properties": { "title": { "description": "…", "type": "string" } },
        });
        assert!(same_but_texts(&plain, &told));
        let without = json!({ "type": "object", "properties": {} });
        assert!(!same_but_texts(&plain, &without));
    }

    #[test]
    fn the_order_of_required_is_no_difference_and_values_are_left_alone() {
        let one = json!({ "required": ["a", "b"], "enum": [{ "title": 1 }] });
        let other = json!({ "required": ["b", "a"], "enum": [{ "title": 1 }] });
        assert!(same_but_texts(&one, &other));
        assert!(!same_but_texts(
            &one,
            &json!({ "required": ["a", "b"], "enum": [{}] })
        ));
    }
}
