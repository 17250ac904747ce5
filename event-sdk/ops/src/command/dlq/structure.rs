//! The structure of a JSON document: the paths of its fields and their types, and what differs between two
//! documents, without values.

use serde::Serialize;
use serde_json::Value;

/// The most fields, and the most levels, that are named.
const FIELDS: usize = 100;
const LEVELS: usize = 8;

/// The fields of a document, each with its type and size; `None` if it is no JSON.
pub(super) fn structure(body: &[u8]) -> Option<Vec<(String, String)>> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let mut fields = Vec::new();
    add(&document, "", 0, &mut fields);
    if fields.len() > FIELDS {
        fields.truncate(FIELDS);
        fields.push(("…".to_owned(), "further fields".to_owned()));
    }
    Some(fields)
}

fn add(value: &Value, path: &str, level: usize, fields: &mut Vec<(String, String)>) {
    if fields.len() > FIELDS {
        return;
    }
    match value {
        Value::Object(members) if level < LEVELS && !members.is_empty() => {
            for (name, value) in members {
                add(value, &below(path, name), level + 1, fields);
            }
        }
        Value::Array(items) if level < LEVELS => {
            fields.push((named(path), format!("array of {}", items.len())));
            if let Some(first) = items.first() {
                add(first, &format!("{path}[0]"), level + 1, fields);
            }
        }
        other => fields.push((named(path), kind(other))),
    }
}

/// A field that differs.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) path: String,
    /// `added`, `removed` or `changed`.
    pub(super) change: &'static str,
}

/// The fields in which two documents differ; `None` if the first one is no JSON.
pub(super) fn changes(before: &[u8], after: &[u8]) -> Option<Vec<Changed>> {
    let before: Value = serde_json::from_slice(before).ok()?;
    let after: Value = serde_json::from_slice(after).ok()?;
    let mut changes = Vec::new();
    compare(&before, &after, "", 0, &mut changes);
    if changes.len() > FIELDS {
        changes.truncate(FIELDS);
        changes.push(Changed {
            path: "further fields".to_owned(),
            change: "changed",
        });
    }
    Some(changes)
}

fn compare(before: &Value, after: &Value, path: &str, level: usize, changes: &mut Vec<Changed>) {
    if before == after || changes.len() > FIELDS {
        return;
    }
    let mut add = |path: &str, change| {
        changes.push(Changed {
            path: named(path),
            change,
        });
    };
    match (before, after) {
        (Value::Object(old), Value::Object(new)) if level < LEVELS => {
            for name in new.keys().filter(|name| !old.contains_key(*name)) {
                add(&below(path, name), "added");
            }
            for (name, value) in old {
                let path = below(path, name);
                match new.get(name) {
                    Some(new) => compare(value, new, &path, level + 1, changes),
                    None => changes.push(Changed {
                        path,
                        change: "removed",
                    }),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if level < LEVELS && old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                let path = format!("{path}[{index}]");
                compare(old, new, &path, level + 1, changes);
            }
        }
        _ => add(path, "changed"),
    }
}

/// The path of a member.
fn below(path: &str, name: &str) -> String {
    let name = field_name(name);
    if path.is_empty() {
        name
    } else {
        format!("{path}.{name}")
    }
}

fn named(path: &str) -> String {
    if path.is_empty() {
        "(the body)".to_owned()
    } else {
        path.to_owned()
    }
}

/// The name of a field. A name that no field of a struct has is that of a map, and so may be data.
fn field_name(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && name.len() <= 64 && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("(a name of {} characters)", name.chars().count())
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "boolean".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(text) => format!("string of {} characters", text.chars().count()),
        Value::Array(items) => format!("array of {}", items.len()),
        Value::Object(members) => format!("object of {}", members.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_has_no_values() {
        let body = br#"{"event_id":"7d","data":{"order":7,"mail":"ann@example.org","lines":[{"cents":990},{"cents":1}],
            "by":{"ann@example.org":true},"paid":null,"none":{}}}"#;
        let fields = structure(body).unwrap();
        let shown: Vec<_> = fields
            .iter()
            .map(|(path, kind)| format!("{path}: {kind}"))
            .collect();
        let expected = [
            "data.by.(a name of 15 characters): boolean",
            "data.lines: array of 2",
            "data.lines[0].cents: number",
            "data.mail: string of 15 characters",
            "data.none: object of 0",
            "data.order: number",
            "data.paid: null",
            "event_id: string of 2 characters",
        ];
        assert_eq!(shown, expected);
        assert_eq!(structure(b"not JSON"), None);
    }

    #[test]
    fn a_large_document_is_cut() {
        let many: serde_json::Map<_, _> = (0..500)
            .map(|i| (format!("f{i}"), Value::from(i)))
            .collect();
        let fields = structure(Value::from(many).to_string().as_bytes()).unwrap();
        assert_eq!(fields.len(), FIELDS + 1);
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        assert!(structure(deep.as_bytes()).unwrap().len() <= LEVELS + 1);
    }

    #[test]
    fn changes_have_paths_and_no_values() {
        let before = br#"{"a":1,"b":{"c":[1,2],"d":"Ada"},"e":0,"ann@example.org":1}"#;
        let after = br#"{"a":1,"b":{"c":[1,3],"d":"Grace"},"f":0,"ann@example.org":2}"#;
        let changes = changes(before, after).unwrap();
        let found: Vec<_> = changes.iter().map(|it| (&*it.path, it.change)).collect();
        let expected = [
            ("f", "added"),
            ("(a name of 15 characters)", "changed"),
            ("b.c[1]", "changed"),
            ("b.d", "changed"),
            ("e", "removed"),
        ];
        assert_eq!(found, expected);
        assert_eq!(super::changes(b"1", b"2").unwrap()[0].path, "(the body)");
        assert_eq!(super::changes(before, before), Some(Vec::new()));
        assert_eq!(super::changes(b"no JSON", before), None);
    }
}
