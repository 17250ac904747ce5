//! Serializes a schema: fixed order of keywords, the same bytes each time.
//!
//! The keywords of a schema have a fixed order; properties, definitions and everything else that
//! the author names are sorted by name. Nothing depends on the order in which `serde_json` keeps an
//! object, because any crate of a program can change that order by a feature.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value};

use super::walk::Place;

/// A schema as pretty text, with a line feed at its end.
pub(crate) fn of_schema(schema: &Value) -> String {
    pretty(schema, Place::Schema)
}

/// Any value as pretty text, its objects sorted by name, with a line feed at its end.
pub(crate) fn of_value(value: &Value) -> String {
    pretty(value, Place::Data)
}

/// Serializes a schema within a document, in the order of [`of_schema`].
pub(crate) fn ordered_schema<S: Serializer>(
    value: &Value,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let place = Place::Schema;
    Ordered { value, place }.serialize(serializer)
}

/// Serializes any value within a document, in the order of [`of_value`].
pub(crate) fn ordered_data<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    let place = Place::Data;
    Ordered { value, place }.serialize(serializer)
}

fn pretty(value: &Value, place: Place) -> String {
    // Keys are texts and memory has room: there is no way to fail.
    let mut text = serde_json::to_string_pretty(&Ordered { value, place }).unwrap_or_default();
    text.push('\n');
    text
}

/// The place of a keyword among the keywords of its schema.
fn rank(keyword: &str) -> usize {
    const FIRST: [&str; 8] = [
        "$schema",
        "$id",
        "$ref",
        "title",
        "description",
        "type",
        "const",
        "enum",
    ];
    const LAST: [&str; 5] = ["default", "examples", "x-pii", "x-event", "$defs"];
    if let Some(at) = FIRST.iter().position(|first| *first == keyword) {
        return at;
    }
    let last = LAST.iter().position(|last| *last == keyword);
    last.map_or(FIRST.len(), |at| FIRST.len() + 1 + at)
}

struct Ordered<'a> {
    value: &'a Value,
    place: Place,
}

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Object(map) => self.object(map, serializer),
            Value::Array(items) => {
                let place = match self.place {
                    Place::Schemas => Place::Schema,
                    other => other,
                };
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for value in items {
                    seq.serialize_element(&Ordered { value, place })?;
                }
                seq.end()
            }
            other => other.serialize(serializer),
        }
    }
}

impl Ordered<'_> {
    fn object<S: Serializer>(
        &self,
        map: &Map<String, Value>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut entries: Vec<(&String, &Value)> = map.iter().collect();
        match self.place {
            Place::Schema => entries.sort_by_key(|(key, _)| (rank(key), *key)),
            Place::Schemas | Place::Data => entries.sort_by_key(|(key, _)| *key),
        }
        let mut out = serializer.serialize_map(Some(entries.len()))?;
        for (key, value) in entries {
            let place = match self.place {
                Place::Schema => Place::of_keyword(key),
                Place::Schemas => Place::Schema,
                Place::Data => Place::Data,
            };
            out.serialize_entry(key, &Ordered { value, place })?;
        }
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keywords_have_an_order_and_names_are_sorted() {
        let schema = json!({
            "$defs": {"B": true, "A": {"type": "null", "title": "a"}},
            "required": ["z"],
            "properties": {"type": {"minimum": 1, "type": "integer"}, "$ref": {}},
            "type": "object",
            "examples": [{"type": 1, "title": 2}],
        });
        let text = of_schema(&schema);
        let order = [
            "\"type\": \"object\"",
            "\"properties\"",
            "\"$ref\"",
            "\"type\": {",
            "\"type\": \"integer\"",
            "\"minimum\"",
            "\"required\"",
            "\"examples\"",
            "\"title\": 2",
            "\"type\": 1",
            "\"$defs\"",
            "\"A\"",
            "\"title\": \"a\"",
            "\"type\": \"null\"",
            "\"B\"",
        ];
        let mut from = 0;
        for part in order {
            let at = text[from..].find(part);
            assert!(at.is_some(), "{part} comes earlier in {text}");
            from += at.unwrap_or_default() + part.len();
        }
        assert!(text.ends_with("}\n"));
        assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(schema));
    }
}
