//! Stage 4 of `#[derive(Event)]`: generates the `impl Readable` with its `EventSpec`, and
//! the `impl Event` of an event that is published too.
//!
//! The generated code is kept small, since a crate may have hundreds of events: one `impl`, whose
//! constants are literals. Values that can be computed here (the hash of the subject, the filter)
//! are not computed while the user's crate compiles.

use event_sdk_subject::subject_hash;
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{DeriveInput, Generics, Ident, Member, Type, parse_quote};

use super::Derived;
use super::valid::{Key, Subject, ValidEvent};
use crate::crate_path::CratePath;
use crate::spans::Place;

/// The implementations for a struct without mistakes.
pub(crate) fn event(event: &ValidEvent<'_>, derived: Derived) -> TokenStream {
    let (ident, private) = (event.ident, &event.krate);
    let spec = spec(event);
    let key = event.key.as_ref().map(key_method);
    let from_older = event.upcast_from.as_ref().map(from_older);
    let check = event
        .upcast_from
        .as_ref()
        .filter(|_| event.generics.params.is_empty())
        .map(|previous| check_upcast(ident, previous));
    let generics = bounded(event, derived);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let published = (derived == Derived::Event).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics __sdk::Event for #ident #ty_generics #where_clause {}
        }
    });
    // What is wrong with the data is said of `Event`, and is not to be said twice. With a lifetime
    // of its own the bound may be wrong without being an error.
    let of_readable = if published.is_some() && event.generics.params.is_empty() {
        let of_user = where_clause.map(|clause| &clause.predicates);
        quote_spanned!(ident.span()=> where for<'event_sdk> Self: __sdk::ReadableData, #of_user)
    } else {
        where_clause.to_token_stream()
    };
    let as_json = published.as_ref().map(|_| {
        quote! {
            const __AS_JSON: __sdk::Option<fn(&Self) -> &dyn __sdk::WriteJson> =
                __sdk::Option::Some(__sdk::as_json::<Self>);
        }
    });
    quote! {
        #[allow(deprecated)]
        const _: () = {
            use #private as __sdk;

            #[automatically_derived]
            impl #impl_generics __sdk::Readable for #ident #ty_generics #of_readable {
                const SPEC: __sdk::EventSpec = #spec;
                #as_json
                #key
                #from_older
            }
            #published
            #check
        };
    }
}

