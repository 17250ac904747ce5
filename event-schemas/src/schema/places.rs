//! Places: which schemas of a document speak of a value in it.

use serde_json::Value;

use super::{branches, defs};

/// The pointers of the schemas that speak of the value at `place`, a JSON Pointer in `document`;
/// none if there is no such value. Of branches, those that accept what is there.
pub(super) fn of(root: &Value, document: &Value, place: &str) -> Vec<String> {
    let mut at = vec![String::new()];
    let mut value = document;
    for step in steps(place) {
        at = accepting(root, &at, value)
            .iter()
            .flat_map(|pointer| children(root, pointer, value, &step))
            .collect();
        let next = match value {
            Value::Array(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)),
            value => value.get(&step),
        };
        match next {
            Some(next) => value = next,
            None => return Vec::new(),
        }
    }
    accepting(root, &at, value)
}

/// The schemas that speak of the same value as these, with them, from the outside in.
pub(super) fn in_place(root: &Value, pointers: &[String]) -> Vec<String> {
    speaking(root, pointers, |_, all| (0..all.len()).collect())
}

/// Those of them that accept the value, where there are several to choose from.
fn accepting(root: &Value, pointers: &[String], value: &Value) -> Vec<String> {
    speaking(root, pointers, |keyword, all| match keyword {
        "allOf" => (0..all.len()).collect(),
        _ => branches::accepting(root, all, value),
    })
}

/// `choose` answers which of the schemas in a keyword count.
fn speaking(
    root: &Value,
    pointers: &[String],
    choose: impl Fn(&str, &[Value]) -> Vec<usize>,
) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open: Vec<String> = pointers.iter().rev().cloned().collect();
    while let Some(pointer) = open.pop() {
        if all.contains(&pointer) {
            continue;
        }
        let Some(schema) = root.pointer(&pointer) else {
            continue;
        };
        let mut inner = Vec::new();
        if let Some(name) = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(defs::name_in)
        {
            inner.push(format!("/$defs/{}", escaped(&name)));
        }
        for keyword in ["allOf", "oneOf", "anyOf"] {
            let within = schema.get(keyword).and_then(Value::as_array);
            let chosen = within.map_or(Vec::new(), |all| choose(keyword, all));
            let chosen = chosen.into_iter();
            inner.extend(chosen.map(|at| format!("{pointer}/{keyword}/{at}")));
        }
        all.push(pointer);
        open.extend(inner.into_iter().rev());
    }
    all
}

/// The schemas of a part of a value, as one of its schemas has them.
pub(super) fn children(root: &Value, pointer: &str, value: &Value, step: &str) -> Vec<String> {
    let Some(schema) = root.pointer(pointer) else {
        return Vec::new();
    };
    let keyword = |path: String| {
        let found = format!("{pointer}/{path}");
        root.pointer(&found)
            .is_some_and(Value::is_object)
            .then_some(found)
    };
    if value.is_array() {
        let prefix = keyword(format!("prefixItems/{step}"));
        return prefix
            .or_else(|| keyword("items".to_owned()))
            .into_iter()
            .collect();
    }
    let named = keyword(format!("properties/{}", escaped(step)));
    let has_patterns = schema.get("patternProperties").is_some();
    named
        .or_else(|| (!has_patterns).then(|| keyword("additionalProperties".to_owned()))?)
        .into_iter()
        .collect()
}

/// The pointers of all objects in a document.
pub(super) fn objects(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(document, String::new())];
    while let Some((value, pointer)) = open.pop() {
        match value {
            Value::Array(items) => {
                let items = items.iter().enumerate();
                open.extend(items.map(|(at, item)| (item, format!("{pointer}/{at}"))));
            }
            Value::Object(members) => {
                let inner = members.iter();
                open.extend(
                    inner.map(|(name, member)| (member, format!("{pointer}/{}", escaped(name)))),
                );
                found.push(pointer);
            }
            _ => {}
        }
    }
    found
}

/// The steps of a JSON Pointer.
pub(super) fn steps(place: &str) -> Vec<String> {
    place
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// A name as a step of a JSON Pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
