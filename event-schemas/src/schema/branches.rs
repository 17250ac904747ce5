//! Branches of a schema (`oneOf`, `anyOf`): which of them speak of a value.

use event_schemas_subset::Schema;
use serde_json::Value;

use super::{defs, walk};

/// The numbers of the branches that accept the value. Of one that cannot be asked, only that it is
/// the last that may is taken as an answer.
pub(super) fn accepting(root: &Value, branches: &[Value], value: &Value) -> Vec<usize> {
    let left: Vec<usize> = (0..branches.len())
        .filter(|at| !refuses_at_once(root, &branches[*at], value))
        .collect();
    if left.len() < 2 {
        return left;
    }
    let accepts = |at: &usize| accepts(root, &branches[*at], value);
    left.into_iter().filter(accepts).collect()
}

/// Whether a look at type, names and constants shows that a schema refuses the value.
fn refuses_at_once(root: &Value, schema: &Value, value: &Value) -> bool {
    let reference = schema.get("$ref").and_then(Value::as_str);
    if let Some(target) = reference.and_then(|reference| defs::target(root, reference))
        && target.get("$ref").is_none()
        && refuses_at_once(root, target, value)
    {
        return true;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is_kind = |one: &Value| one == kind || (kind == "number" && one == "integer");
    let is_other = match schema.get("type") {
        Some(Value::Array(several)) => !several.iter().any(is_kind),
        Some(one) => !is_kind(one),
        None => false,
    };
    let Value::Object(members) = value else {
        return is_other;
    };
    let required = schema.get("required").and_then(Value::as_array);
    let mut required = required.into_iter().flatten().filter_map(Value::as_str);
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut properties = properties.into_iter().flatten();
    is_other
        || required.any(|name| !members.contains_key(name))
        || properties.any(
            |(name, schema)| match (members.get(name), schema.get("const")) {
                (Some(member), Some(constant)) => member != constant,
                _ => false,
            },
        )
}

/// Whether a schema within `root` accepts the value.
fn accepts(root: &Value, schema: &Value, value: &Value) -> bool {
    let mut is_of_root = false;
    walk::each(schema, &mut |keywords| {
        is_of_root |= keywords.get("$ref").is_some_and(|to| to == "#");
    });
    let Some(keywords) = schema.as_object().filter(|_| !is_of_root) else {
        return schema == &Value::Bool(true);
    };
    let mut keywords = keywords.clone();
    if let Some(defs) = root.get("$defs") {
        keywords.insert("$defs".to_owned(), defs.clone());
    }
    Schema::parse(&keywords.into()).is_ok_and(|schema| schema.accepts(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::accepting;

    #[test]
    fn branches_are_told_apart_by_constants_types_and_what_is_in_them() {
        let root = json!({"$defs": {"Word": {"type": "string", "minLength": 2}}});
        let branches = [
            json!({"type": "object", "properties": {"kind": {"const": "A"}}, "required": ["kind"]}),
            json!({"type": "object", "properties": {"kind": {"const": "B"}}, "required": ["kind"]}),
            json!({"type": "null"}),
            json!({"type": "object", "properties": {"kind": {"$ref": "#/$defs/Word"}}}),
        ];
        let by = |value| accepting(&root, &branches, &value);
        assert_eq!(by(json!({"kind": "A"})), [0]);
        assert_eq!(by(json!({"kind": "BB"})), [3]);
        assert_eq!(by(json!(null)), [2]);
        assert_eq!(by(json!({})), [3]);
        assert_eq!(by(json!(5)), [0_usize; 0]);
    }
}
