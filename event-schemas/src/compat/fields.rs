//! Flat list of a schema's fields: path, shape in words, position in the schema.

use event_schemas_subset::{Path, Step};
use serde_json::Value;

use crate::schema::{defs, flatten};

/// A field that a schema names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Where it is in the data: `items[].price`.
    pub(crate) path: String,
    /// Where its schema is, a JSON Pointer into the schema that was asked.
    pub(crate) pointer: String,
    /// What it can be, in a few words: `string (date-time)`.
    pub(crate) shape: String,
    /// Whether a document has to have it where its object is.
    pub(crate) required: bool,
}

/// The fields, in the order of the schema; variants of an enum may name one path each.
pub(crate) fn of(schema: &Value) -> Vec<Field> {
    let mut search = Search {
        root: schema,
        open: Vec::new(),
        found: Vec::new(),
    };
    search.look(schema, "", &Path::root());
    search.found
}

/// What the data as a whole can be, in a few words.
pub(crate) fn shape_of(schema: &Value) -> String {
    shape(schema, schema, 0)
}

struct Search<'a> {
    root: &'a Value,
    /// The references that are being followed, so that a type within itself ends.
    open: Vec<&'a str>,
    found: Vec<Field>,
}

impl<'a> Search<'a> {
    fn look(&mut self, schema: &'a Value, pointer: &str, at: &Path) {
        let Some(keywords) = schema.as_object() else {
            return;
        };
        if let Some((reference, target)) = target(self.root, schema)
            && !self.open.contains(&reference)
        {
            self.open.push(reference);
            self.look(target, &pointer_of(reference), at);
            self.open.pop();
        }
        for (keyword, value) in keywords {
            self.follow(schema, keyword, value, pointer, at);
        }
    }

