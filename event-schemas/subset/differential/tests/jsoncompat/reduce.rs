//! Shrinks a pair while a property still holds.

use serde_json::{Map, Value};

use crate::pair::Pair;

/// The smallest pair to be had by leaving out parts, for which `holds`.
pub(crate) fn reduce(pair: &Pair, holds: impl Fn(&Pair) -> bool) -> Pair {
    let (mut sub, mut sup) = (pair.sub.clone(), pair.sup.clone());
    while let Some(smaller) = smaller(&sub, &sup)
        .into_iter()
        .map(|(sub, sup)| Pair::new(sub, sup, "reduced"))
        .find(|pair| holds(pair))
    {
        (sub, sup) = (smaller.sub, smaller.sup);
    }
    Pair::new(sub, sup, "reduced")
}

/// All pairs with one part less: the same part of both schemas, or a part of one.
fn smaller(sub: &Value, sup: &Value) -> Vec<(Value, Value)> {
    let mut pointers = Vec::new();
    collect(sub, "", &mut pointers);
    collect(sup, "", &mut pointers);
    pointers.sort_by_key(|pointer| (pointer.matches('/').count(), pointer.clone()));
    pointers.dedup();
    let mut pairs = Vec::new();
    for pointer in &pointers {
        if let (Some(one), Some(other)) = (alone(sub, pointer), alone(sup, pointer)) {
            pairs.push((one, other));
        }
    }
    for pointer in &pointers {
        let (one, other) = (without(sub, pointer), without(sup, pointer));
        if let (Some(one), Some(other)) = (&one, &other) {
            pairs.push((one.clone(), other.clone()));
        }
        pairs.extend(one.map(|one| (one, sup.clone())));
        pairs.extend(other.map(|other| (sub.clone(), other)));
    }
    pairs
}

/// The pointers of all parts.
fn collect(value: &Value, pointer: &str, pointers: &mut Vec<String>) {
    let mut each = |name: &str, value: &Value| {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let pointer = format!("{pointer}/{escaped}");
        collect(value, &pointer, pointers);
        pointers.push(pointer);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| each(name, value)),
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                each(&at.to_string(), value);
            }
        }
        _ => {}
    }
}

/// A part as a schema of its own, with the definitions that it may refer to.
fn alone(schema: &Value, pointer: &str) -> Option<Value> {
    let mut part = schema.pointer(pointer)?.as_object()?.clone();
    if let Some(definitions) = schema
        .get("$defs")
        .filter(|_| !pointer.starts_with("/$defs"))
    {
        part.insert("$defs".to_owned(), definitions.clone());
    }
    Some(Value::Object(part))
}

/// The schema without a part. A part of a list leaves it, but for the last one.
fn without(schema: &Value, pointer: &str) -> Option<Value> {
    let mut schema = schema.clone();
    let (parent, name) = pointer.rsplit_once('/')?;
    let name = name.replace("~1", "/").replace("~0", "~");
    let removed = match schema.pointer_mut(parent)? {
        Value::Object(members) => Map::remove(members, &name).is_some(),
        Value::Array(items) => {
            let at = name.parse().ok().filter(|at| *at < items.len())?;
            items.remove(at);
            true
        }
        _ => false,
    };
    removed.then_some(schema)
}
