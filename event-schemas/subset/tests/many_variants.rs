//! Enumerations of hundreds of variants, in each of serde's taggings: decided within a bounded
//! number of steps.

use event_schemas_subset::{Comparison, Options, Schema, Verdict, compare_with};
use serde_json::{Value, json};

/// How many variants an enumeration has.
const MANY: usize = 200;
/// Within how many steps a comparison is decided.
const STEPS: u64 = 20_000;
/// The same where variants of an external tag are flattened.
const STEPS_FLATTENED: u64 = 25_000;
/// The same of a writer that may write what it does not name, so that any two of these variants
/// could hold together.
const STEPS_TOGETHER: u64 = 90_000;
/// How many variants are decided of such a writer.
const MANY_TOGETHER: usize = 40;

/// How serde tells the variants of an enumeration apart.
#[derive(Clone, Copy, Debug)]
enum Tagging {
    External,
    Internal,
    Adjacent,
    Untagged,
    /// External or untagged, and the enumeration is a flattened field.
    ExternalFlattened,
    UntaggedFlattened,
}

/// One variant: the fields of its content, by name and type, and which are required.
#[derive(Clone, Debug)]
struct Variant {
    name: String,
    fields: Vec<(String, Value)>,
    required: Vec<String>,
}

fn variants(count: usize) -> Vec<Variant> {
    (0..count)
        .map(|at| Variant {
            name: format!("Variant{at}"),
            fields: vec![
                (format!("value_{at}"), json!({ "type": "integer" })),
                ("note".to_owned(), json!({ "type": "string" })),
            ],
            required: vec![format!("value_{at}"), "note".to_owned()],
        })
        .collect()
}

impl Tagging {
    fn schema(self, variants: &[Variant]) -> Value {
        let variant = |variant: &Variant| {
            let content = json!({
                "type": "object",
                "properties": variant.fields.iter().cloned().collect::<serde_json::Map<_, _>>(),
                "required": variant.required,
            });
            let tag = &variant.name;
            match self {
                Tagging::External => json!({
                    "type": "object",
                    "properties": { tag: content },
                    "required": [tag],
                    "additionalProperties": false,
                }),
                Tagging::ExternalFlattened => json!({
                    "type": "object",
                    "properties": { tag: content },
                    "required": [tag],
                }),
                Tagging::Internal => {
                    let mut content = content;
                    content["properties"]["action"] = json!({ "type": "string", "const": tag });
                    content["required"]
                        .as_array_mut()
                        .unwrap()
                        .push(json!("action"));
                    content
                }
                Tagging::Adjacent => json!({
                    "type": "object",
                    "properties": { "t": { "type": "string", "const": tag }, "c": content },
                    "required": ["t", "c"],
                }),
                Tagging::Untagged | Tagging::UntaggedFlattened => content,
            }
        };
        let all: Vec<Value> = variants.iter().map(variant).collect();
        match self {
            Tagging::External | Tagging::Internal | Tagging::Adjacent => json!({ "oneOf": all }),
            Tagging::Untagged => json!({ "anyOf": all }),
            Tagging::ExternalFlattened | Tagging::UntaggedFlattened => {
                let keyword = match self {
                    Tagging::ExternalFlattened => "oneOf",
                    _ => "anyOf",
                };
                json!({
                    "type": "object",
                    "properties": { "id": { "type": "string" } },
                    "required": ["id"],
                    keyword: all,
                })
            }
        }
    }
}

/// What is written in `sub` and read by `sup`; the writer writes what it names and no more, as
/// a program does, and then anything else too.
fn both(tagging: Tagging, sub: &Value, sup: &Value) -> Vec<Comparison> {
    let (sub, sup) = (Schema::parse(sub).unwrap(), Schema::parse(sup).unwrap());
    let variants = sup.as_value()["oneOf"].as_array().map_or(0, Vec::len);
    let mut options = Options::default();
    options.steps = match tagging {
        Tagging::ExternalFlattened => STEPS_FLATTENED,
        _ => STEPS,
    };
    let closed = compare_with(&sub.closed().unwrap(), &sup, &options);
    if matches!(tagging, Tagging::ExternalFlattened) {
        if variants > MANY_TOGETHER + 1 {
            return vec![closed];
        }
        options.steps = STEPS_TOGETHER;
    }
    vec![closed, compare_with(&sub, &sup, &options)]
}

fn assert_verdict(
    tagging: Tagging,
    change: &str,
    sub: &Value,
    sup: &Value,
    verdict: Verdict,
) -> Vec<Comparison> {
    let what = format!("{tagging:?} {change}");
    let all = both(tagging, sub, sup);
    for (comparison, writer) in all.iter().zip(["closed", "open"]) {
        assert_eq!(
            comparison.verdict(),
            verdict,
            "{what}, {writer} writer: {:?}\n{:?}",
            comparison.unknowns(),
            comparison.breaks().first()
        );
        assert!(
            comparison.unknowns().is_empty(),
            "{what}, {writer} writer: {:?}",
            comparison.unknowns()
        );
    }
    all
}

