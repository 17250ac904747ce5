//! Mutates a field of a schema as a change of its Rust type would.

use std::fmt;

use serde_json::{Map, Value, json};

/// A way to change a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutation {
    Remove,
    Rename,
    Retype,
    Require,
    Relax,
    Skip,
    Narrow,
    Widen,
    Reorder,
    Retag,
    AddOptional,
    AddRequired,
}

/// What can be said about a field without its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Float,
    Flag,
    Time,
    /// An enum without data.
    Words,
    /// An enum whose variants are told apart by a tag.
    Tagged,
    List,
    Map,
    /// An `Option` of a text.
    Nullable,
    /// An `Option` of an integer.
    NullableInteger,
    /// A tag itself, which is changed by changing the enum.
    Tag,
}

/// A field, by the object that has it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Where the object is in the schema, a JSON Pointer.
    object: String,
    field: String,
    pub(super) kind: Kind,
}

impl Place {
    /// Whether a reader with this schema needs the field, since it has no default.
    pub(super) fn is_needed(&self, reader: &Value) -> bool {
        let object = reader.pointer(&self.object).unwrap();
        let needed = object.get("required").and_then(Value::as_array);
        needed.is_some_and(|fields| fields.iter().any(|field| *field == self.field.as_str()))
    }

    /// Whether the field is one of a variant's.
    pub(super) fn in_variant(&self) -> bool {
        self.object.contains("/oneOf/")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{} ({:?})", self.object, self.field, self.kind)
    }
}

/// The fields of all objects that a schema names.
pub(super) fn fields(schema: &Value) -> Vec<Place> {
    let mut places = Vec::new();
    let mut objects = vec![(String::new(), schema)];
    for (name, definition) in members(schema.get("$defs")) {
        objects.push((format!("/$defs/{name}"), definition));
        let variants = definition.get("oneOf").and_then(Value::as_array);
        for (index, variant) in variants.into_iter().flatten().enumerate() {
            objects.push((format!("/$defs/{name}/oneOf/{index}"), variant));
        }
    }
    for (object, value) in objects {
        for (field, of_field) in members(value.get("properties")) {
            places.push(Place {
                object: object.clone(),
                field: field.clone(),
                kind: kind(schema, of_field),
            });
        }
    }
    places
}

fn members(object: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    object.and_then(Value::as_object).into_iter().flatten()
}

fn kind(root: &Value, field: &Value) -> Kind {
    let field = resolved(root, field);
    if field.get("const").is_some() {
        return Kind::Tag;
    }
    if field.get("enum").is_some() {
        return Kind::Words;
    }
    if field.get("oneOf").is_some() {
        return Kind::Tagged;
    }
    match (&field["type"], field.get("format").and_then(Value::as_str)) {
        (Value::Array(types), _) if types[0] == "integer" => Kind::NullableInteger,
        (Value::Array(_), _) => Kind::Nullable,
        (Value::String(name), format) => match (name.as_str(), format) {
            ("string", None) => Kind::Text,
            ("string", Some(_)) => Kind::Time,
            ("integer", _) => Kind::Integer,
            ("number", _) => Kind::Float,
            ("boolean", _) => Kind::Flag,
            ("array", _) => Kind::List,
            ("object", _) => Kind::Map,
            (other, _) => panic!("no kind for the type {other}"),
        },
        _ => panic!("no kind for {field}"),
    }
}

fn resolved<'a>(root: &'a Value, field: &'a Value) -> &'a Value {
    match field.get("$ref").and_then(Value::as_str) {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => field,
    }
}

/// Changes a field in the schema of a writer or of a reader.
pub(super) fn apply(schema: &mut Value, place: &Place, mutation: Mutation, writer: bool) {
    let root = schema.clone();
    let object = schema.pointer_mut(&place.object).unwrap();
    let name = place.field.as_str();
    let old = resolved(&root, &object["properties"][name]).clone();
    match mutation {
        Mutation::Remove => {
            remove(object, name);
        }
        Mutation::Rename => {
            let required = remove(object, name);
            put(object, "renamed", old, required);
        }
        Mutation::Skip => {
            remove(object, name);
            put(object, name, old, false);
        }
        Mutation::AddOptional => {
            put(
                object,
                "added",
                json!({ "type": ["string", "null"] }),
                writer,
            );
        }
        Mutation::AddRequired => put(object, "added", json!({ "type": "string" }), true),
        Mutation::Require => {
            let mut required = old.clone();
            required["type"] = old["type"][0].clone();
            put(object, name, required, true);
        }
        Mutation::Relax => {
            remove(object, name);
            put(
                object,
                name,
                json!({ "anyOf": [old, { "type": "null" }] }),
                writer,
            );
        }
        _ => object["properties"][name] = value(&old, place.kind, mutation),
    }
}

