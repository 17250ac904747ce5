//! `masked`: a document without its personal data, for reports.

use event_schemas_subset::Step;
use serde_json::Value;

use super::personal;

/// What stands in the place of personal data.
const MASK: &str = "[personal data]";

/// The document with every value masked that `schema` marks with `x-pii`.
pub(crate) fn masked(document: &Value, schema: &Value) -> Value {
    let mut masked = document.clone();
    for path in personal::paths(schema) {
        mask(&mut masked, path.steps());
    }
    masked
}

fn mask(value: &mut Value, steps: &[Step]) {
    let Some((step, rest)) = steps.split_first() else {
        // That there is none is no personal data.
        if !value.is_null() {
            *value = MASK.into();
        }
        return;
    };
    match (step, value) {
        (Step::Key(name), Value::Object(members)) => {
            if let Some(member) = members.get_mut(name) {
                mask(member, rest);
            }
        }
        (Step::EveryKey, Value::Object(members)) => {
            for member in members.values_mut() {
                mask(member, rest);
            }
        }
        (Step::Index(index), Value::Array(items)) => {
            if let Some(item) = items.get_mut(*index) {
                mask(item, rest);
            }
        }
        (Step::EveryItem, Value::Array(items)) => {
            for item in items {
                mask(item, rest);
            }
        }
        _ => {}
    }
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
}
