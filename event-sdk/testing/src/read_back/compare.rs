//! Compares two JSON texts of one event by value, and names the path of the first difference.

use std::fmt::Write as _;

use serde_json::Value;

/// Whether both are the same value. The order of an object's fields does not count; neither does
/// the order of an array's items if both have the same ones, since the items of a `HashSet` are
/// written in another order each time.
pub(super) fn same(written: &[u8], again: &[u8]) -> Result<(), String> {
    let [written, again] = [written, again].map(serde_json::from_slice::<Value>);
    let (Ok(written), Ok(again)) = (written, again) else {
        return Err("one of the two texts is no JSON".to_owned());
    };
    let mut path = String::new();
    match difference(&written, &again, &mut path) {
        None => Ok(()),
        Some(what) if path.is_empty() => Err(format!("the data {what}")),
        Some(what) => Err(format!("{path} {what}")),
    }
}

/// What differs; `path` then has its place.
fn difference(written: &Value, again: &Value, path: &mut String) -> Option<String> {
    match (written, again) {
        (Value::Object(written), Value::Object(again)) => {
            for (name, value) in written {
                let end = path.len();
                if end > 0 {
                    path.push('.');
                }
                path.push_str(name);
                let Some(other) = again.get(name) else {
                    return Some("is lost".to_owned());
                };
                let found = difference(value, other, path);
                if found.is_some() {
                    return found;
                }
                path.truncate(end);
            }
            let added = again.keys().find(|name| !written.contains_key(*name))?;
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(added);
            Some("is added".to_owned())
        }
        (Value::Array(written), Value::Array(again)) => {
            if same_items(written, again) {
                return None;
            }
            if written.len() != again.len() {
                let (before, after) = (written.len(), again.len());
                return Some(format!("has {before} items, and {after} when it was read"));
            }
            written
                .iter()
                .zip(again)
                .enumerate()
                .find_map(|(at, (one, other))| {
                    let end = path.len();
                    // Writing into memory has no way to fail.
                    let _ = write!(path, "[{at}]");
                    let found = difference(one, other, path);
                    if found.is_none() {
                        path.truncate(end);
                    }
                    found
                })
        }
        (written, again) if written == again => None,
        (written, again) if kind(written) == kind(again) => {
            Some(format!("is read as another {}", kind(written)))
        }
        (written, again) => Some(format!(
            "is written as {} and read as {}",
            kind(written),
            kind(again)
        )),
    }
}

fn same_items(one: &[Value], other: &[Value]) -> bool {
    let mut left: Vec<&Value> = other.iter().collect();
    one.len() == other.len()
        && one.iter().all(|item| {
            let place = left.iter().position(|other| *other == item);
            place.map(|place| left.swap_remove(place)).is_some()
        })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn the_first_difference_is_named_by_its_path_and_without_its_value() {
        for (written, again, says) in [
            (
                r#"{"a":{"b":[1,"secret"]}}"#,
                r#"{"a":{"b":[1,2]}}"#,
                "a.b[1] is written as string and read as number",
            ),
            (
                r#"{"a":"secret"}"#,
                r#"{"a":"other"}"#,
                "a is read as another string",
            ),
            (r#"{"a":1,"b":2}"#, r#"{"a":1}"#, "b is lost"),
            (r#"{"a":1}"#, r#"{"a":1,"c":null}"#, "c is added"),
            (
                r#"{"a":[1,2]}"#,
                r#"{"a":[1]}"#,
                "a has 2 items, and 1 when it was read",
            ),
            ("1", "2", "the data is read as another number"),
        ] {
            assert_eq!(
                same(written.as_bytes(), again.as_bytes()).unwrap_err(),
                says
            );
        }
    }

    #[test]
    fn the_order_of_fields_and_of_the_items_of_a_set_does_not_count() {
        for (written, again) in [
            (r#"{"a":1,"b":[2,1,2]}"#, r#"{"b":[2,2,1],"a":1}"#),
            ("1.5", "1.5"),
        ] {
            assert_eq!(same(written.as_bytes(), again.as_bytes()), Ok(()));
        }
        assert!(same(b"[1,1,2]", b"[1,2,2]").is_err());
    }
}
