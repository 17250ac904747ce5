//! Schemas of a flattened `Option`: all of its fields or none.
//!
//! schemars writes `anyOf: [<the fields>, {}]`. The second option accepts whatever the first
//! refuses. So a comparison would see no change of the fields, and generated types would lose them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{defs, walk};

/// How deep the options of an option are followed.
const DEPTH: usize = 8;

/// Says so in `schema` and all that is in it.
pub(super) fn mend(schema: &mut Value) {
    let root = schema.clone();
    walk::each_mut(schema, &mut |keywords| {
        let own: BTreeSet<String> = names(keywords.get("properties")).collect();
        let Some(Value::Array(options)) = keywords.get_mut("anyOf") else {
            return;
        };
        let mut fields = BTreeSet::new();
        for option in options.iter().filter(|option| !is_anything(option)) {
            fields.extend(telling(&root, option, 0));
        }
        fields.retain(|field| !own.contains(field));
        if fields.is_empty() {
            return;
        }
        for option in options.iter_mut().filter(|option| is_anything(option)) {
            let absent = fields
                .iter()
                .map(|field| (field.clone(), Value::Bool(false)));
            let absent: Map<String, Value> = absent.collect();
            let mut none = Map::new();
            none.insert("type".to_owned(), "object".into());
            none.insert("properties".to_owned(), absent.into());
            *option = none.into();
        }
    });
}

/// Whether the schema of a property says that it is not there.
pub(crate) fn is_absent(schema: &Value) -> bool {
    *schema == Value::Bool(false)
}

/// An option that accepts everything.
fn is_anything(option: &Value) -> bool {
    match option {
        Value::Bool(all) => *all,
        Value::Object(keywords) => keywords.is_empty(),
        _ => false,
    }
}

/// The properties that tell that a value of this schema is there: all of a struct, and of an
/// enumeration those that its variants require.
fn telling(root: &Value, schema: &Value, depth: usize) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    if depth > DEPTH {
        return fields;
    }
    if let Some(target) = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| defs::target(root, reference))
    {
        fields.extend(telling(root, target, depth + 1));
    }
    let mut is_enumeration = false;
    for keyword in ["oneOf", "anyOf"] {
        for variant in schema
            .get(keyword)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            is_enumeration = true;
            let required = variant.get("required").and_then(Value::as_array);
            let required = required.into_iter().flatten().filter_map(Value::as_str);
            fields.extend(required.map(str::to_owned));
            if variant.get("required").is_none() {
                fields.extend(telling(root, variant, depth + 1));
            }
        }
    }
    if !is_enumeration {
        fields.extend(names(schema.get("properties")));
    }
    fields
}

fn names(properties: Option<&Value>) -> impl Iterator<Item = String> {
    let properties = properties.and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
}
