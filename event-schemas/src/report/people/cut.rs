//! Cuts a document around the place of a finding.

use serde_json::Value;

/// How many values beside the place are shown.
const BESIDE: usize = 4;
/// How long a value beside the way to the place may be, in characters.
const LONG: usize = 40;

/// The lines of a document with the values on the way to a place, and a few beside the place.
pub(super) fn around(data: &Value, pointer: &str) -> Vec<String> {
    let steps: Vec<String> = pointer
        .split('/')
        .skip(1)
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect();
    let mut lines = Vec::new();
    write(data, &steps, "", 0, &mut lines);
    lines
}

/// Writes a value that begins with `head` on its first line.
fn write(value: &Value, steps: &[String], head: &str, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let Some((step, rest)) = steps.split_first() else {
        lines.push(format!("{indent}{head}{}", short(value)));
        return;
    };
    let (open, close, parts): (_, _, Vec<(Option<&str>, &Value, bool)>) = match value {
        Value::Object(members) => {
            let parts = members
                .iter()
                .map(|(name, member)| (Some(name.as_str()), member, name == step));
            ("{", "}", parts.collect())
        }
        Value::Array(items) => {
            let at: Option<usize> = step.parse().ok();
            let parts = items
                .iter()
                .enumerate()
                .map(|(index, item)| (None, item, Some(index) == at));
            ("[", "]", parts.collect())
        }
        _ => {
            lines.push(format!("{indent}{head}{}", short(value)));
            return;
        }
    };
    lines.push(format!("{indent}{head}{open}"));
    let inner = "  ".repeat(depth + 1);
    let is_last = rest.is_empty();
    let mut beside = 0;
    let mut hidden = false;
    for (name, part, is_on_way) in parts {
        let head = name.map_or(String::new(), |name| format!("{}: ", Value::from(name)));
        if is_on_way {
            if std::mem::take(&mut hidden) {
                lines.push(format!("{inner}…"));
            }
            write(part, rest, &head, depth + 1, lines);
        } else if is_last && beside < BESIDE && !part.is_object() && !part.is_array() {
            beside += 1;
            lines.push(format!("{inner}{head}{}", short(part)));
        } else {
            hidden = true;
        }
    }
    if hidden {
        lines.push(format!("{inner}…"));
    }
    lines.push(format!("{indent}{close}"));
}

/// A value on one line, cut where it is long.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= LONG {
        return text;
    }
    match value {
        Value::Object(_) => "{ … }".to_owned(),
        Value::Array(_) => "[ … ]".to_owned(),
        _ => {
            let head: String = text.chars().take(LONG).collect();
            format!("{head}…")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_beside_the_way_is_left_out() {
        let data = json!({
            "a": [1, 2, 3],
            "lines": [{ "article": "lamp", "parts": [1], "state": "Late" }, { "state": "Reserved" }],
            "z": 1,
        });
        let lines = around(&data, "/lines/0/state");
        let expected = [
            "{",
            "  …",
            "  \"lines\": [",
            "    {",
            "      \"article\": \"lamp\"",
            "      …",
            "      \"state\": \"Late\"",
            "    }",
            "    …",
            "  ]",
            "  …",
            "}",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_property_that_is_missing_shows_what_is_there() {
        let lines = around(&json!({ "user": { "id": 1 }, "z": {} }), "/user/name");
        assert_eq!(
            lines,
            ["{", "  \"user\": {", "    \"id\": 1", "  }", "  …", "}"]
        );
        assert_eq!(around(&json!("x"), ""), ["\"x\""]);
    }
}
