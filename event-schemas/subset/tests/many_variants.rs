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
/// How many variants of an external tag are in a flattened option here. 200 are decided within
/// [`STEPS`] too, and take minutes in a debug build.
const MANY_IN_OPTION: usize = 100;

/// How serde tells the variants of an enumeration apart.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Tagging {
    External,
    Internal,
    Adjacent,
    Untagged,
}

/// Where the enumeration stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// By itself.
    Alone,
    /// It is a flattened field.
    Flattened,
    /// It is a flattened field that is optional: the object has one variant or nothing of any.
    FlattenedOption,
}

/// An enumeration: its tagging and its place.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Form(Tagging, Place);

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

impl Form {
    fn schema(self, variants: &[Variant]) -> Value {
        let Form(tagging, place) = self;
        let variant = |variant: &Variant| {
            let content = json!({
                "type": "object",
                "properties": variant.fields.iter().cloned().collect::<serde_json::Map<_, _>>(),
                "required": variant.required,
            });
            let tag = &variant.name;
            match tagging {
                Tagging::External if place == Place::Alone => json!({
                    "type": "object",
                    "properties": { tag: content },
                    "required": [tag],
                    "additionalProperties": false,
                }),
                Tagging::External => json!({
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
                Tagging::Untagged => content,
            }
        };
        let all: Vec<Value> = variants.iter().map(variant).collect();
        let keyword = match tagging {
            Tagging::Untagged => "anyOf",
            _ => "oneOf",
        };
        let mut whole = json!({
            "type": "object",
            "properties": { "id": { "type": "string" } },
            "required": ["id"],
        });
        match place {
            Place::Alone => json!({ keyword: all }),
            Place::Flattened => {
                whole[keyword] = all.into();
                whole
            }
            Place::FlattenedOption => {
                let fields = all
                    .iter()
                    .filter_map(|variant| variant["required"].as_array());
                let fields = fields.flatten().filter_map(Value::as_str);
                let absent: serde_json::Map<String, Value> = fields
                    .map(|field| (field.to_owned(), false.into()))
                    .collect();
                whole["anyOf"] = json!([
                    { keyword: all },
                    { "type": "object", "properties": absent },
                ]);
                whole
            }
        }
    }

    /// Whether a writer that is open may write several variants at once, in the names of others.
    fn holds_together(self) -> bool {
        self.0 == Tagging::External && self.1 != Place::Alone
    }

    /// Within how many steps a comparison is decided.
    fn steps(self) -> u64 {
        match self {
            Form(Tagging::External, Place::Flattened) => STEPS_FLATTENED,
            _ => STEPS,
        }
    }
}

/// What is written in `sub` and read by `sup`; the writer writes what it names and no more, as
/// a program does, and then anything else too.
fn both(form: Form, sub: &Value, sup: &Value) -> Vec<Comparison> {
    let (sub, sup) = (Schema::parse(sub).unwrap(), Schema::parse(sup).unwrap());
    let variants = match form.1 {
        Place::FlattenedOption => "/anyOf/0/oneOf",
        _ => "/oneOf",
    };
    let mut options = Options::default();
    options.steps = form.steps();
    let closed = compare_with(&sub.closed().unwrap(), &sup, &options);
    if form.holds_together() {
        let variants = sup.as_value().pointer(variants).and_then(Value::as_array);
        if variants.map_or(0, Vec::len) > MANY_TOGETHER + 1 {
            return vec![closed];
        }
        options.steps = STEPS_TOGETHER;
    }
    vec![closed, compare_with(&sub, &sup, &options)]
}

fn assert_verdict(
    form: Form,
    change: &str,
    sub: &Value,
    sup: &Value,
    verdict: Verdict,
) -> Vec<Comparison> {
    let what = format!("{form:?} {change}");
    let all = both(form, sub, sup);
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

/// A variant less. What has a name of its own and is optional is a field less that is read.
fn assert_removed(form: Form, change: &str, sub: &Value, sup: &Value) {
    if form == Form(Tagging::External, Place::FlattenedOption) {
        let reads = both(form, sub, sup);
        let is_read = reads[0].verdict() == Verdict::Contained;
        assert!(is_read, "{form:?} {change}: {reads:?}");
        let mut all = reads.iter();
        assert!(
            all.all(|one| one.unknowns().is_empty()),
            "{form:?} {change}: {reads:?}"
        );
    } else {
        let broken = assert_verdict(form, change, sub, sup, Verdict::Broken);
        assert_eq!(broken[0].breaks().len(), 1, "{form:?}: {broken:?}");
    }
}

/// All kinds of change of an enumeration, each decided in both directions.
fn check(form: Form, count: usize) {
    let old = variants(count);
    let middle = count / 2;
    let schema = |variants: &[Variant]| form.schema(variants);
    let before = schema(&old);

    // Unchanged, but written in another order so that it is not the same JSON.
    let turned: Vec<Variant> = old.iter().rev().cloned().collect();
    assert_verdict(
        form,
        "in another order",
        &before,
        &schema(&turned),
        Verdict::Contained,
    );

    // A variant more: old documents are read, new ones are not. An open document of one
    // external variant may hold another one, as if it were of both.
    let added = schema(&variants(count + 1));
    let reads = both(form, &before, &added);
    assert_eq!(
        reads[0].verdict(),
        Verdict::Contained,
        "{form:?} added: {reads:?}"
    );
    assert!(
        reads.iter().all(|reads| reads.unknowns().is_empty()),
        "{form:?} added: {reads:?}"
    );
    assert_removed(form, "removed", &added, &before);

    let mut fewer = old.clone();
    fewer.remove(middle);
    let fewer = schema(&fewer);
    assert_removed(form, "one removed", &before, &fewer);

    // A field more that must be there.
    let mut longer = old.clone();
    longer[middle]
        .fields
        .push(("extra".to_owned(), json!({ "type": "boolean" })));
    longer[middle].required.push("extra".to_owned());
    let longer = schema(&longer);
    assert_verdict(form, "field added", &before, &longer, Verdict::Broken);
    let reads = both(form, &longer, &before);
    assert_eq!(
        reads[0].verdict(),
        Verdict::Contained,
        "{form:?} field: {reads:?}"
    );

    // An optional field more.
    let mut wider = old.clone();
    wider[middle]
        .fields
        .push(("extra".to_owned(), json!({ "type": "boolean" })));
    let wider = schema(&wider);
    for (sub, sup) in [(&before, &wider), (&wider, &before)] {
        let reads = both(form, sub, sup);
        assert_eq!(
            reads[0].verdict(),
            Verdict::Contained,
            "{form:?} optional: {reads:?}"
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
        let what = format!("{form:?} type changed, all: {all}");
        let reads = both(form, &before, &changed);
        assert_eq!(reads[0].verdict(), Verdict::Contained, "{what}: {reads:?}");
        let broken = both(form, &changed, &before);
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
    check(Form(Tagging::External, Place::Alone), MANY);
}

#[test]
fn internal_tags() {
    check(Form(Tagging::Internal, Place::Alone), MANY);
}

#[test]
fn adjacent_tags() {
    check(Form(Tagging::Adjacent, Place::Alone), MANY);
}

#[test]
fn no_tags() {
    check(Form(Tagging::Untagged, Place::Alone), MANY);
}

#[test]
fn external_tags_flattened() {
    check(Form(Tagging::External, Place::Flattened), MANY);
    check(Form(Tagging::External, Place::Flattened), MANY_TOGETHER);
}

#[test]
fn internal_tags_flattened() {
    check(Form(Tagging::Internal, Place::Flattened), MANY);
}

#[test]
fn adjacent_tags_flattened() {
    check(Form(Tagging::Adjacent, Place::Flattened), MANY);
}

#[test]
fn no_tags_flattened() {
    check(Form(Tagging::Untagged, Place::Flattened), MANY);
}

#[test]
fn external_tags_in_a_flattened_option() {
    check(
        Form(Tagging::External, Place::FlattenedOption),
        MANY_IN_OPTION,
    );
    check(
        Form(Tagging::External, Place::FlattenedOption),
        MANY_TOGETHER,
    );
}

#[test]
fn internal_tags_in_a_flattened_option() {
    check(Form(Tagging::Internal, Place::FlattenedOption), MANY);
}

#[test]
fn adjacent_tags_in_a_flattened_option() {
    check(Form(Tagging::Adjacent, Place::FlattenedOption), MANY);
}

#[test]
fn no_tags_in_a_flattened_option() {
    check(Form(Tagging::Untagged, Place::FlattenedOption), MANY);
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
        let form = Form(tagging, Place::Alone);
        assert_verdict(form, "union, wider", &old, &wide, Verdict::Contained);
        assert_verdict(form, "union, narrower", &wide, &old, Verdict::Broken);
        let more = union(MANY + 1, 4, told_apart, &whole);
        assert_verdict(form, "union, added", &old, &more, Verdict::Contained);
        let removed = assert_verdict(form, "union, removed", &more, &old, Verdict::Broken);
        assert_eq!(removed[0].breaks().len(), 1, "{removed:?}");
    }
}
