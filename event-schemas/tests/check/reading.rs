//! Documents of a break are decoded by the type before they are reported.

use std::collections::HashSet;

use event_schemas::Catalogue;
use event_schemas::compat::Severity;
use event_schemas::report::Report;
use event_sdk::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::world::{World, errors, told};

/// What stands against a change, but for the files that nobody has written yet.
fn breaks(report: &Report) -> Vec<String> {
    let mut errors = errors(report);
    errors.retain(|error| error != "files-differ");
    errors
}

/// Defines a version of the one event in a module of its own.
macro_rules! version {
    ($module:ident, $version:literal, { $($fields:tt)* } $($more:item)*) => {
        mod $module {
            use super::*;

            #[derive(Event, Serialize, Deserialize, JsonSchema)]
            #[event(domain = "a", entity = "thing", action = "done", version = $version)]
            pub(super) struct ThingDone { $($fields)* }

            $($more)*

            pub(super) fn catalogue() -> Catalogue {
                Catalogue::new("Test").events_of::<ThingDone>()
            }
        }
    };
}

version!(renamed_before, "1.0", { amount: u32 });
version!(renamed_after, "1.1", {
    #[serde(alias = "amount")]
    total: u32
});

#[test]
fn a_name_that_an_alias_reads_is_no_break_for_the_new_type() {
    let world = World::released(&renamed_before::catalogue());
    let report = world.check(&renamed_after::catalogue());
    // Old consumers have no alias.
    assert_eq!(breaks(&report), ["required-added: amount"]);
    assert_eq!(told(&report, Severity::Note), ["required-added: total"]);
    let note = report.findings.iter().find(|one| one.mitigation.is_some());
    let why = note.unwrap().mitigation.as_ref().unwrap().to_string();
    assert!(why.starts_with("ThingDone reads it all the same"), "{why}");
}

version!(list_before, "1.0", { tags: Vec<u8> });
version!(list_after, "1.1", { tags: HashSet<u8> });

#[test]
fn a_list_that_became_a_set_is_read() {
    let world = World::released(&list_before::catalogue());
    let report = world.check(&list_after::catalogue());
    assert_eq!(breaks(&report), Vec::<String>::new());
    assert_eq!(told(&report, Severity::Note), ["unique-items-added: tags"]);
}

version!(open_before, "1.0", { colour: Colour }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) enum Colour { Red, Green, #[serde(other)] Other }
);
version!(open_after, "1.1", { colour: Colour }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) enum Colour { Red, Blue, #[serde(other)] Other }
);

#[test]
fn a_new_value_and_one_that_is_gone_are_read_as_other() {
    let world = World::released(&open_before::catalogue());
    let report = world.check(&open_after::catalogue());
    assert_eq!(breaks(&report), Vec::<String>::new());
}

version!(shut_before, "1.0", { colour: Colour }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) enum Colour { Red, Green }
);
version!(shut_after, "1.1", { colour: Colour }
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) enum Colour { Red, Blue, #[serde(other)] Other }
);

#[test]
fn other_in_the_new_type_alone_helps_its_own_consumers_alone() {
    let world = World::released(&shut_before::catalogue());
    let report = world.check(&shut_after::catalogue());
    assert_eq!(breaks(&report), ["enum-narrowed: colour"]);
}

version!(flat_before, "1.0", {
    id: u8,
    #[serde(flatten)]
    way: Option<Way>
}
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) enum Way { A { a: String }, B { b: bool } }
);
version!(flat_after, "1.1", {
    id: u8,
    #[serde(flatten)]
    way: Option<Way>
}
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) enum Way { A { a: u64 }, B { b: bool } }
);

#[test]
fn what_a_flattened_option_would_drop_is_a_break() {
    let world = World::released(&flat_before::catalogue());
    let report = world.check(&flat_after::catalogue());
    assert_eq!(
        errors(&report),
        ["type-narrowed: A.a", "type-narrowed: A.a"]
    );
    let backward = &report
        .findings
        .iter()
        .find(|one| one.why.contains("ThingDone"));
    let why = &backward.unwrap().why;
    assert!(
        why.contains("ThingDone does not refuse it, but reads it without what stands at `A.a`."),
        "{why}"
    );
}

