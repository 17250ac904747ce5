//! Stub implementation of a set after an error, so that one mistake does not cause more errors.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Data, DeriveInput};

use super::ast::only_field;
use super::expand::from;
use crate::crate_path::CratePath;
use crate::spans::Place;

/// What is wrong, and implementations that say nothing, so that the same
/// mistake does not show again wherever the set is used.
///
/// They are for an enum without parameters only: a struct may be an event, and
/// so a set already, and of what a generic enum contains nothing can be said.
pub(crate) fn set(item: &DeriveInput, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    let variants = match &item.data {
        Data::Enum(data) if item.generics.params.is_empty() => &data.variants,
        _ => return errors,
    };
    let (ident, private) = (&item.ident, CratePath::find(&item.attrs));
    let mut seen = HashSet::new();
    let froms = variants.iter().filter_map(|variant| {
        let payload = &only_field(variant)?.ty;
        seen.insert(payload.to_token_stream().to_string())
            .then(|| from(ident, &variant.ident, payload, Place::of(payload)))
    });
    quote! {
        #errors
        #[allow(deprecated)]
        const _: () = {
            use #private as __sdk;

            #[automatically_derived]
            impl __sdk::EventSet for #ident {
                const MEMBERS: &'static [&'static __sdk::EventSpec] = &[];
                const PATTERN: __sdk::Option<&'static str> = __sdk::Option::None;
                const TAKES_OTHER: bool = false;

                fn decode(opened: &__sdk::Opened<'_>) -> __sdk::Result<Self, __sdk::DecodeFault> {
                    __sdk::Result::Err(opened.unknown_subject())
                }
            }

            #[automatically_derived]
            impl<__SdkEvent> __sdk::Contains<__SdkEvent> for #ident {}

            #[automatically_derived]
            impl<__SdkVisitor> __sdk::Visit<__SdkVisitor> for #ident {
                fn visit_all(_: &mut __SdkVisitor) {}
            }

            #(#froms)*
        };
    }
}
