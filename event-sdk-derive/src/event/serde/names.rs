//! Field names after `rename` and `rename_all`, written and read: no two fields may share one.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{LitStr, Type};

use super::Derived;
use super::field::{FieldSerde, Rename};
use crate::ctxt::Ctxt;
use crate::event::ast::Field;

/// How the names of all fields are changed.
#[derive(Default)]
pub(super) struct Names {
    /// `rename_all`; `None` if there is none, or it is one that serde refuses.
    pub(super) case: Option<String>,
    /// `tag`: the struct's name is written under this one.
    pub(super) tag: Option<LitStr>,
}

/// Complains about names that are written and not read, or that stand twice.
pub(super) fn check(
    names: &Names,
    fields: &[(&Field<'_>, FieldSerde)],
    derived: Derived,
    ctxt: &Ctxt,
) {
    let mut taken: HashMap<String, String> = HashMap::new();
    let mut first_map: Option<String> = None;
    for (field, serde) in fields {
        let syn::Member::Named(ident) = &field.member else {
            continue;
        };
        let ident = ident.unraw().to_string();
        let takes_the_rest = serde.flatten && is_map(field.ty);
        if let Some(first) = first_map.as_ref().filter(|_| takes_the_rest) {
            ctxt.error(
                &field.member,
                format!(
                    "when the event is read, the flattened maps `{first}` and `{ident}` both take whatever no field has read; flatten one of them only"
                ),
            );
        } else if takes_the_rest {
            first_map = Some(ident.clone());
        }
        if let Some(tag) = &names.tag
            && takes_the_rest
        {
            ctxt.error(
                tag,
                format!(
                    "when the event is read, the map `{ident}` takes the tag for an entry of its own, and writes it once more; remove `tag`, or give the map a field that is not flattened"
                ),
            );
        }
        if serde.is_not_read() || serde.flatten {
            continue;
        }
        let default = in_case(&ident, names.case.as_deref());
        let (written, mut read) = (written(serde, &default), vec![read(serde, &default)]);
        read.extend(serde.aliases.iter().map(LitStr::value));
        if let (Derived::Event, Some(Rename { place, .. })) = (derived, &serde.rename)
            && !read.contains(&written)
        {
            ctxt.error(
                place,
                format!(
                    "an event is written and read with the same names, and this field is written as `{written}` and read as `{}`; write `rename = \"{written}\"`, and `alias = \"{0}\"` if the other name is still to be read",
                    read[0]
                ),
            );
            continue;
        }
        if let Some(tag) = &names.tag
            && (tag.value() == written || read.contains(&tag.value()))
        {
            let name = tag.value();
            ctxt.error(
                tag,
                format!(
                    "`{name}` is a name of the field `{ident}` too, so it would stand twice in the data and not be read; give the tag another name"
                ),
            );
        }
        for name in read {
            let Some(other) = taken.insert(name.clone(), ident.clone()) else {
                continue;
            };
            if other != ident {
                ctxt.error(
                    place_of(field, serde, &name),
                    format!(
                        "the fields `{other}` and `{ident}` are both read from `{name}`; give one of them another name"
                    ),
                );
            }
        }
    }
}

/// Whether a type is a map, by its name: a derive sees no more.
fn is_map(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident.to_string().ends_with("Map")),
        _ => false,
    }
}

fn written(serde: &FieldSerde, default: &str) -> String {
    let rename = serde.rename.as_ref();
    let name = rename.and_then(|rename| rename.serialize.clone());
    name.unwrap_or_else(|| default.to_owned())
}

fn read(serde: &FieldSerde, default: &str) -> String {
    let rename = serde.rename.as_ref();
    let name = rename.and_then(|rename| rename.deserialize.clone());
    name.unwrap_or_else(|| default.to_owned())
}

/// What gives the field this name: an alias, `rename`, or the field itself.
fn place_of(field: &Field<'_>, serde: &FieldSerde, name: &str) -> TokenStream {
    if let Some(alias) = serde.aliases.iter().find(|alias| alias.value() == name) {
        return alias.to_token_stream();
    }
    match &serde.rename {
        Some(rename) => rename.place.to_token_stream(),
        None => field.member.to_token_stream(),
    }
}

/// The name of a field in a case of `rename_all`, as serde makes it.
fn in_case(name: &str, case: Option<&str>) -> String {
    let pascal = || {
        let words = name.split('_');
        words.flat_map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters)
        })
    };
    match case {
        Some("UPPERCASE" | "SCREAMING_SNAKE_CASE") => name.to_ascii_uppercase(),
        Some("PascalCase") => pascal().collect(),
        Some("camelCase") => {
            let mut letters = pascal();
            let first = letters.next().map(|first| first.to_ascii_lowercase());
            first.into_iter().chain(letters).collect()
        }
        Some("kebab-case") => name.replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => name.to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::in_case;

    #[test]
    fn names_are_those_that_serde_makes() {
        for (case, expected) in [
            (None, "order_id"),
            (Some("lowercase"), "order_id"),
            (Some("snake_case"), "order_id"),
            (Some("UPPERCASE"), "ORDER_ID"),
            (Some("PascalCase"), "OrderId"),
            (Some("camelCase"), "orderId"),
            (Some("SCREAMING_SNAKE_CASE"), "ORDER_ID"),
            (Some("kebab-case"), "order-id"),
            (Some("SCREAMING-KEBAB-CASE"), "ORDER-ID"),
        ] {
            assert_eq!(in_case("order_id", case), expected, "{case:?}");
        }
    }
}
