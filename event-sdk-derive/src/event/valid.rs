//! Stage 3 of `#[derive(Event)]`: validates values of attributes and rules between them
//! (version, key, upcast).

mod address;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::{
    GenericArgument, GenericParam, Generics, Ident, LitStr, Member, PathArguments, PathSegment,
    Type,
};

use super::ast::Input;
use super::attr::{FieldAttrs, StructAttrs};
use super::doc;
use crate::crate_path::CratePath;
use crate::ctxt::Ctxt;
use crate::slot::Slot;
pub(crate) use address::Subject;

/// An event without mistakes.
pub(crate) struct ValidEvent<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    /// The struct's name without `r#`.
    pub(crate) name: String,
    pub(crate) subject: Subject,
    pub(crate) event_type: String,
    pub(crate) version: (u16, u16),
    pub(crate) key: Option<Key<'a>>,
    pub(crate) description: Option<TokenStream>,
    pub(crate) upcast_from: Option<Type>,
    pub(crate) krate: CratePath,
}

/// The field that is the key.
pub(crate) struct Key<'a> {
    pub(crate) member: &'a Member,
    pub(crate) ty: &'a Type,
    pub(crate) in_subject: bool,
}

/// The event; `None` after a complaint.
pub(crate) fn check<'a>(
    input: &'a Input<'a>,
    attrs: StructAttrs,
    fields: &[FieldAttrs],
    ctxt: &Ctxt,
) -> Option<ValidEvent<'a>> {
    check_generics(input.generics, ctxt);
    let name = input.ident.unraw().to_string();
    let version = version(&attrs.version, ctxt);
    let key = key(input, fields, ctxt);
    let subject = address::check(input.ident, &name, &attrs, ctxt);
    let (subject, event_type) = subject?;
    Some(ValidEvent {
        ident: input.ident,
        generics: input.generics,
        name,
        subject,
        event_type,
        version: version?,
        key,
        description: doc::description(input.attrs),
        upcast_from: upcast_from(attrs.upcast_from, ctxt),
        krate: CratePath::new(attrs.krate.into_value()),
    })
}

/// An event outlives the place that made it, so it cannot borrow.
fn check_generics(generics: &Generics, ctxt: &Ctxt) {
    for param in &generics.params {
        if let GenericParam::Lifetime(param) = param {
            let lifetime = &param.lifetime;
            ctxt.error(
                param,
                format!(
                    "an event owns its data, since it is kept and read elsewhere; remove `{lifetime}`, and write owned types (`String` for `&{lifetime} str`, `Vec<T>` for `&{lifetime} [T]`)"
                ),
            );
        }
    }
}

/// `major.minor`, by default `1.0`.
fn version(slot: &Slot<LitStr>, ctxt: &Ctxt) -> Option<(u16, u16)> {
    let Some(given) = slot.given() else {
        return Some((1, 0));
    };
    let text = given.value.value();
    let parsed = text
        .split_once('.')
        .and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
    if parsed.is_none() {
        let mut digits = text.trim_start_matches('v').split('.').map(number);
        let advice = match (digits.next().flatten(), digits.next()) {
            (Some(major), None) => format!("{major}.0"),
            (Some(major), Some(Some(minor))) => format!("{major}.{minor}"),
            _ => "1.0".to_owned(),
        };
        ctxt.error(
            &given.value,
            format!(
                "a version is `major.minor`, each a number up to 65535 without leading zeros: write `version = \"{advice}\"`"
            ),
        );
    }
    parsed
}

fn number(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    plain.then(|| text.parse().ok()).flatten()
}

/// The event before this one, which stands outside of every `impl` too.
fn upcast_from(slot: Slot<Type>, ctxt: &Ctxt) -> Option<Type> {
    let previous = slot.into_value()?;
    if names_self(previous.to_token_stream()) {
        ctxt.error(
            &previous,
            "`Self` is this event, and `upcast_from` names the major version before it, a struct of its own; write its name, such as `OrderPlacedV1`",
        );
    }
    Some(previous)
}

fn names_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "Self",
        TokenTree::Group(group) => names_self(group.stream()),
        _ => false,
    })
}

/// The field that is marked as the key, if one is.
fn key<'a>(input: &'a Input<'a>, fields: &[FieldAttrs], ctxt: &Ctxt) -> Option<Key<'a>> {
    let mut key: Option<Key<'a>> = None;
    for (field, attrs) in input.fields.iter().zip(fields) {
        if let Some(in_subject) = attrs.in_subject.given()
            && attrs.key.is_absent()
        {
            ctxt.error(
                &in_subject.key,
                "`in_subject` says where the key goes, and this field is not marked as the key; write `#[event(key, in_subject)]`",
            );
        }
        let Some(marked) = attrs.key.given() else {
            continue;
        };
        if let Some(first) = &key {
            ctxt.error(
                &marked.key,
                format!(
                    "an event has one key, and {} is marked already; to order by several fields, make one of them whose type displays them all",
                    shown(first.member)
                ),
            );
            continue;
        }
        if let Some(personal) = personal(field.ty) {
            ctxt.error(
                personal,
                "a key cannot be personal data: keys are written into subjects, logs and tables that nobody cleans; mark a field with the id of the person (`Uuid`, an integer) as the key, and keep this one beside it",
            );
            continue;
        }
        key = Some(Key {
            member: &field.member,
            ty: field.ty,
            in_subject: attrs.in_subject.given().is_some(),
        });
    }
    key
}

/// The `Pii` in a type, by its name: a derive sees no more. Under another name it is
/// found by what it does not implement.
fn personal(ty: &Type) -> Option<&PathSegment> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.iter().find_map(|segment| {
        if segment.ident == "Pii" {
            return Some(segment);
        }
        let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) => personal(ty),
            _ => None,
        })
    })
}

fn shown(member: &Member) -> String {
    match member {
        Member::Named(name) => format!("the field `{name}`"),
        Member::Unnamed(index) => format!("field {}", index.index),
    }
}
