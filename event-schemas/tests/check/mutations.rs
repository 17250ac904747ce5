//! Every change to every field, with the expected verdict for each mode from a hand-written
//! table.

mod events;
mod mutate;

use event_schemas::compat::{
    ContentModel, Contract, Current, Facts, Finding, History, Mode, Options, Severity,
    compare_event,
};
use event_sdk::Version;
use event_sdk::event::DataError;

use events::Example;
use mutate::{Kind, Mutation, Place};

/// What a change of a field breaks, by rule: `BACKWARD` when the new reader refuses what the
/// old writer wrote, `FORWARD` when the old reader refuses what the new writer writes.
type Row = (
    Mutation,
    &'static [Kind],
    &'static [&'static str],
    &'static [&'static str],
);

use Kind::{Flag, Float, Integer, List, Map, Nullable, NullableInteger, Tagged, Text, Time, Words};

/// The kinds of fields that an event always has.
const REQUIRED: &[Kind] = &[Text, Integer, Float, Flag, Time, Words, Tagged, List, Map];

/// The kinds of fields that may be null or not there.
const OPTIONAL: &[Kind] = &[Nullable, NullableInteger];

/// The verdicts with tolerant readers. A kind that no row of a mutation has cannot be
/// changed in that way.
const TABLE: &[Row] = &[
    // Old consumers need the field; new ones ignore what old events have of it.
    (Mutation::Remove, REQUIRED, &[], &["required-added"]),
    (Mutation::Remove, OPTIONAL, &[], &[]),
    // One field is gone and another is needed.
    (
        Mutation::Rename,
        REQUIRED,
        &["required-added"],
        &["required-added"],
    ),
    (Mutation::Rename, OPTIONAL, &[], &[]),
    // Neither side reads the other's type.
    (
        Mutation::Retype,
        REQUIRED,
        &["type-narrowed"],
        &["type-narrowed"],
    ),
    (
        Mutation::Retype,
        OPTIONAL,
        &["type-narrowed"],
        &["type-narrowed"],
    ),
    // `Option<T>` becomes `T`: old events have nulls.
    (Mutation::Require, OPTIONAL, &["type-narrowed"], &[]),
    // `T` becomes `Option<T>`: new events have nulls.
    (Mutation::Relax, REQUIRED, &[], &["type-narrowed"]),
    // `T` becomes a field with a default that is left out when it has it.
    (Mutation::Skip, REQUIRED, &[], &["required-added"]),
    // Fewer values: old events have the others.
    (
        Mutation::Narrow,
        &[Text, Nullable],
        &["length-tightened"],
        &[],
    ),
    (
        Mutation::Narrow,
        &[Integer, Float, NullableInteger],
        &["bound-tightened"],
        &[],
    ),
    (Mutation::Narrow, &[Time], &["pattern-changed"], &[]),
    (Mutation::Narrow, &[Words], &["enum-narrowed"], &[]),
    (Mutation::Narrow, &[Tagged], &["variant-removed"], &[]),
    (Mutation::Narrow, &[List], &["item-count-tightened"], &[]),
    (Mutation::Narrow, &[Map], &["property-count-tightened"], &[]),
    // More values: new events have them.
    (Mutation::Widen, &[Integer], &[], &["bound-tightened"]),
    (
        Mutation::Widen,
        &[
            Text,
            Flag,
            Float,
            Time,
            Nullable,
            NullableInteger,
            List,
            Map,
        ],
        &[],
        &["type-narrowed"],
    ),
    (Mutation::Widen, &[Words], &[], &["enum-narrowed"]),
    (Mutation::Widen, &[Tagged], &[], &["variant-removed"]),
    // The order of values is none of anybody's business.
    (Mutation::Reorder, &[Words, Tagged], &[], &[]),
    // What tells the variants apart is called otherwise.
    (
        Mutation::Retag,
        &[Tagged],
        &["variant-removed"],
        &["variant-removed"],
    ),
    // A field that was not there.
    (Mutation::AddOptional, &[Text], &[], &[]),
    (Mutation::AddRequired, &[Text], &["required-added"], &[]),
];

/// What strict readers refuse besides: fields that they do not know.
fn strict(mutation: Mutation) -> (&'static [&'static str], &'static [&'static str]) {
    match mutation {
        Mutation::Remove => (&["property-refused"], &[]),
        Mutation::Rename => (&["property-refused"], &["property-refused"]),
        Mutation::AddOptional | Mutation::AddRequired => (&[], &["property-refused"]),
        _ => (&[], &[]),
    }
}

/// Whether the change takes a field away, of which a reader may have a default.
fn is_of_old_fields(mutation: Mutation) -> bool {
    use Mutation::{Remove, Rename, Skip};
    matches!(mutation, Remove | Rename | Skip)
}

