//! Finds the paths marked `x-pii` in a schema.

use std::collections::BTreeSet;

use event_schemas_subset::{Path, Step};
use serde_json::{Map, Value};

/// What marks a schema of personal data.
const MARK: &str = "x-pii";

/// Whether the keywords of a schema mark it.
pub(super) fn has_mark(keywords: &Map<String, Value>) -> bool {
    keywords.get(MARK).and_then(Value::as_bool) == Some(true)
}

/// The places that are marked, sorted. One inside a marked one is not named, and a
/// type within itself is followed once.
pub(crate) fn paths(schema: &Value) -> Vec<Path> {
    let mut search = Search {
        root: schema,
        open: Vec::new(),
        found: BTreeSet::new(),
    };
    search.look(schema, &Path::root());
    search.found.into_iter().collect()
}

/// Whether a value of `schema`, a part of `document`, is itself marked.
#[cfg(feature = "cli")]
pub(crate) fn is_marked(document: &Value, schema: &Value) -> bool {
    let mut search = Search {
        root: document,
        open: Vec::new(),
        found: BTreeSet::new(),
    };
    search.look(schema, &Path::root());
    search.found.contains(&Path::root())
}

struct Search<'a> {
    root: &'a Value,
    /// The references that are being followed, so that a type within itself ends.
    open: Vec<&'a str>,
    found: BTreeSet<Path>,
}

impl<'a> Search<'a> {
    fn look(&mut self, schema: &'a Value, at: &Path) {
        if schema.as_object().is_some_and(has_mark) {
            self.found.insert(at.clone());
            return;
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && !self.open.contains(&reference)
            && let Some(target) = super::defs::target(self.root, reference)
        {
            self.open.push(reference);
            self.look(target, at);
            self.open.pop();
        }
        let Some(keywords) = schema.as_object() else {
            return;
        };
        for (keyword, value) in keywords {
            self.follow(keyword, value, at);
        }
    }

    fn follow(&mut self, keyword: &str, value: &'a Value, at: &Path) {
        match (keyword, value) {
            ("properties", Value::Object(properties)) => {
                for (name, schema) in properties {
                    self.look(schema, &at.join(Step::Key(name.clone())));
                }
            }
            ("patternProperties", Value::Object(patterns)) => {
                for schema in patterns.values() {
                    self.look(schema, &at.join(Step::EveryKey));
                }
            }
            ("additionalProperties" | "unevaluatedProperties", schema) => {
                self.look(schema, &at.join(Step::EveryKey));
            }
            ("items" | "contains", schema) => self.look(schema, &at.join(Step::EveryItem)),
            ("prefixItems", Value::Array(schemas)) => {
                for (index, schema) in schemas.iter().enumerate() {
                    self.look(schema, &at.join(Step::Index(index)));
                }
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                for schema in schemas {
                    self.look(schema, at);
                }
            }
            ("if" | "then" | "else", schema) => self.look(schema, at),
            _ => {}
        }
    }
}
