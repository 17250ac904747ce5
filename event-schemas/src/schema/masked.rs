//! `masked`: a document without its personal data, for reports.

use serde_json::{Map, Value};

use super::{defs, personal};

/// What stands in the place of personal data.
const MASK: &str = "[personal data]";

/// The document with every value masked that `schema` marks with `x-pii`, however deep a type
/// lies within itself. Where branches differ, what one of them marks is masked.
pub(crate) fn masked(document: &Value, schema: &Value) -> Value {
    let mut masked = document.clone();
    mask(schema, vec![schema], &mut masked);
    masked
}

/// Masks a value, of which these schemas speak.
fn mask(root: &Value, schemas: Vec<&Value>, value: &mut Value) {
    let all = speaking(root, schemas);
    if all.iter().any(|keywords| personal::has_mark(keywords)) {
        // That there is none is no personal data.
        if !value.is_null() {
            *value = MASK.into();
        }
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let of_member = all.iter().flat_map(|keywords| of_member(keywords, name));
                mask(root, of_member.collect(), member);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let of_item = all.iter().flat_map(|keywords| of_item(keywords, index));
                mask(root, of_item.collect(), item);
            }
        }
        _ => {}
    }
}

/// The keywords of all schemas that speak of the same value as these, each once.
fn speaking<'a>(root: &'a Value, mut open: Vec<&'a Value>) -> Vec<&'a Map<String, Value>> {
    let mut all: Vec<&Map<String, Value>> = Vec::new();
    while let Some(schema) = open.pop() {
        let Some(keywords) = schema.as_object() else {
            continue;
        };
        if all.iter().any(|known| std::ptr::eq(*known, keywords)) {
            continue;
        }
        all.push(keywords);
        let reference = keywords.get("$ref").and_then(Value::as_str);
        open.extend(reference.and_then(|reference| defs::target(root, reference)));
        for keyword in ["allOf", "anyOf", "oneOf"] {
            open.extend(
                keywords
                    .get(keyword)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten(),
            );
        }
        open.extend(
            ["if", "then", "else"]
                .into_iter()
                .filter_map(|one| keywords.get(one)),
        );
    }
    all
}

/// The schemas of a member of an object. Every pattern counts, whether it matches the name or not.
fn of_member<'a>(keywords: &'a Map<String, Value>, name: &str) -> Vec<&'a Value> {
    let within = |keyword: &str| keywords.get(keyword).and_then(Value::as_object);
    let named = within("properties").and_then(|properties| properties.get(name));
    let patterns = within("patternProperties")
        .into_iter()
        .flat_map(Map::values);
    let others = ["additionalProperties", "unevaluatedProperties"]
        .into_iter()
        .filter_map(|keyword| keywords.get(keyword))
        .filter(|_| named.is_none());
    named.into_iter().chain(patterns).chain(others).collect()
}

/// The schemas of an item of an array.
fn of_item(keywords: &Map<String, Value>, index: usize) -> Vec<&Value> {
    let prefix = keywords.get("prefixItems").and_then(Value::as_array);
    let placed = prefix.and_then(|prefix| prefix.get(index));
    let others = ["items", "unevaluatedItems"]
        .into_iter()
        .filter_map(|keyword| keywords.get(keyword))
        .filter(|_| placed.is_none());
    let contained = keywords.get("contains");
    placed.into_iter().chain(others).chain(contained).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::masked;

    #[test]
    fn what_is_marked_is_masked_and_nothing_else() {
        let mark = json!({"x-pii": true});
        let schema = json!({"properties": {
            "email": mark,
            "phones": {"items": mark},
            "none": mark,
            "contacts": {"items": {"properties": {"name": mark, "since": {}}}},
            "by_role": {"additionalProperties": mark},
            "id": {"type": "integer"},
        }});
        let document = json!({
            "email": {"x": 1}, "phones": ["1", 2], "none": null, "id": 7,
            "contacts": [{"name": "Ada", "since": 1}, {"since": 2}], "by_role": {"a": "b"},
        });
        let hidden = "[personal data]";
        assert_eq!(
            masked(&document, &schema),
            json!({
                "email": hidden, "phones": [hidden, hidden], "none": null, "id": 7,
                "contacts": [{"name": hidden, "since": 1}, {"since": 2}], "by_role": {"a": hidden},
            })
        );
        assert_eq!(masked(&document, &json!({"x-pii": true})), json!(hidden));
    }

    #[test]
    fn a_type_within_itself_is_masked_at_every_depth() {
        let person = json!({"properties": {
            "name": {"x-pii": true},
            "boss": {"anyOf": [{"$ref": "#/$defs/Person"}, {"type": "null"}]},
            "staff": {"items": {"$ref": "#/$defs/Person"}},
        }});
        let schema = json!({
            "properties": {"head": {"$ref": "#/$defs/Person"}, "next": {"$ref": "#"}},
            "$defs": {"Person": person},
        });
        let document = |name: &str| {
            json!({
                "head": {"name": name, "boss": {"name": name, "boss": {
                    "name": name, "boss": null, "staff": [{"name": name, "staff": [{"name": name}]}],
                }}},
                "next": {"next": {"next": {"head": {"name": name, "boss": {"name": name}}}}},
            })
        };
        assert_eq!(
            masked(&document("Ada"), &schema),
            document("[personal data]")
        );
    }
}
