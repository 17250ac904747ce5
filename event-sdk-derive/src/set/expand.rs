//! Stage 4 of `#[derive(EventSet)]`: generates `impl EventSet`, its subject table and its
//! compile-time checks.
//!
//! All generated code is in one unnamed constant. It includes the checks, each a constant with the
//! span of its payload, since `cargo check` does not evaluate an inline `const {}`. The checks look
//! subjects up in the table that decoding also uses, so that a thousand checks are cheap. Each
//! generated name in the constant begins with `__sdk`, because the payload types in it are written
//! as in the user's code, and refer to the user's names.
//!
//! A payload that is not an event should cause one error, not one for each place that names it. So
//! only `<P as Payload>::…` requires the payload to be an event: the compiler has the same error
//! for each of these paths, and shows it once. `Contains` and `Visit` require nothing of the events
//! that they name.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Ident, Type};

use super::ast::{Member, event_of};
use super::valid::Set;
use crate::spans::Place;

/// The implementations for a set without mistakes.
pub(crate) fn set(set: &Set<'_>) -> TokenStream {
    let (ident, private) = (set.ident, &set.krate);
    let parts: Vec<Part<'_>> = set
        .members
        .iter()
        .enumerate()
        .map(|(index, member)| Part::new(ident, index, member))
        .collect();
    let slots = (2 * parts.len()).next_power_of_two().max(2);
    let specs = parts.iter().map(|part| &part.spec);
    let arms = parts.iter().map(|part| &part.arm);
    let checks = parts.iter().map(|part| &part.check);
    let contains = parts.iter().map(|part| &part.contains);
    let froms = parts.iter().map(|part| &part.from);
    let events: Vec<&Type> = parts.iter().map(|part| part.event).collect();
    let pattern = if let Some(pattern) = &set.pattern {
        quote!(__sdk::Option::Some(#pattern))
    } else {
        quote!(__sdk::Option::None)
    };
    let takes_other = set.other.is_some();
    let otherwise = otherwise(set.other);
    let reads = set.members.iter().chain(&set.other).map(|member| {
        let variant = member.ident;
        quote!(Self::#variant(event) => { let _ = event; })
    });
    quote! {
        #[allow(deprecated)]
        const _: () = {
            use #private as __sdk;

            const __SDK_MEMBERS: &[&__sdk::EventSpec] = &[#(#specs),*];
            const __SDK_PATTERN: __sdk::Option<&str> = #pattern;
            static __SDK_TABLE: __sdk::SubjectTable<#slots> =
                __sdk::SubjectTable::new(__SDK_MEMBERS);
            #[track_caller]
            const fn __sdk_check(index: usize) {
                __sdk::check_member(__SDK_MEMBERS, &__SDK_TABLE, index, __SDK_PATTERN);
            }
            #(#checks)*

            #[automatically_derived]
            impl __sdk::EventSet for #ident {
                const MEMBERS: &'static [&'static __sdk::EventSpec] = __SDK_MEMBERS;
                const PATTERN: __sdk::Option<&'static str> = __SDK_PATTERN;
                const TAKES_OTHER: bool = #takes_other;

                fn decode(opened: &__sdk::Opened<'_>) -> __sdk::Result<Self, __sdk::DecodeFault> {
                    match __SDK_TABLE.find(__SDK_MEMBERS, opened) {
                        #(#arms)*
                        _ => #otherwise,
                    }
                }

                fn __sdk_read(&self) {
                    match self {
                        #(#reads)*
                    }
                }
            }

            #(#contains)*

            #[automatically_derived]
            impl<__SdkVisitor> __sdk::Visit<__SdkVisitor> for #ident
            where
                #(__SdkVisitor: __sdk::Visitor<#events>,)*
            {
                fn visit_all(visitor: &mut __SdkVisitor) {
                    #(<__SdkVisitor as __sdk::Visitor<#events>>::visit(visitor);)*
                }
            }

            #(#froms)*
        };
    }
}

/// What is written for one member.
struct Part<'a> {
    event: &'a Type,
    /// Its place in `MEMBERS`.
    spec: TokenStream,
    /// Its arm in `decode`.
    arm: TokenStream,
    check: TokenStream,
    contains: TokenStream,
    from: TokenStream,
}

impl<'a> Part<'a> {
    fn new(set: &Ident, index: usize, member: &Member<'a>) -> Self {
        let (variant, payload) = (member.ident, member.payload);
        let event = event_of(payload);
        let place = Place::of(payload);
        let decode = place.put(|at| quote_spanned!(at=> <#payload as __sdk::Payload>::decode));
        let check = place.put(|at| quote_spanned!(at=> __sdk_check(#index)));
        Self {
            event,
            spec: place.put(|at| quote_spanned!(at=> <#payload as __sdk::Payload>::SPEC)),
            arm: quote!(__sdk::Option::Some(#index) => #decode(opened, Self::#variant),),
            check: quote!(const _: () = #check;),
            contains: place.put(|at| {
                let set = moved(set, at);
                quote_spanned! {at=>
                    #[automatically_derived]
                    impl __sdk::Contains<#event> for #set {}
                }
            }),
            from: from(set, variant, payload, place),
        }
    }
}

/// What becomes of an event that is none of the members.
fn otherwise(other: Option<&Member<'_>>) -> TokenStream {
    let Some(Member { ident, payload, .. }) = other else {
        return quote!(__sdk::Result::Err(opened.unknown_subject()));
    };
    let from_raw = Place::of(payload)
        .put(|at| quote_spanned!(at=> <#payload as __sdk::OtherPayload>::from_raw));
    quote!(opened.to_raw().map(|raw| Self::#ident(#from_raw(raw))))
}

/// `From` of what a variant holds.
pub(super) fn from(set: &Ident, variant: &Ident, payload: &Type, place: Place) -> TokenStream {
    place.put(|at| {
        let set = moved(set, at);
        quote_spanned! {at=>
            #[automatically_derived]
            impl __sdk::From<#payload> for #set {
                fn from(event: #payload) -> Self {
                    Self::#variant(event)
                }
            }
        }
    })
}

/// The same name on another place.
fn moved(ident: &Ident, place: Span) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(ident.span().located_at(place));
    ident
}
