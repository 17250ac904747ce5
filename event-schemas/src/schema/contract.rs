//! A schema without annotations (titles, descriptions, examples): whether two promise the same.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::defs;
use super::walk::Place;

/// Whether two schemas promise the same by what stands in them: annotations,
/// the names of definitions and the order of `required` do not count. Two that
/// mean the same in different words are not the same here.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    one == other || Bare::of(one) == Bare::of(other)
}

/// A schema without annotations, its definitions numbered as they are met.
#[derive(PartialEq)]
struct Bare {
    root: Value,
    definitions: Vec<Value>,
}

impl Bare {
    fn of(schema: &Value) -> Self {
        let mut strip = Strip {
            document: schema,
            numbers: BTreeMap::new(),
            waiting: Vec::new(),
        };
        let root = strip.schema(schema);
        let mut definitions = Vec::new();
        let mut next = 0;
        while let Some(reference) = strip.waiting.get(next).cloned() {
            let target = defs::target(schema, &reference).cloned();
            definitions.push(target.map_or(Value::Null, |target| strip.schema(&target)));
            next += 1;
        }
        Self { root, definitions }
    }
}

struct Strip<'a> {
    document: &'a Value,
    numbers: BTreeMap<String, usize>,
    waiting: Vec<String>,
}

impl Strip<'_> {
    fn schema(&mut self, schema: &Value) -> Value {
        let Some(keywords) = schema.as_object() else {
            return schema.clone();
        };
        // Sorted, whatever order serde_json keeps: the numbers depend on it.
        let mut sorted: Vec<_> = keywords.iter().collect();
        sorted.sort_by_key(|(keyword, _)| *keyword);
        let mut bare = Map::new();
        for (keyword, value) in sorted {
            if !is_annotation(keyword) {
                bare.insert(keyword.clone(), self.keyword(keyword, value));
            }
        }
        Value::Object(bare)
    }

    fn keyword(&mut self, keyword: &str, value: &Value) -> Value {
        match (Place::of_keyword(keyword), value) {
            (Place::Data, Value::String(reference)) if keyword == "$ref" => self.number(reference),
            (Place::Schema, value) => self.schema(value),
            (Place::Schemas, Value::Array(schemas)) => {
                schemas.iter().map(|schema| self.schema(schema)).collect()
            }
            (Place::Schemas, Value::Object(schemas)) => {
                let mut sorted: Vec<_> = schemas.iter().collect();
                sorted.sort_by_key(|(name, _)| *name);
                let schemas = sorted.into_iter();
                Value::Object(
                    schemas
                        .map(|(name, one)| (name.clone(), self.schema(one)))
                        .collect(),
                )
            }
            (_, Value::Array(items)) if keyword == "required" => {
                let mut names = items.clone();
                names.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
                Value::Array(names)
            }
            (_, value) => value.clone(),
        }
    }

    /// A definition by its number; the root and what leads nowhere stay as they are.
    fn number(&mut self, reference: &str) -> Value {
        if reference == "#" || defs::target(self.document, reference).is_none() {
            return reference.into();
        }
        let next = self.numbers.len();
        let number = *self.numbers.entry(reference.to_owned()).or_insert(next);
        if number == next {
            self.waiting.push(reference.to_owned());
        }
        number.into()
    }
}

fn is_annotation(keyword: &str) -> bool {
    let said = [
        "$schema",
        "$id",
        "$comment",
        "$defs",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
    ];
    said.contains(&keyword) || keyword.starts_with("x-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_only_said_does_not_count() {
        let one = json!({
            "title": "A", "properties": {"title": {"$ref": "#/$defs/X", "description": "x"}},
            "required": ["a", "b"], "$defs": {"X": {"type": "integer", "x-pii": true}}
        });
        let other = json!({
            "properties": {"title": {"$ref": "#/$defs/Y"}}, "examples": [{"title": 1}],
            "required": ["b", "a"], "$defs": {"Y": {"type": "integer"}}
        });
        assert!(same(&one, &other));
    }

    #[test]
    fn what_is_behind_a_reference_counts() {
        let with = |kind: &str| json!({"$ref": "#/$defs/X", "$defs": {"X": {"type": kind}}});
        assert!(!same(&with("integer"), &with("string")));
    }

    #[test]
    fn a_property_called_like_an_annotation_counts() {
        assert!(!same(
            &json!({"properties": {"title": {}}}),
            &json!({"properties": {}})
        ));
    }

    #[test]
    fn a_type_within_itself_ends() {
        let tree = json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#/$defs/T"}},
            "$defs": {"T": {"items": {"$ref": "#/$defs/T"}}}});
        assert!(same(&tree, &tree));
    }
}
