//! Random schemas over few names and small numbers.

use fastrand::Rng;
use serde_json::{Map, Value, json};

pub(crate) const NAMES: [&str; 4] = ["a", "b", "ab", "c1"];
pub(crate) const PATTERNS: [&str; 7] = [
    "^a",
    "b",
    "^[a-c]+$",
    "[0-9]$",
    "^.{2}$",
    "^(x|ab|c1)$",
    "^[^a]*$",
];
pub(crate) const FORMATS: [&str; 5] = ["date", "uuid", "email", "ipv4", "money"];
const TYPES: [&str; 7] = [
    "null", "boolean", "integer", "number", "string", "array", "object",
];

/// A whole schema. Some have definitions that refer to themselves and to each other.
pub(crate) fn schema(rng: &mut Rng, draft7: bool) -> Value {
    let mut make = Make {
        rng,
        draft7,
        definitions: 0,
    };
    let with_definitions = make.rng.u8(..) < 80;
    if with_definitions {
        make.definitions = make.rng.usize(1..=2);
    }
    let mut root = make.keywords(3);
    let mut definitions = Map::new();
    for at in 0..make.definitions {
        definitions.insert(format!("d{at}"), make.definition());
    }
    if !definitions.is_empty() {
        root.insert("$defs".to_owned(), Value::Object(definitions));
    }
    if draft7 {
        root.insert(
            "$schema".to_owned(),
            json!("http://json-schema.org/draft-07/schema#"),
        );
    }
    Value::Object(root)
}

/// One keyword with its value, to be put into a schema.
pub(crate) fn keyword(rng: &mut Rng, draft7: bool, depth: usize) -> (String, Value) {
    let mut make = Make {
        rng,
        draft7,
        definitions: 0,
    };
    let mut keywords = Map::new();
    while keywords.is_empty() {
        make.keyword(depth, &mut keywords);
    }
    keywords.into_iter().next().unwrap()
}

pub(crate) fn scalar(rng: &mut Rng) -> Value {
    match rng.u8(..12) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(false),
        3..=5 => json!(rng.i32(-2..6)),
        6 => json!([0.5, 1.5, -0.5, 2.0, 1e2, -1e19, 9_223_372_036_854_775_808.0][rng.usize(..7)]),
        7 => json!(""),
        8 => json!(["2026-01-31", "e30=", "7B7D", "{}"][rng.usize(..4)]),
        _ => json!(NAMES[rng.usize(..NAMES.len())]),
    }
}

struct Make<'r> {
    rng: &'r mut Rng,
    draft7: bool,
    definitions: usize,
}

