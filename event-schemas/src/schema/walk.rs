//! Visits the subschemas of a schema.

use serde_json::{Map, Value};

/// What a value is, which says what its keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A schema: its keys are keywords.
    Schema,
    /// An object of schemas, or an array of them.
    Schemas,
    /// No schema.
    Data,
}

impl Place {
    /// What the value of a keyword is, in 2020-12 and draft-07.
    pub(super) fn of_keyword(keyword: &str) -> Self {
        match keyword {
            "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "items"
            | "additionalItems"
            | "additionalProperties"
            | "propertyNames"
            | "unevaluatedItems"
            | "unevaluatedProperties" => Self::Schema,
            "allOf" | "anyOf" | "oneOf" | "prefixItems" | "properties" | "patternProperties"
            | "dependentSchemas" | "$defs" | "definitions" => Self::Schemas,
            _ => Self::Data,
        }
    }
}

/// Calls `visit` with the keywords of each schema in `schema`, from the outside in.
pub(crate) fn each<'a>(schema: &'a Value, visit: &mut dyn FnMut(&'a Map<String, Value>)) {
    let Some(keywords) = schema.as_object() else {
        return;
    };
    visit(keywords);
    for (keyword, value) in keywords {
        match (Place::of_keyword(keyword), value) {
            (Place::Schema, value) => each(value, visit),
            (Place::Schemas, Value::Object(schemas)) => {
                for schema in schemas.values() {
                    each(schema, visit);
                }
            }
            (Place::Schemas, Value::Array(schemas)) => {
                for schema in schemas {
                    each(schema, visit);
                }
            }
            _ => {}
        }
    }
}

/// Calls `change` with the keywords of each schema in `schema`, from the outside in.
pub(crate) fn each_mut(schema: &mut Value, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    let Some(keywords) = schema.as_object_mut() else {
        return;
    };
    change(keywords);
    for (keyword, value) in keywords {
        match (Place::of_keyword(keyword), value) {
            (Place::Schema, value) => each_mut(value, change),
            (Place::Schemas, Value::Object(schemas)) => {
                for schema in schemas.values_mut() {
                    each_mut(schema, change);
                }
            }
            (Place::Schemas, Value::Array(schemas)) => {
                for schema in schemas {
                    each_mut(schema, change);
                }
            }
            _ => {}
        }
    }
}
