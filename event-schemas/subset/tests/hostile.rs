//! Invalid and adversarial schemas: a typed error or an `Unknown` verdict, within bounded time.

use std::time::{Duration, Instant};

use event_schemas_subset::{Draft, Schema, SchemaError, Verdict, compare};
use serde_json::{Map, Value, json};

fn error(schema: &Value) -> SchemaError {
    Schema::parse(schema).unwrap_err()
}

fn verdict(sub: &Value, sup: &Value) -> Verdict {
    let (sub, sup) = (Schema::parse(sub).unwrap(), Schema::parse(sup).unwrap());
    let start = Instant::now();
    let verdict = compare(&sub, &sup).verdict();
    // Generous: what is not bounded takes until the end of the world.
    assert!(
        start.elapsed() < Duration::from_mins(2),
        "{:?}",
        start.elapsed()
    );
    verdict
}

#[test]
fn what_is_no_schema_is_refused_with_its_place() {
    for (schema, pointer) in [
        (json!(3), ""),
        (json!({ "type": "strin" }), "/type"),
        (
            json!({ "properties": { "a": { "minimum": "3" } } }),
            "/properties/a/minimum",
        ),
        (json!({ "required": "a" }), "/required"),
        (json!({ "multipleOf": 0 }), "/multipleOf"),
        (json!({ "minLength": -1 }), "/minLength"),
    ] {
        match error(&schema) {
            SchemaError::NotASchema { pointer: found, .. } => assert_eq!(found, pointer),
            other => panic!("{schema}: {other}"),
        }
    }
    assert!(matches!(
        error(&json!({ "pattern": "(" })),
        SchemaError::NotASchema { .. }
    ));
}

#[test]
fn references_that_lead_nowhere_are_refused() {
    let missing = error(&json!({ "properties": { "a": { "$ref": "#/$defs/b" } } }));
    let expected = SchemaError::MissingRef {
        pointer: "/properties/a".to_owned(),
        reference: "#/$defs/b".to_owned(),
    };
    assert_eq!(missing, expected);
    assert_eq!(
        missing.to_string(),
        r##"at "/properties/a": "#/$defs/b" leads to nothing in this schema; correct it, or define what it names"##
    );
    assert!(matches!(
        error(&json!({ "$ref": "#nope" })),
        SchemaError::MissingRef { .. }
    ));
    assert!(matches!(
        error(&json!({ "$ref": "https://example.com/a.json" })),
        SchemaError::RemoteRef { .. }
    ));
    assert!(matches!(
        error(&json!({ "$ref": "#/x", "x": { "type": 3 } })),
        SchemaError::NotASchema { pointer, .. } if pointer == "/x/type"
    ));
}

#[test]
fn references_that_go_in_circles_are_refused() {
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "not": { "$ref": "#/$defs/a" } } } }),
        json!({ "properties": { "x": { "anyOf": [{ "type": "null" }, { "$ref": "#/properties/x" }] } } }),
        json!({ "dependentSchemas": { "a": { "$ref": "#" } } }),
    ] {
        assert!(
            matches!(error(&schema), SchemaError::CyclicRef { .. }),
            "{schema}"
        );
    }
    // Through a part of the document it is recursion, which is fine.
    Schema::parse(&json!({ "properties": { "next": { "$ref": "#" } } })).unwrap();
}

#[test]
fn other_dialects_are_refused() {
    for dialect in [
        "http://json-schema.org/draft-04/schema#",
        "https://example.com/mine",
    ] {
        assert!(matches!(
            error(&json!({ "$schema": dialect })),
            SchemaError::UnknownDialect { dialect: found, .. } if found == dialect
        ));
    }
    let mixed =
        json!({ "$defs": { "a": { "$schema": "http://json-schema.org/draft-07/schema#" } } });
    assert!(matches!(error(&mixed), SchemaError::UnknownDialect { .. }));
    let draft7 = json!({ "$schema": "http://json-schema.org/draft-07/schema#" });
    assert_eq!(Schema::parse(&draft7).unwrap().draft(), Draft::Draft7);
    let two = json!({
        "$dynamicRef": "#n",
        "$defs": { "a": { "$id": "a", "$dynamicAnchor": "n" }, "b": { "$dynamicAnchor": "n" } }
    });
    assert!(matches!(error(&two), SchemaError::DynamicRef { .. }));
}

