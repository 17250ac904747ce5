//! Stage 3 of `#[derive(EventSet)]`: validates the pattern and finds payloads that appear
//! twice.

use quote::ToTokens as _;
use syn::{Ident, LitStr, Type};

use super::ast::{Input, Member, event_of};
use super::attr::{EnumAttrs, VariantMark};
use crate::crate_path::CratePath;
use crate::ctxt::Ctxt;
use crate::grammar;

/// A set without mistakes, as far as the derive can see.
pub(crate) struct Set<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) members: Vec<&'a Member<'a>>,
    pub(crate) other: Option<&'a Member<'a>>,
    pub(crate) pattern: Option<LitStr>,
    pub(crate) krate: CratePath,
}

/// The set, which is to be thrown away if there was a complaint.
pub(crate) fn check<'a>(
    input: &'a Input<'a>,
    attrs: EnumAttrs,
    marks: &[VariantMark],
    ctxt: &Ctxt,
) -> Set<'a> {
    if let Some(pattern) = attrs.pattern.given()
        && let Err(error) = grammar::pattern(&pattern.value)
    {
        ctxt.push(error);
    }
    let mut members = Vec::new();
    let mut other: Option<&Member<'_>> = None;
    for (variant, mark) in input.variants.iter().zip(marks) {
        let Some(mark) = mark.given() else {
            members.push(variant);
            continue;
        };
        if attrs.pattern.is_absent() {
            ctxt.error(
                &mark.key,
                "without a pattern exactly the subjects of the set are subscribed to, so nothing else could arrive here; write `#[event(pattern = \"…\")]` above the enum",
            );
        }
        match other {
            None => other = Some(variant),
            Some(Member { ident, .. }) => ctxt.error(
                &mark.key,
                format!("`{ident}` takes all other events already; keep one `other` variant"),
            ),
        }
    }
    check_distinct(&members, ctxt);
    Set {
        ident: input.ident,
        members,
        other,
        pattern: attrs.pattern.into_value(),
        krate: CratePath::new(attrs.krate.into_value()),
    }
}

/// Complains about an event that is written in two variants. (The same event
/// under two names is found while compiling, by its subject.)
fn check_distinct(members: &[&Member<'_>], ctxt: &Ctxt) {
    let mut seen: std::collections::HashMap<String, &Ident> = std::collections::HashMap::new();
    for member in members {
        let event = event_of(member.payload);
        let first = *seen.entry(text(event)).or_insert(member.ident);
        if first != member.ident {
            ctxt.error(
                member.payload,
                format!(
                    "`{first}` holds this event already, so `{}` would never be used; keep one of the two variants",
                    member.ident
                ),
            );
        }
    }
}

fn text(ty: &Type) -> String {
    ty.to_token_stream().to_string()
}
