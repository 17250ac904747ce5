//! Rewrites `OpenAPI` number formats as bounds.

use serde_json::{Value, json};

/// The same schema, with the range of each number format beside its name: to the validator
/// such a format is none, so that it accepts every number.
pub(crate) fn spelled_out(schema: &Value) -> Value {
    match schema {
        Value::Array(items) => items.iter().map(spelled_out).collect(),
        Value::Object(members) => {
            let mut spelled: serde_json::Map<_, _> = members
                .iter()
                .map(|(name, member)| (name.clone(), spelled_out(member)))
                .collect();
            if let Some(range) = members.get("format").and_then(range) {
                // In 2020-12, what stands beside `allOf` holds too.
                let rest = spelled.remove("allOf");
                let all =
                    rest.map_or_else(|| json!([range]), |rest| json!([range, { "allOf": rest }]));
                spelled.insert("allOf".to_owned(), all);
            }
            Value::Object(spelled)
        }
        other => other.clone(),
    }
}

fn range(format: &Value) -> Option<Value> {
    let range = |low: i64, high: u64| json!({ "minimum": low, "maximum": high });
    let signed = |low: i64, high: i64| range(low, high.unsigned_abs());
    Some(match format.as_str()? {
        "int8" => signed(i8::MIN.into(), i8::MAX.into()),
        "int16" => signed(i16::MIN.into(), i16::MAX.into()),
        "int32" => signed(i32::MIN.into(), i32::MAX.into()),
        "int64" | "int" => signed(i64::MIN, i64::MAX),
        "uint8" => range(0, u8::MAX.into()),
        "uint16" => range(0, u16::MAX.into()),
        "uint32" => range(0, u32::MAX.into()),
        "uint64" | "uint" => range(0, u64::MAX),
        _ => return None,
    })
}