    fn follow(
        &mut self,
        schema: &'a Value,
        keyword: &str,
        value: &'a Value,
        pointer: &str,
        at: &Path,
    ) {
        let within = |part: &str| format!("{pointer}/{keyword}{part}");
        match (keyword, value) {
            ("properties", Value::Object(properties)) => {
                for (name, field) in properties {
                    if flatten::is_absent(field) {
                        continue;
                    }
                    let pointer = within(&format!("/{}", escape(name)));
                    let path = at.join(Step::Key(name.clone()));
                    self.add(field, &pointer, &path, is_required(schema, name));
                }
            }
            ("patternProperties", Value::Object(patterns)) => {
                for (pattern, field) in patterns {
                    let pointer = within(&format!("/{}", escape(pattern)));
                    self.add(field, &pointer, &at.join(Step::EveryKey), false);
                }
            }
            ("additionalProperties" | "unevaluatedProperties", Value::Object(_)) => {
                self.add(value, &within(""), &at.join(Step::EveryKey), false);
            }
            ("items", Value::Object(_)) => {
                self.add(value, &within(""), &at.join(Step::EveryItem), true);
            }
            ("prefixItems", Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let pointer = within(&format!("/{index}"));
                    self.add(item, &pointer, &at.join(Step::Index(index)), true);
                }
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                for (index, part) in parts.iter().enumerate() {
                    self.look(part, &within(&format!("/{index}")), at);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, schema: &'a Value, pointer: &str, path: &Path, required: bool) {
        self.found.push(Field {
            path: path.to_string(),
            pointer: pointer.to_owned(),
            shape: shape(self.root, schema, 0),
            required,
        });
        self.look(schema, pointer, path);
    }
}

fn is_required(schema: &Value, name: &str) -> bool {
    let required = schema.get("required").and_then(Value::as_array);
    required.is_some_and(|names| names.iter().any(|one| one == name))
}

/// The reference that a schema is, and what it leads to.
fn target<'a>(root: &'a Value, schema: &'a Value) -> Option<(&'a str, &'a Value)> {
    let reference = schema.get("$ref")?.as_str()?;
    Some((reference, defs::target(root, reference)?))
}

/// Where a reference leads, as a JSON Pointer.
pub(crate) fn pointer_of(reference: &str) -> String {
    match defs::name_in(reference) {
        Some(name) => format!("/$defs/{}", escape(&name)),
        None => String::new(),
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// How deep a shape is told.
const DEPTH: usize = 8;

fn shape(root: &Value, schema: &Value, depth: usize) -> String {
    match schema {
        Value::Bool(true) => "anything".to_owned(),
        Value::Bool(false) => "nothing".to_owned(),
        _ if depth > DEPTH => "…".to_owned(),
        _ => shape_of_keywords(root, schema, depth),
    }
}

fn shape_of_keywords(root: &Value, schema: &Value, depth: usize) -> String {
    let mut parts = Vec::new();
    if let Some((_, target)) = target(root, schema) {
        parts.push(shape(root, target, depth + 1));
    }
    if let Some(constant) = schema.get("const") {
        parts.push(constant.to_string());
    } else if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        parts.push(either(values.iter().map(ToString::to_string)));
    } else if let Some(types) = schema.get("type") {
        parts.push(types_and_bounds(types, schema));
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(variants) = schema.get(keyword).and_then(Value::as_array) {
            parts.push(either(
                variants.iter().map(|one| shape(root, one, depth + 1)),
            ));
        }
    }
    if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
        parts.extend(all.iter().map(|one| shape(root, one, depth + 1)));
    }
    parts.retain(|part| part != "anything");
    parts.dedup();
    if parts.is_empty() {
        "anything".to_owned()
    } else {
        parts.join(" & ")
    }
}

/// The texts, each once, with `|` between them.
fn either(texts: impl Iterator<Item = String>) -> String {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen.join(" | ")
}

fn types_and_bounds(types: &Value, schema: &Value) -> String {
    let names = match types {
        Value::Array(names) => either(names.iter().filter_map(Value::as_str).map(str::to_owned)),
        other => other.as_str().unwrap_or("anything").to_owned(),
    };
    let bounds: Vec<_> = BOUNDS
        .iter()
        .filter_map(|(keyword, said)| {
            let value = schema.get(keyword)?;
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            Some(format!("{said}{value}"))
        })
        .collect();
    if bounds.is_empty() {
        names
    } else {
        format!("{names} ({})", bounds.join(", "))
    }
}

/// The keywords that narrow a type, and how they are said.
const BOUNDS: [(&str, &str); 13] = [
    ("format", ""),
    ("minimum", "≥ "),
    ("exclusiveMinimum", "> "),
    ("maximum", "≤ "),
    ("exclusiveMaximum", "< "),
    ("multipleOf", "a multiple of "),
    ("minLength", "length ≥ "),
    ("maxLength", "length ≤ "),
    ("pattern", "matches "),
    ("minItems", "items ≥ "),
    ("maxItems", "items ≤ "),
    ("uniqueItems", "unique items: "),
    ("additionalProperties", "other fields: "),
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_told_with_path_place_and_shape() {
        let schema = json!({
            "type": "object",
            "properties": {
                "items": { "type": "array", "items": { "$ref": "#/$defs/Item" } },
                "a/b": { "type": ["string", "null"], "format": "date" },
            },
            "required": ["items"],
            "$defs": { "Item": { "type": "object", "properties": {
                "price": { "type": "integer", "minimum": 0 },
            } } },
        });
        let told: Vec<_> = of(&schema)
            .into_iter()
            .map(|field| (field.path, field.pointer, field.shape, field.required))
            .collect();
        let field = |path: &str, pointer: &str, shape: &str, required| {
            (
                path.to_owned(),
                pointer.to_owned(),
                shape.to_owned(),
                required,
            )
        };
        assert_eq!(
            told,
            [
                field(
                    "[\"a/b\"]",
                    "/properties/a~1b",
                    "string | null (date)",
                    false
                ),
                field("items", "/properties/items", "array", true),
                field("items[]", "/properties/items/items", "object", true),
                field(
                    "items[].price",
                    "/$defs/Item/properties/price",
                    "integer (≥ 0)",
                    false
                ),
            ]
        );
    }

    #[test]
    fn a_type_within_itself_ends() {
        let schema = json!({
            "type": "object", "properties": { "next": { "$ref": "#" }, "n": { "const": 1 } },
        });
        let paths: Vec<_> = of(&schema).into_iter().map(|field| field.path).collect();
        assert!(
            paths.contains(&"next.n".to_owned()) && paths.len() < 10,
            "{paths:?}"
        );
    }
}