#[test]
fn depth_is_limited() {
    let mut deep = json!({ "type": "string" });
    for _ in 0..10_000 {
        deep = Value::Object(Map::from_iter([("items".to_owned(), deep)]));
    }
    assert!(matches!(error(&deep), SchemaError::TooDeep { .. }));
    // Dropping it is up to serde_json, level by level.
    std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || drop(deep))
        .unwrap()
        .join()
        .unwrap();

    let nested =
        |depth: usize, inner: Value| (0..depth).fold(inner, |inner, _| json!({ "items": inner }));
    let (short, long) = (json!({ "maxLength": 3 }), json!({ "maxLength": 4 }));
    assert_eq!(
        verdict(&nested(40, short.clone()), &nested(40, long.clone())),
        Verdict::Contained
    );
    assert_eq!(
        verdict(&nested(20, long.clone()), &nested(20, short.clone())),
        Verdict::Broken
    );
    // Deeper than is searched: not known, and not safe.
    assert_eq!(
        verdict(&nested(150, long), &nested(150, short)),
        Verdict::Unknown
    );

    let mut definitions = Map::new();
    for at in 0..10_000 {
        definitions.insert(
            format!("d{at}"),
            json!({ "$ref": format!("#/$defs/d{}", at + 1) }),
        );
    }
    definitions.insert("d10000".to_owned(), json!(true));
    let chain = json!({ "$ref": "#/$defs/d0", "$defs": definitions });
    assert!(matches!(error(&chain), SchemaError::TooDeep { .. }));

    let mut definitions = Map::new();
    for at in 0..10_000 {
        let next = json!({ "$ref": format!("#/$defs/d{}", at + 1) });
        definitions.insert(format!("d{at}"), json!({ "properties": { "a": next } }));
    }
    definitions.insert("d10000".to_owned(), json!({ "type": "string" }));
    let chain = json!({ "$ref": "#/$defs/d0", "$defs": definitions });
    assert_eq!(verdict(&chain, &chain), Verdict::Contained);
    assert_eq!(verdict(&json!({}), &chain), Verdict::Unknown);
}

#[test]
fn numbers_beyond_all_bounds_are_exact_or_refused() {
    let huge = json!({ "type": "number", "maximum": 1e308 });
    let huger = json!({ "type": "number", "maximum": 1.1e308 });
    assert_eq!(verdict(&huge, &huger), Verdict::Contained);
    assert_eq!(verdict(&huger, &huge), Verdict::Broken);
    let tiny = json!({ "multipleOf": 1e-308 });
    assert_eq!(
        verdict(&json!({ "multipleOf": 3e-308 }), &tiny),
        Verdict::Contained
    );
    let many = json!({ "type": "array", "minItems": 1e15 });
    assert_eq!(
        verdict(&many, &json!({ "minItems": 1e14 })),
        Verdict::Contained
    );
    assert_ne!(
        verdict(&json!({ "type": "array" }), &many),
        Verdict::Contained
    );
    assert_ne!(
        verdict(&many, &json!({ "minItems": 1e16 })),
        Verdict::Contained
    );
    assert_ne!(
        verdict(&json!({ "type": "string" }), &json!({ "minLength": 1e15 })),
        Verdict::Contained
    );
    assert_ne!(
        verdict(
            &json!({ "type": "object" }),
            &json!({ "minProperties": 1e9 })
        ),
        Verdict::Contained
    );
    assert_ne!(
        verdict(
            &json!({ "type": "array" }),
            &json!({ "contains": { "type": "null" }, "minContains": 1e9 })
        ),
        Verdict::Contained
    );
}

#[test]
fn patterns_that_explode_are_not_compared() {
    for pattern in [
        "^(a?){500}a{500}$",
        "(.{1,900}){1,900}",
        "^(a+)+$",
        "(x+x+)+y",
        r"^(\w{1,64}){1,64}$",
    ] {
        let patterned = json!({ "type": "string", "pattern": pattern });
        let Ok(_) = Schema::parse(&patterned) else {
            continue;
        };
        assert_ne!(
            verdict(&patterned, &json!({ "type": "integer" })),
            Verdict::Contained
        );
        assert_eq!(verdict(&patterned, &patterned), Verdict::Contained);
        assert_ne!(
            verdict(&json!({ "type": "string" }), &patterned),
            Verdict::Contained
        );
    }
    let many: Map<String, Value> = (0..30)
        .map(|at| (format!("{at}[0-9]*[a-z]"), json!({ "type": "integer" })))
        .collect();
    assert_ne!(
        verdict(
            &json!({ "type": "object" }),
            &json!({ "patternProperties": many })
        ),
        Verdict::Contained
    );
}