impl Make<'_> {
    fn schema(&mut self, depth: usize) -> Value {
        match self.rng.u8(..20) {
            0 => json!(true),
            1 if depth < 3 => json!(false),
            2 | 3 if self.definitions > 0 => {
                let reference = json!(format!("#/$defs/d{}", self.rng.usize(..self.definitions)));
                if self.rng.u8(..4) == 0 && depth > 0 {
                    let mut keywords = self.keywords(depth - 1);
                    keywords.insert("$ref".to_owned(), reference);
                    return Value::Object(keywords);
                }
                json!({ "$ref": reference })
            }
            _ => Value::Object(self.keywords(depth)),
        }
    }

    /// A definition: what it refers to stands inside of a part of the value.
    fn definition(&mut self) -> Value {
        let inner = self.schema(1);
        match self.rng.u8(..4) {
            0 => json!({ "type": "array", "items": inner, "maxItems": 2 }),
            1 => json!({ "type": ["object", "null"], "properties": { "a": inner } }),
            2 => {
                json!({ "properties": { "a": inner, "b": { "type": "integer" } }, "required": ["b"] })
            }
            _ => json!({ "type": "string", "minLength": self.rng.u8(..3) }),
        }
    }

    fn keywords(&mut self, depth: usize) -> Map<String, Value> {
        let mut keywords = Map::new();
        if self.rng.u8(..10) < 7 {
            let value = if self.rng.u8(..4) == 0 {
                let mut types = TYPES.to_vec();
                self.rng.shuffle(&mut types);
                json!(types[..self.rng.usize(1..4)])
            } else {
                json!(TYPES[self.rng.usize(..TYPES.len())])
            };
            keywords.insert("type".to_owned(), value);
        }
        for _ in 0..self.rng.usize(..4) {
            self.keyword(depth, &mut keywords);
        }
        keywords
    }

    fn keyword(&mut self, depth: usize, keywords: &mut Map<String, Value>) {
        let small = self.rng.i32(-2..6);
        let count = self.rng.u8(..4);
        let inner = depth.checked_sub(1);
        let (name, value) = match (self.rng.u8(..50), inner) {
            (0, _) => ("minimum", json!(small)),
            (1, _) => ("maximum", json!(small)),
            (2, _) => ("exclusiveMinimum", json!(small)),
            (3, _) => ("exclusiveMaximum", json!(f64::from(small) + 0.5)),
            (4, _) => (
                "multipleOf",
                json!([1.0, 2.0, 3.0, 0.5, 0.3, 1.5][self.rng.usize(..6)]),
            ),
            (5, _) => ("minLength", json!(count)),
            (6, _) => ("maxLength", json!(count)),
            (7, _) => ("pattern", json!(PATTERNS[self.rng.usize(..PATTERNS.len())])),
            (8, _) => ("format", json!(FORMATS[self.rng.usize(..FORMATS.len())])),
            (9, _) => ("minItems", json!(count)),
            (10, _) => ("maxItems", json!(count)),
            (11, _) => ("uniqueItems", json!(true)),
            (12, _) => ("minProperties", json!(count)),
            (13, _) => ("maxProperties", json!(count)),
            (14 | 15, _) => ("required", json!(self.names())),
            (16 | 43, _) => ("enum", self.values()),
            (17, _) => ("const", self.constant()),
            (18, _) => {
                let needs = json!({ NAMES[self.rng.usize(..NAMES.len())]: self.names() });
                (
                    if self.draft7 {
                        "dependencies"
                    } else {
                        "dependentRequired"
                    },
                    needs,
                )
            }
            (19..=23, Some(inner)) => ("properties", self.named(inner)),
            (24 | 25, Some(inner)) => ("additionalProperties", self.or_false(inner)),
            (26, Some(inner)) => {
                let pattern = PATTERNS[self.rng.usize(..PATTERNS.len())];
                ("patternProperties", json!({ pattern: self.schema(inner) }))
            }
            (27, Some(inner)) => ("propertyNames", self.name_schema(inner)),
            (28 | 29, Some(inner)) => ("items", self.schema(inner)),
            (30, Some(inner)) => {
                let items = self.list(inner);
                if self.draft7 {
                    keywords.insert("additionalItems".to_owned(), self.or_false(inner));
                }
                (if self.draft7 { "items" } else { "prefixItems" }, items)
            }
            (31, Some(inner)) => {
                if !self.draft7 && self.rng.bool() {
                    keywords.insert("minContains".to_owned(), json!(count));
                    if self.rng.bool() {
                        keywords.insert("maxContains".to_owned(), json!(self.rng.u8(..3)));
                    }
                }
                ("contains", self.schema(inner))
            }
            (32, Some(inner)) => ("allOf", self.list(inner)),
            (33 | 34, Some(inner)) => ("anyOf", self.list(inner)),
            (35 | 36, Some(inner)) => ("oneOf", self.list(inner)),
            (37, Some(inner)) => ("not", self.schema(inner)),
            (38, Some(inner)) => {
                keywords.insert("then".to_owned(), self.schema(inner));
                if self.rng.bool() {
                    keywords.insert("else".to_owned(), self.schema(inner));
                }
                ("if", self.schema(inner))
            }
            (39, Some(inner)) if !self.draft7 => ("dependentSchemas", self.named(inner)),
            (39 | 47, Some(inner)) => ("dependencies", self.named(inner)),
            (40 | 41, Some(inner)) if !self.draft7 => {
                ("unevaluatedProperties", self.or_false(inner))
            }
            (44, _) => {
                let media = ["application/json", "text/plain"][self.rng.usize(..2)];
                if self.rng.bool() {
                    keywords.insert("contentEncoding".to_owned(), json!(self.encoding()));
                }
                ("contentMediaType", json!(media))
            }
            (45, _) => ("contentEncoding", json!(self.encoding())),
            (46, _) => {
                let name = NAMES[self.rng.usize(..NAMES.len())];
                ("dependencies", json!({ name: self.names() }))
            }
            (48, Some(inner)) => ("oneOf", self.tagged(inner)),
            (49, Some(inner)) if !self.draft7 => {
                keywords.insert("unevaluatedProperties".to_owned(), json!(false));
                ("oneOf", self.tagged(inner))
            }
            (42, Some(inner)) if !self.draft7 => ("unevaluatedItems", self.or_false(inner)),
            _ => return,
        };
        keywords.insert(name.to_owned(), value);
    }

    fn encoding(&mut self) -> &'static str {
        ["base64", "base16", "base32", "8bit"][self.rng.usize(..4)]
    }

    fn names(&mut self) -> Vec<&'static str> {
        NAMES
            .into_iter()
            .filter(|_| self.rng.u8(..3) == 0)
            .collect()
    }

    fn named(&mut self, depth: usize) -> Value {
        let names: Vec<&str> = NAMES.into_iter().filter(|_| self.rng.bool()).collect();
        names
            .into_iter()
            .map(|name| (name.to_owned(), self.schema(depth)))
            .collect()
    }

    fn list(&mut self, depth: usize) -> Value {
        (0..self.rng.usize(1..=3))
            .map(|_| self.schema(depth))
            .collect()
    }

    /// Variants as serde tags them: by the one property around the content, or by a constant.
    fn tagged(&mut self, depth: usize) -> Value {
        let (inside, closed) = (self.rng.bool(), self.rng.bool());
        let names: Vec<&str> = NAMES.into_iter().filter(|_| self.rng.bool()).collect();
        let variants = names.into_iter().map(|name| {
            let content = self.schema(depth);
            let (tag, properties) = if inside {
                ("b", json!({ "b": { "const": name }, "a": content }))
            } else {
                (name, json!({ name: content }))
            };
            let mut variant =
                json!({ "type": "object", "properties": properties, "required": [tag] });
            if closed {
                variant["additionalProperties"] = json!(false);
            }
            variant
        });
        let mut variants: Vec<Value> = variants.collect();
        if variants.is_empty() {
            variants.push(json!({ "type": "null" }));
        }
        Value::Array(variants)
    }

    fn or_false(&mut self, depth: usize) -> Value {
        if self.rng.bool() {
            json!(false)
        } else {
            self.schema(depth)
        }
    }

    /// A schema for names, most of which are strings.
    fn name_schema(&mut self, depth: usize) -> Value {
        match self.rng.u8(..3) {
            0 => json!({ "pattern": PATTERNS[self.rng.usize(..PATTERNS.len())] }),
            1 => json!({ "maxLength": self.rng.u8(1..3) }),
            _ => self.schema(depth),
        }
    }

    fn values(&mut self) -> Value {
        let mut values: Vec<Value> = Vec::new();
        for _ in 0..self.rng.usize(1..5) {
            let value = self.constant();
            if !values.contains(&value) {
                values.push(value);
            }
        }
        Value::Array(values)
    }

    fn constant(&mut self) -> Value {
        match self.rng.u8(..12) {
            0 => json!([scalar(self.rng)]),
            1 => json!({ "a": scalar(self.rng) }),
            2 => json!({}),
            _ => scalar(self.rng),
        }
    }
}
