//! Stage 2 of `#[derive(EventSet)]`: parses `#[event(…)]` on the enum (`pattern`) and its
//! variants (`other`).

use syn::{Attribute, LitStr, Path};

use super::ast::{Input, Member};
use crate::attribute::{any_value, each_key, flag, path, text};
use crate::ctxt::Ctxt;
use crate::keys::Keys;
use crate::slot::Slot;

/// What stands on the enum.
#[derive(Default)]
pub(crate) struct EnumAttrs {
    pub(crate) pattern: Slot<LitStr>,
    pub(crate) krate: Slot<Path>,
}

/// What stands on a variant: `other`, or nothing.
pub(crate) type VariantMark = Slot<()>;

const ON_ENUM: Keys = Keys {
    place: "of a set of events",
    names: &["pattern", "crate"],
    example: "pattern = \"orders.>\"",
    elsewhere: &[
        (
            "other",
            "write `#[event(other)]` on the variant that holds a `RawEvent`",
        ),
        ("domain", IN_EVENT),
        ("entity", IN_EVENT),
        ("action", IN_EVENT),
        ("version", IN_EVENT),
        ("type", IN_EVENT),
        (
            "subject",
            "a set has a `pattern`, which its events' subjects match",
        ),
        ("absolute", IN_EVENT),
        ("key", IN_EVENT),
    ],
};

const ON_VARIANT: Keys = Keys {
    place: "of a variant",
    names: &["other"],
    example: "other",
    elsewhere: &[
        ("pattern", "write it in `#[event(…)]` above the enum"),
        ("crate", "write it in `#[event(…)]` above the enum"),
        ("domain", IN_EVENT),
        ("entity", IN_EVENT),
        ("action", IN_EVENT),
        ("version", IN_EVENT),
        ("type", IN_EVENT),
        ("subject", IN_EVENT),
        ("absolute", IN_EVENT),
        ("key", IN_EVENT),
    ],
};

const IN_EVENT: &str = "each event says it in `#[event(…)]` on its own struct";

/// Reads what stands on the enum.
pub(crate) fn of_enum(attrs: &[Attribute], ctxt: &Ctxt) -> EnumAttrs {
    let mut on = EnumAttrs::default();
    each_key(attrs, &ON_ENUM, ctxt, |key, name, input| match name {
        "pattern" => on.pattern.fill(&key, text(&key, input, "orders.>")),
        "crate" => on.krate.fill(&key, path(&key, input)),
        _ => {
            any_value(input);
            if ON_ENUM.nearest(name) == Some("pattern") {
                on.pattern.misspelt();
            }
            Err(ON_ENUM.unknown(&key, name))
        }
    });
    on
}

/// Reads what stands on each variant, in their order.
pub(crate) fn of_variants(input: &Input<'_>, ctxt: &Ctxt) -> Vec<VariantMark> {
    input
        .variants
        .iter()
        .map(|variant| of_variant(variant, ctxt))
        .collect()
}

fn of_variant(variant: &Member<'_>, ctxt: &Ctxt) -> VariantMark {
    let mut mark = VariantMark::default();
    each_key(variant.attrs, &ON_VARIANT, ctxt, |key, name, input| {
        if name == "other" {
            return mark.fill(&key, flag(&key, input));
        }
        any_value(input);
        if ON_VARIANT.nearest(name).is_some() {
            mark.misspelt();
        }
        Err(ON_VARIANT.unknown(&key, name))
    });
    for attr in variant.field_attrs {
        if attr.path().is_ident("event") {
            ctxt.error(
                attr,
                "nothing is said of the event here; write `#[event(…)]` on its own struct, or `#[event(other)]` before the variant",
            );
        }
    }
    mark
}
