//! Finds the field that is an event's key, by changing fields.

use serde_json::Value;

/// The field of the data that is the key, by its name in the data. `key_of` answers the key of an
/// event with such data.
pub(crate) fn field(example: &Value, key_of: impl Fn(&Value) -> Option<String>) -> Option<String> {
    let key = key_of(example)?;
    let names: Vec<String> = example.as_object()?.keys().cloned().collect();
    names.into_iter().find(|name| {
        others(&example[name.as_str()]).into_iter().any(|other| {
            let mut changed = example.clone();
            changed[name.as_str()] = other;
            key_of(&changed).is_some_and(|changed| changed != key)
        })
    })
}

/// Values like this one that are another one.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(value) => vec![(!value).into()],
        Value::Number(number) => {
            let whole = number.as_i64().map(|number| [number + 1, number - 1]);
            let whole = whole.into_iter().flatten().map(Value::from);
            whole
                .chain(number.as_u64().map(|number| (number - 1).into()))
                .collect()
        }
        Value::String(text) => {
            // Another digit, for ids and times; another letter; or more of them.
            let digit = |from: char, to: char| {
                let at = text.rfind(from)?;
                let mut other = text.clone();
                other.replace_range(at..=at, &to.to_string());
                Some(Value::from(other))
            };
            let last = ('0'..='9').zip(('1'..='9').chain(['0']));
            let mut found: Vec<Value> = last.filter_map(|(from, to)| digit(from, to)).collect();
            found.push(format!("{text}x").into());
            found
        }
        _ => Vec::new(),
    }
}
