//! Lists the fields of an event for `schemas show` and the page.

use event_schemas_subset::{Path, Step};
use serde_json::Value;

use super::{defs, flatten};

/// A field.
#[derive(Debug)]
pub(crate) struct Field {
    /// Where it stands in the data.
    pub(crate) path: Path,
    /// Its type in a few words.
    pub(crate) kind: String,
    /// Whether a writer may leave it out.
    pub(crate) optional: bool,
    /// Whether it is personal.
    pub(crate) personal: bool,
    /// The first line of what is said about it.
    pub(crate) description: String,
}

/// The fields of the data that an envelope of this schema has.
pub(crate) fn of_envelope(envelope: &Value) -> Vec<Field> {
    let mut walk = Walk {
        document: envelope,
        open: Vec::new(),
        fields: Vec::new(),
    };
    walk.inside(data(envelope), &Path::root());
    walk.fields
}

/// The examples of the data.
pub(crate) fn examples(envelope: &Value) -> &[Value] {
    let examples = data(envelope).get("examples").and_then(Value::as_array);
    examples.map_or(&[], Vec::as_slice)
}

fn data(envelope: &Value) -> &Value {
    let reference = envelope.pointer("/x-event/written").and_then(Value::as_str);
    let data = reference.and_then(|reference| defs::target(envelope, reference));
    data.unwrap_or(&Value::Null)
}

struct Walk<'a> {
    document: &'a Value,
    open: Vec<&'a str>,
    fields: Vec<Field>,
}

impl<'a> Walk<'a> {
    /// The fields inside a value of `schema`, which stands at `at`.
    fn inside(&mut self, schema: &'a Value, at: &Path) {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && let Some(target) = defs::target(self.document, reference)
            && !self.open.contains(&reference)
        {
            self.open.push(reference);
            self.inside(target, at);
            self.open.pop();
        }
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            let required = schema.get("required").and_then(Value::as_array);
            for (name, schema) in properties {
                if flatten::is_absent(schema) {
                    continue;
                }
                let required = required.is_some_and(|all| all.iter().any(|one| one == name));
                self.field(schema, &at.join(Step::Key(name.clone())), !required);
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let parts = schema.get(keyword).and_then(Value::as_array);
            for part in parts.into_iter().flatten() {
                self.inside(part, at);
            }
        }
        if let Some(items) = schema.get("items") {
            self.inside(items, &at.join(Step::EveryItem));
        }
        for keyword in ["additionalProperties", "unevaluatedProperties"] {
            if let Some(values @ Value::Object(_)) = schema.get(keyword) {
                self.inside(values, &at.join(Step::EveryKey));
            }
        }
    }

    fn field(&mut self, schema: &'a Value, path: &Path, optional: bool) {
        let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
        let description = text("description").lines().next().unwrap_or_default();
        // A variant of an enum names the same field again.
        if !self.fields.iter().any(|field| field.path == *path) {
            self.fields.push(Field {
                kind: kind(schema),
                optional,
                personal: super::personal::is_marked(self.document, schema),
                description: description.to_owned(),
                path: path.clone(),
            });
        }
        self.inside(schema, path);
    }
}

/// What a field can be, in a few words.
fn kind(schema: &Value) -> String {
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    if let Some(constant) = schema.get("const") {
        return constant.to_string();
    }
    if let Some(reference) = text("$ref") {
        return defs::name_in(reference).unwrap_or_else(|| "itself".to_owned());
    }
    for keyword in ["oneOf", "anyOf"] {
        if let Some(parts) = schema.get(keyword).and_then(Value::as_array) {
            let mut kinds: Vec<String> = parts.iter().map(kind).collect();
            kinds.dedup();
            return kinds.join(" | ");
        }
    }
    let mut words = match schema.get("type") {
        Some(Value::String(one)) => one.clone(),
        Some(Value::Array(several)) => {
            let names: Vec<&str> = several.iter().filter_map(Value::as_str).collect();
            names.join(" | ")
        }
        _ => "any".to_owned(),
    };
    if let Some(items) = schema.get("items").filter(|_| words.contains("array")) {
        words = words.replace("array", &format!("array of {}", kind(items)));
    }
    match text("format") {
        Some(format) => format!("{words} ({format})"),
        None => words,
    }
}