#[test]
fn every_change_of_every_field_has_the_verdict_of_the_table_in_every_mode() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    for example in events::all() {
        for place in mutate::fields(&example.writer) {
            for (mutation, kinds, backward, forward) in TABLE {
                if !kinds.contains(&place.kind) {
                    continue;
                }
                tried += 1;
                let changed = example.mutated(&place, *mutation);
                // A change within a variant is told of the field or of the enum.
                let loosely = place.kind == Tagged || place.in_variant();
                for model in ContentModel::ALL {
                    let (more_backward, more_forward) = match model {
                        ContentModel::Tolerant => (&[][..], &[][..]),
                        ContentModel::Strict => strict(*mutation),
                    };
                    let mut backward = [*backward, more_backward].concat();
                    let mut forward = [*forward, more_forward].concat();
                    if is_of_old_fields(*mutation) && !place.is_needed(&example.reader) {
                        // The field has a default, so neither version needs it.
                        backward.retain(|rule| *rule != "required-added");
                        forward.retain(|rule| *rule != "required-added");
                    }
                    let case = format!("{} {place}, {mutation:?}, {model}", example.subject);
                    let told =
                        in_every_mode(&example, &changed, model, (&backward, &forward), loosely);
                    wrong.extend(told.map(|told| format!("{case}: {told}")));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} wrong",
        wrong.join("\n"),
        wrong.len()
    );
    assert!(tried > 600, "only {tried} changes were tried");
}

/// The first mode in which the verdict is another, with what was found instead.
fn in_every_mode(
    old: &Example,
    new: &Example,
    content_model: ContentModel,
    (backward, forward): (&[&str], &[&str]),
    loosely: bool,
) -> Option<String> {
    // The content model makes no difference to what a mode asks for, which takes time.
    let modes = match content_model {
        ContentModel::Tolerant => &Mode::ALL[..],
        ContentModel::Strict => &[Mode::Backward, Mode::Forward],
    };
    for mode in modes.iter().copied() {
        let mut expected: Vec<_> = Vec::new();
        if mode.is_backward() {
            expected.extend(backward.iter().map(|rule| format!("BACKWARD {rule}")));
        }
        if mode.is_forward() {
            expected.extend(forward.iter().map(|rule| format!("FORWARD {rule}")));
        }
        expected.sort();
        let options = Options {
            mode,
            content_model,
        };
        let findings = compare(old, new, Version::new(1, 1), options);
        let mut found: Vec<_> = findings.iter().map(told).collect();
        found.sort();
        if loosely {
            for told in [&mut found, &mut expected] {
                for one in told.iter_mut() {
                    one.truncate("BACKWARD".len());
                    one.truncate(one.find(' ').unwrap_or(one.len()));
                }
                told.dedup();
            }
        }
        if found != expected {
            return Some(format!("{mode}: {found:?} and not {expected:?}"));
        }
    }
    None
}

#[test]
fn every_change_of_the_contract_asks_for_another_version_and_reordering_does_not() {
    for example in events::all() {
        for place in mutate::fields(&example.writer) {
            for (mutation, kinds, ..) in TABLE {
                if !kinds.contains(&place.kind) {
                    continue;
                }
                let changed = example.mutated(&place, *mutation);
                let options = Options::default();
                let findings = compare(&example, &changed, Version::new(1, 0), options);
                let asked = findings
                    .iter()
                    .any(|one| one.rule.id() == "version-not-raised");
                let case = format!("{} {place}, {mutation:?}", example.subject);
                assert_eq!(
                    asked,
                    *mutation != Mutation::Reorder,
                    "{case}: {findings:#?}"
                );
            }
        }
    }
}

#[test]
fn every_break_has_a_document_that_the_one_side_accepts_and_the_other_refuses() {
    for example in events::all() {
        for place in mutate::fields(&example.writer) {
            for (mutation, kinds, ..) in TABLE {
                if kinds.contains(&place.kind) {
                    let changed = example.mutated(&place, *mutation);
                    let options = Options::default();
                    for finding in compare(&example, &changed, Version::new(1, 1), options) {
                        shown(&example, &changed, &finding);
                    }
                }
            }
        }
    }
}

/// Holds the document of a break against both schemas with the validator itself.
fn shown(old: &Example, new: &Example, finding: &Finding) {
    use event_schemas::compat::Direction;
    let document = &finding.document.as_ref().unwrap().data;
    let (writer, reader) = match finding.versions.unwrap().direction.unwrap() {
        Direction::Backward => (&old.writer, &new.reader),
        Direction::Forward => (&new.writer, &old.reader),
    };
    assert!(
        jsonschema::is_valid(writer, document),
        "{document} by {writer}"
    );
    assert!(
        !jsonschema::is_valid(reader, document),
        "{document} by {reader}"
    );
}

fn told(finding: &Finding) -> String {
    assert_eq!(finding.severity, Severity::Error);
    let direction = finding.versions.unwrap().direction.unwrap();
    format!("{direction} {}", finding.rule)
}

fn compare(old: &Example, new: &Example, version: Version, options: Options) -> Vec<Finding> {
    let committed = History::new(
        old.subject.clone(),
        false,
        vec![contract(old, Version::new(1, 0))],
    );
    let decode = |_: Version, _: &[u8]| -> Result<(), DataError> { Ok(()) };
    let code = [Current::new(contract(new, version), &decode)];
    compare_event(&committed, &code, options).unwrap()
}

fn contract(example: &Example, version: Version) -> Contract {
    let facts = Facts::new(&example.subject, "x.y", "Example");
    Contract::new(
        version,
        facts,
        example.writer.clone(),
        example.reader.clone(),
    )
}

impl Example {
    fn mutated(&self, place: &Place, mutation: Mutation) -> Self {
        let mut changed = self.clone();
        mutate::apply(&mut changed.writer, place, mutation, true);
        mutate::apply(&mut changed.reader, place, mutation, false);
        changed
    }
}