fn spec(event: &ValidEvent<'_>) -> TokenStream {
    let (name, event_type) = (&event.name, &event.event_type);
    let (major, minor) = event.version;
    let (subject, rest) = match &event.subject {
        Subject::House([domain, entity, action]) => (
            format!("{domain}.{entity}.{action}"),
            quote!(.address(#domain, #entity, #action)),
        ),
        Subject::Relative(subject) => (subject.clone(), TokenStream::new()),
        Subject::Absolute(subject) => (subject.clone(), quote!(.absolute())),
    };
    let hash = subject_hash(&subject);
    let key = event.key.as_ref().map(|key| {
        if key.in_subject {
            let filter = format!("{subject}.*");
            quote!(.key_in_subject(#filter))
        } else {
            quote!(.key())
        }
    });
    let description = event
        .description
        .as_ref()
        .map(|text| quote!(.description(#text)));
    let spec = quote! {
        __sdk::SpecBuilder::new(#name, #subject, #hash, #event_type, (#major, #minor))
            #rest #key #description.build()
    };
    match &event.upcast_from {
        // A constant outside the implementation cannot name its parameters, so
        // a generic event is checked when its spec is first used.
        Some(previous) if !event.generics.params.is_empty() => Place::of(previous).put(|at| {
            quote_spanned! {at=>
                __sdk::with_previous(#spec, &<#previous as __sdk::Readable>::SPEC)
            }
        }),
        _ => spec,
    }
}

fn key_method(key: &Key<'_>) -> TokenStream {
    let member = key.member;
    let write = |at| quote_spanned!(at=> __sdk::key(&self.#member));
    let field = match member {
        Member::Named(name) => Place::of(name).put(write),
        Member::Unnamed(_) => Place::of(key.ty).put(write),
    };
    quote! {
        fn key(&self) -> __sdk::Option<&dyn __sdk::Display> {
            #field
        }
    }
}

fn from_older(previous: &Type) -> TokenStream {
    let upcast = Place::of(previous).put(
        |at| quote_spanned!(at=> <#previous as __sdk::Readable>::__upcast::<Self>(found, data)),
    );
    quote! {
        fn from_older(
            found: __sdk::Version,
            data: &[u8],
        ) -> __sdk::Result<Self, __sdk::DataError> {
            #upcast
        }
    }
}

fn check_upcast(ident: &Ident, previous: &Type) -> TokenStream {
    let older =
        Place::of(previous).put(|at| quote_spanned!(at=> <#previous as __sdk::Readable>::SPEC));
    let check = Place::of(previous)
        .put(|at| quote_spanned!(at=> __sdk::check_upcast(__SDK_SPEC, __SDK_PREVIOUS)));
    quote! {
        const __SDK_SPEC: &__sdk::EventSpec = &<#ident as __sdk::Readable>::SPEC;
        const __SDK_PREVIOUS: &__sdk::EventSpec = &#older;
        const _: () = #check;
    }
}

/// The generics, with the bounds without which a generic struct is no event.
fn bounded(event: &ValidEvent<'_>, derived: Derived) -> Generics {
    let mut generics = event.generics.clone();
    if generics.params.is_empty() {
        return generics;
    }
    let predicates = &mut generics.make_where_clause().predicates;
    predicates.push(parse_quote!(Self: __sdk::ReadableData));
    if derived == Derived::Event {
        predicates.push(parse_quote!(Self: __sdk::WritableData));
    }
    if let Some(Key { ty, .. }) = &event.key
        && names_any(ty.to_token_stream(), event.generics)
    {
        predicates.push(parse_quote!(#ty: __sdk::Key));
    }
    if let Some(previous) = &event.upcast_from {
        predicates.push(parse_quote!(#previous: __sdk::Readable));
        predicates.push(parse_quote!(Self: __sdk::Upcast<#previous>));
    }
    generics
}

/// Whether `tokens` name a parameter. (If the name means something else there,
/// the bound that follows is true or false all the same.)
fn names_any(tokens: TokenStream, generics: &Generics) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => {
            generics.type_params().any(|param| param.ident == ident)
                || generics.const_params().any(|param| param.ident == ident)
        }
        TokenTree::Group(group) => names_any(group.stream(), generics),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// What is wrong, and an implementation that says nothing, so that the same
/// mistake does not show again as "is not an event" wherever the type is used.
pub(crate) fn stub(item: &DeriveInput, derived: Derived, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    let private = CratePath::find(&item.attrs);
    let ident = &item.ident;
    let name = ident.unraw().to_string();
    let mut generics = item.generics.clone();
    // With a lifetime of its own the bound may be wrong without being an error.
    let predicates = &mut generics.make_where_clause().predicates;
    let bound = quote_spanned!(ident.span()=> for<'event_sdk> Self: __sdk::ReadableData);
    predicates.push(parse_quote!(#bound));
    if derived == Derived::Event {
        let bound = quote_spanned!(ident.span()=> for<'event_sdk> Self: __sdk::WritableData);
        predicates.push(parse_quote!(#bound));
    }
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let published = (derived == Derived::Event).then(|| {
        quote! {
            #[automatically_derived]
            impl #impl_generics __sdk::Event for #ident #ty_generics #where_clause {}
        }
    });
    quote! {
        #errors
        const _: () = {
            use #private as __sdk;

            #[automatically_derived]
            impl #impl_generics __sdk::Readable for #ident #ty_generics #where_clause {
                const SPEC: __sdk::EventSpec = __sdk::SpecBuilder::stub(#name);
            }
            #published
        };
    }
}