/// All kinds of change of an enumeration, each decided in both directions.
fn check(tagging: Tagging, count: usize) {
    let old = variants(count);
    let middle = count / 2;
    let schema = |variants: &[Variant]| tagging.schema(variants);
    let before = schema(&old);

    // Unchanged, but written in another order so that it is not the same JSON.
    let turned: Vec<Variant> = old.iter().rev().cloned().collect();
    assert_verdict(
        tagging,
        "in another order",
        &before,
        &schema(&turned),
        Verdict::Contained,
    );

    // A variant more: old documents are read, new ones are not. An open document of one
    // external variant may hold another one, as if it were of both.
    let added = schema(&variants(count + 1));
    let reads = both(tagging, &before, &added);
    assert_eq!(
        reads[0].verdict(),
        Verdict::Contained,
        "{tagging:?} added: {reads:?}"
    );
    assert!(
        reads.iter().all(|reads| reads.unknowns().is_empty()),
        "{tagging:?} added: {reads:?}"
    );
    let broken = assert_verdict(tagging, "removed", &added, &before, Verdict::Broken);
    assert_eq!(broken[0].breaks().len(), 1, "{tagging:?}: {broken:?}");

    let mut fewer = old.clone();
    fewer.remove(middle);
    let fewer = schema(&fewer);
    let broken = assert_verdict(tagging, "one removed", &before, &fewer, Verdict::Broken);
    assert_eq!(broken[0].breaks().len(), 1, "{tagging:?}: {broken:?}");

    // A field more that must be there.
    let mut longer = old.clone();
    longer[middle]
        .fields
        .push(("extra".to_owned(), json!({ "type": "boolean" })));
    longer[middle].required.push("extra".to_owned());
    let longer = schema(&longer);
    assert_verdict(tagging, "field added", &before, &longer, Verdict::Broken);
    let reads = both(tagging, &longer, &before);
    assert_eq!(
        reads[0].verdict(),
        Verdict::Contained,
        "{tagging:?} field: {reads:?}"
    );

    // An optional field more.
    let mut wider = old.clone();
    wider[middle]
        .fields
        .push(("extra".to_owned(), json!({ "type": "boolean" })));
    let wider = schema(&wider);
    for (sub, sup) in [(&before, &wider), (&wider, &before)] {
        let reads = both(tagging, sub, sup);
        assert_eq!(
            reads[0].verdict(),
            Verdict::Contained,
            "{tagging:?} optional: {reads:?}"
        );
    }

    // Another type of a field, in one variant and in all of fewer.
    for all in [false, true] {
        let old = if all {
            variants(count / 4)
        } else {
            old.clone()
        };
        let (before, middle) = (schema(&old), old.len() / 2);
        let mut changed = old.clone();
        for (at, variant) in changed.iter_mut().enumerate() {
            if all || at == middle {
                variant.fields[0].1 = json!({ "type": "number" });
            }
        }
        let changed = schema(&changed);
        let what = format!("{tagging:?} type changed, all: {all}");
        let reads = both(tagging, &before, &changed);
        assert_eq!(reads[0].verdict(), Verdict::Contained, "{what}: {reads:?}");
        let broken = both(tagging, &changed, &before);
        for broken in broken {
            assert_eq!(broken.verdict(), Verdict::Broken, "{what}");
            assert!(
                broken.unknowns().is_empty(),
                "{what}: {:?}",
                broken.unknowns()
            );
        }
    }
}

#[test]
fn external_tags() {
    check(Tagging::External, MANY);
}

#[test]
fn internal_tags() {
    check(Tagging::Internal, MANY);
}

#[test]
fn adjacent_tags() {
    check(Tagging::Adjacent, MANY);
}

#[test]
fn no_tags() {
    check(Tagging::Untagged, MANY);
}

#[test]
fn external_tags_flattened() {
    check(Tagging::ExternalFlattened, MANY);
    check(Tagging::ExternalFlattened, MANY_TOGETHER);
}

#[test]
fn no_tags_flattened() {
    check(Tagging::UntaggedFlattened, MANY);
}

/// A union of whole events: each with fields of its own and an enumeration behind a tag.
fn union(events: usize, variants: usize, told_apart: bool, last: &Value) -> Value {
    let event = |at: usize| {
        let kinds: Vec<Value> = (0..variants)
            .map(|kind| {
                json!({
                    "type": "object",
                    "properties": {
                        "kind": { "const": format!("Kind{kind}") },
                        format!("of_{at}_{kind}"): { "type": "string" },
                    },
                    "required": ["kind", format!("of_{at}_{kind}")],
                })
            })
            .collect();
        let field = if at + 1 == events {
            last.clone()
        } else {
            json!({ "type": "integer" })
        };
        let mut event = json!({
            "type": "object",
            "properties": {
                "id": { "type": "string", "format": "uuid" },
                format!("field_{at}"): field,
                "payment": { "oneOf": kinds },
            },
            "required": ["id", format!("field_{at}"), "payment"],
        });
        if told_apart {
            event["properties"]["type"] = json!({ "const": format!("Event{at}") });
            event["required"]
                .as_array_mut()
                .unwrap()
                .push(json!("type"));
        }
        event
    };
    json!({ "anyOf": (0..events).map(event).collect::<Vec<_>>() })
}

#[test]
fn unions_of_whole_events() {
    let (whole, any) = (json!({ "type": "integer" }), json!({ "type": "number" }));
    for told_apart in [true, false] {
        let old = union(MANY, 4, told_apart, &whole);
        let wide = union(MANY, 4, told_apart, &any);
        let tagging = if told_apart {
            Tagging::Internal
        } else {
            Tagging::Untagged
        };
        assert_verdict(tagging, "union, wider", &old, &wide, Verdict::Contained);
        assert_verdict(tagging, "union, narrower", &wide, &old, Verdict::Broken);
        let more = union(MANY + 1, 4, told_apart, &whole);
        assert_verdict(tagging, "union, added", &old, &more, Verdict::Contained);
        let removed = assert_verdict(tagging, "union, removed", &more, &old, Verdict::Broken);
        assert_eq!(removed[0].breaks().len(), 1, "{removed:?}");
    }
}
