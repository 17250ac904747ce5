//! Stage 2 of `#[derive(Event)]`: parses `#[event(…)]` on the struct and its fields; add a new
//! attribute here.

use syn::{Attribute, LitStr, Path, Type};

use super::ast::Input;
use crate::attribute::{any_value, each_key, flag, path, text, ty, version};
use crate::ctxt::Ctxt;
use crate::keys::Keys;
use crate::slot::Slot;

/// What stands on the struct.
#[derive(Default)]
pub(crate) struct StructAttrs {
    pub(crate) domain: Slot<LitStr>,
    pub(crate) entity: Slot<LitStr>,
    pub(crate) action: Slot<LitStr>,
    pub(crate) version: Slot<LitStr>,
    pub(crate) event_type: Slot<LitStr>,
    pub(crate) subject: Slot<LitStr>,
    pub(crate) absolute: Slot<LitStr>,
    pub(crate) upcast_from: Slot<Type>,
    pub(crate) krate: Slot<Path>,
}

/// What stands on a field.
#[derive(Default)]
pub(crate) struct FieldAttrs {
    pub(crate) key: Slot<()>,
    pub(crate) in_subject: Slot<()>,
}

const ON_STRUCT: Keys = Keys {
    place: "of an event",
    names: &[
        "domain",
        "entity",
        "action",
        "version",
        "type",
        "subject",
        "absolute",
        "upcast_from",
        "crate",
    ],
    example: "domain = \"orders\"",
    elsewhere: &[
        ("key", "write `#[event(key)]` on the field that is the key"),
        (
            "in_subject",
            "write `#[event(key, in_subject)]` on the field that is the key",
        ),
        ("pattern", "a set of events has one: `#[derive(EventSet)]`"),
        (
            "other",
            "it marks a variant of a set of events: `#[derive(EventSet)]`",
        ),
        (
            "description",
            "the description is the doc comment of the struct",
        ),
    ],
};

const ON_FIELD: Keys = Keys {
    place: "of a field",
    names: &["key", "in_subject"],
    example: "key",
    elsewhere: &[
        ("domain", ABOVE),
        ("entity", ABOVE),
        ("action", ABOVE),
        ("version", ABOVE),
        ("type", ABOVE),
        ("subject", ABOVE),
        ("absolute", ABOVE),
        ("upcast_from", ABOVE),
        ("crate", ABOVE),
    ],
};

const ABOVE: &str = "write it in `#[event(…)]` above the struct";

/// Reads what stands on the struct.
pub(crate) fn of_struct(attrs: &[Attribute], ctxt: &Ctxt) -> StructAttrs {
    let mut on = StructAttrs::default();
    let readable = each_key(attrs, &ON_STRUCT, ctxt, |key, name, input| match name {
        "domain" => on.domain.fill(&key, text(&key, input, "orders")),
        "entity" => on.entity.fill(&key, text(&key, input, "order")),
        "action" => on.action.fill(&key, text(&key, input, "placed")),
        "version" => on.version.fill(&key, version(&key, input)),
        "type" => on.event_type.fill(&key, text(&key, input, "order.placed")),
        "subject" => on
            .subject
            .fill(&key, text(&key, input, "transactions.created")),
        "absolute" => on
            .absolute
            .fill(&key, text(&key, input, "legacy.transactions.created")),
        "upcast_from" => on.upcast_from.fill(&key, ty(&key, input)),
        "crate" => on.krate.fill(&key, path(&key, input)),
        _ => {
            any_value(input);
            on.misspelt(name);
            Err(ON_STRUCT.unknown(&key, name))
        }
    });
    if !readable {
        for key in ["domain", "entity", "action", "type"] {
            on.misspelt(key);
        }
    }
    on
}

impl StructAttrs {
    /// Notes which key `name` was meant to be, so that it does not count as absent.
    fn misspelt(&mut self, name: &str) {
        match ON_STRUCT.nearest(name) {
            Some("domain") => self.domain.misspelt(),
            Some("entity") => self.entity.misspelt(),
            Some("action") => self.action.misspelt(),
            Some("version") => self.version.misspelt(),
            Some("type") => self.event_type.misspelt(),
            Some("subject") => self.subject.misspelt(),
            Some("absolute") => self.absolute.misspelt(),
            Some("upcast_from") => self.upcast_from.misspelt(),
            _ => {}
        }
    }
}

/// Reads what stands on each field, in their order.
pub(crate) fn of_fields(input: &Input<'_>, ctxt: &Ctxt) -> Vec<FieldAttrs> {
    input
        .fields
        .iter()
        .map(|field| of_field(field.attrs, ctxt))
        .collect()
}

fn of_field(attrs: &[Attribute], ctxt: &Ctxt) -> FieldAttrs {
    let mut on = FieldAttrs::default();
    each_key(attrs, &ON_FIELD, ctxt, |key, name, input| match name {
        "key" => on.key.fill(&key, flag(&key, input)),
        "in_subject" => on.in_subject.fill(&key, flag(&key, input)),
        _ => {
            any_value(input);
            match ON_FIELD.nearest(name) {
                Some("key") => on.key.misspelt(),
                Some("in_subject") => on.in_subject.misspelt(),
                _ => {}
            }
            Err(ON_FIELD.unknown(&key, name))
        }
    });
    on
}