#[test]
fn choices_that_explode_come_to_an_end() {
    let variants = |offset: usize| -> Vec<Value> {
        (0..20)
            .map(|at| {
                let properties: Map<String, Value> = (0..6)
                    .map(|field| {
                        (
                            format!("f{}", (at + field) % 20),
                            json!({ "minimum": at + field + offset }),
                        )
                    })
                    .collect();
                json!({ "properties": properties })
            })
            .collect()
    };
    verdict(
        &json!({ "anyOf": variants(1) }),
        &json!({ "anyOf": variants(0) }),
    );
    verdict(
        &json!({ "oneOf": variants(1) }),
        &json!({ "oneOf": variants(0) }),
    );
    let all: Vec<Value> = (0..40)
        .map(|at| json!({ "anyOf": [{ "required": [format!("a{at}")] }, { "required": [format!("b{at}")] }] }))
        .collect();
    verdict(&json!({ "allOf": all }), &json!({ "minProperties": 41 }));
    let needs: Map<String, Value> = (0..200)
        .map(|at| {
            (
                format!("a{at}"),
                json!([format!("a{}", (at * 7 + 1) % 200)]),
            )
        })
        .collect();
    verdict(
        &json!({ "type": "object", "dependentRequired": needs }),
        &json!({ "maxProperties": 199 }),
    );
    let wide: Map<String, Value> = (0..2_000)
        .map(|at| (format!("p{at}"), json!({ "type": "string" })))
        .collect();
    let closed = json!({ "type": "object", "properties": wide, "additionalProperties": false });
    assert_eq!(verdict(&closed, &closed), Verdict::Contained);
    let values: Vec<Value> = (0..20_000).map(|at| json!(format!("v{at}"))).collect();
    assert_eq!(
        verdict(&json!({ "enum": values[1..] }), &json!({ "enum": values })),
        Verdict::Contained
    );
    assert_eq!(
        verdict(&json!({ "enum": values }), &json!({ "enum": values[1..] })),
        Verdict::Broken
    );
}

/// Values that are hardly ever schemas: reading one may refuse it, and must not panic.
#[test]
fn no_value_makes_it_panic() {
    let words = [
        "type",
        "properties",
        "items",
        "$ref",
        "$id",
        "$anchor",
        "$defs",
        "allOf",
        "enum",
        "const",
        "not",
        "pattern",
        "minimum",
        "required",
        "#",
        "#/$defs/a",
        "object",
        "a",
        "~",
        "%",
        "$dynamicRef",
        "if",
        "dependentSchemas",
        "unevaluatedProperties",
        "prefixItems",
        "contains",
        "minContains",
        "format",
    ];
    let mut rng = fastrand::Rng::with_seed(7);
    let mut read = Vec::new();
    for _ in 0..4_000 {
        let value = noise(&mut rng, &words, 3);
        if let Ok(schema) = Schema::parse(&value) {
            let _ = schema.closed();
            read.push(schema);
        }
    }
    assert!(read.len() > 100, "only {} were schemas", read.len());
    for pair in read.windows(2) {
        let _ = compare(&pair[0], &pair[1]).verdict();
    }
}

fn noise(rng: &mut fastrand::Rng, words: &[&str], depth: usize) -> Value {
    match rng.u8(..12) {
        0 => Value::Null,
        1 => json!(rng.bool()),
        2 => json!(rng.i32(-3..4)),
        3 => json!(words[rng.usize(..words.len())]),
        4 | 5 if depth > 0 => (0..rng.usize(..3))
            .map(|_| noise(rng, words, depth - 1))
            .collect(),
        _ if depth > 0 => (0..rng.usize(..3))
            .map(|_| {
                (
                    words[rng.usize(..words.len())].to_owned(),
                    noise(rng, words, depth - 1),
                )
            })
            .collect(),
        _ => json!({}),
    }
}