version!(flat_struct_before, "1.0", {
    id: u8,
    #[serde(flatten)]
    part: Option<Part>
}
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Part { name: String }
);
version!(flat_struct_after, "1.1", {
    id: u8,
    #[serde(flatten)]
    part: Option<Part>
}
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Part { name: u64 }
);

#[test]
fn what_a_flattened_optional_struct_would_drop_is_a_break() {
    let world = World::released(&flat_struct_before::catalogue());
    let report = world.check(&flat_struct_after::catalogue());
    assert_eq!(
        breaks(&report),
        ["type-narrowed: name", "type-narrowed: name"]
    );
    assert!(
        report
            .findings
            .iter()
            .any(|one| one.why.contains("reads it without"))
    );
}

version!(flat_more_before, "1.0", {
    id: u8,
    #[serde(flatten)]
    part: Option<Part>
}
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Part { name: String }
);
version!(flat_more_after, "1.1", {
    id: u8,
    #[serde(flatten)]
    part: Option<Part>
}
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Part { name: String, place: String }
);

#[test]
fn a_required_field_more_in_a_flattened_optional_struct_is_a_break() {
    let world = World::released(&flat_more_before::catalogue());
    let report = world.check(&flat_more_after::catalogue());
    assert_eq!(breaks(&report), ["dependent-required: place"]);
    let why = &report.findings[0].why;
    assert!(
        why.contains("ThingDone does not refuse it, but reads it without"),
        "{why}"
    );
}

version!(flat_wide_after, "1.1", {
    id: u8,
    #[serde(flatten)]
    part: Option<Part>
}
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Part {
        name: String,
        note: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
    }
);

#[test]
fn optional_fields_more_in_a_flattened_optional_struct_are_none() {
    let world = World::released(&flat_more_before::catalogue());
    let report = world.check(&flat_wide_after::catalogue());
    assert_eq!(breaks(&report), Vec::<String>::new());
}

#[test]
fn a_required_field_less_in_a_flattened_optional_struct_is_one_for_old_consumers() {
    let world = World::released(&flat_more_after::catalogue());
    let report = world.check(&flat_less_after::catalogue());
    assert_eq!(breaks(&report), ["dependent-required: place"]);
}

version!(flat_less_after, "1.2", {
    id: u8,
    #[serde(flatten)]
    part: Option<Part>
}
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Part { name: String }
);

version!(tag_before, "1.0", { way: Way }
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    pub(super) enum Way { A { x: u8 }, #[serde(other)] Other }
);
version!(tag_after, "1.1", { way: Way }
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    pub(super) enum Way { A { x: u8 }, B { y: u8 }, #[serde(other)] Other }
);

#[test]
fn a_new_tag_is_read_as_other() {
    let world = World::released(&tag_before::catalogue());
    let report = world.check(&tag_after::catalogue());
    assert_eq!(breaks(&report), Vec::<String>::new());
}

version!(flat_fewer_after, "1.1", {
    id: u8,
    #[serde(flatten)]
    way: Option<Way>
}
    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) enum Way { A { a: String } }
);

/// The page docs/contracts.md says so.
#[test]
fn a_variant_less_in_a_flattened_option_is_a_field_less() {
    let world = World::released(&flat_before::catalogue());
    let report = world.check(&flat_fewer_after::catalogue());
    assert_eq!(breaks(&report), Vec::<String>::new());
}

version!(flat_tag_before, "1.0", {
    id: u8,
    #[serde(flatten)]
    way: Option<Way>
}
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    pub(super) enum Way { A { a: String }, B { b: bool } }
);
version!(flat_tag_after, "1.1", {
    id: u8,
    #[serde(flatten)]
    way: Option<Way>
}
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(tag = "kind")]
    pub(super) enum Way { A { a: String } }
);

#[test]
fn a_tag_less_in_a_flattened_option_is_a_break() {
    let world = World::released(&flat_tag_before::catalogue());
    let report = world.check(&flat_tag_after::catalogue());
    assert_eq!(breaks(&report), ["variant-removed: $"]);
}