/// The schema of the field, changed by itself.
fn value(old: &Value, kind: Kind, mutation: Mutation) -> Value {
    match mutation {
        Mutation::Retype => retyped(kind),
        Mutation::Narrow => narrowed(old, kind),
        Mutation::Widen => widened(old, kind),
        Mutation::Reorder => reordered(old),
        Mutation::Retag => retagged(old),
        other => panic!("{other:?} is no change of a value"),
    }
}

fn retyped(kind: Kind) -> Value {
    match kind {
        Kind::Flag => json!({ "type": "string" }),
        Kind::Nullable | Kind::NullableInteger => json!({ "type": ["boolean", "null"] }),
        _ => json!({ "type": "boolean" }),
    }
}

fn narrowed(old: &Value, kind: Kind) -> Value {
    let mut new = old.clone();
    match kind {
        Kind::Text | Kind::Nullable => new["maxLength"] = json!(3),
        Kind::Integer | Kind::Float | Kind::NullableInteger => new["maximum"] = json!(9),
        Kind::Time => new["pattern"] = json!("^2"),
        Kind::List => new["maxItems"] = json!(2),
        Kind::Map => new["maxProperties"] = json!(2),
        Kind::Words => drop(list(&mut new, "enum").pop()),
        Kind::Tagged => drop(list(&mut new, "oneOf").pop()),
        other => panic!("{other:?} cannot be narrower"),
    }
    new
}

fn widened(old: &Value, kind: Kind) -> Value {
    let mut new = old.clone();
    match kind {
        Kind::Integer => {
            // Any integer.
            let keywords = new.as_object_mut().unwrap();
            keywords
                .retain(|keyword, _| !["format", "minimum", "maximum"].contains(&keyword.as_str()));
        }
        Kind::Words => list(&mut new, "enum").push(json!("New")),
        Kind::Tagged => list(&mut new, "oneOf").push(json!({
            "type": "object",
            "properties": { "kind": { "type": "string", "const": "New" } },
            "required": ["kind"],
        })),
        Kind::Nullable | Kind::NullableInteger => list(&mut new, "type").push(json!("array")),
        _ => new = json!({ "anyOf": [old, { "type": "null" }] }),
    }
    new
}

fn reordered(old: &Value) -> Value {
    let mut new = old.clone();
    let keyword = if old.get("enum").is_some() {
        "enum"
    } else {
        "oneOf"
    };
    list(&mut new, keyword).reverse();
    new
}

fn retagged(old: &Value) -> Value {
    let mut new = old.clone();
    for variant in list(&mut new, "oneOf") {
        let tag = variant["properties"]["kind"].clone();
        remove(variant, "kind");
        put(variant, "type", tag, true);
    }
    new
}

fn list<'a>(schema: &'a mut Value, keyword: &str) -> &'a mut Vec<Value> {
    schema[keyword].as_array_mut().unwrap()
}

/// Takes a field away, and says whether it was required.
fn remove(object: &mut Value, name: &str) -> bool {
    properties(object).remove(name);
    let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) else {
        return false;
    };
    let before = required.len();
    required.retain(|one| one != name);
    required.len() < before
}

fn put(object: &mut Value, name: &str, schema: Value, required: bool) {
    properties(object).insert(name.to_owned(), schema);
    if required {
        let map = object.as_object_mut().unwrap();
        let names = map.entry("required").or_insert_with(|| json!([]));
        let names = names.as_array_mut().unwrap();
        if !names.iter().any(|one| one == name) {
            names.push(json!(name));
        }
    }
}

fn properties(object: &mut Value) -> &mut Map<String, Value> {
    object["properties"].as_object_mut().unwrap()
}
