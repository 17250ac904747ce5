//! `#[derive(Event)]`: runs the stages ast, attr, valid and expand.

mod ast;
mod attr;
mod doc;
mod expand;
mod serde;
mod valid;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::crate_path::Home;
use crate::ctxt;

/// The implementation of `Event`, or what is wrong and an empty one.
pub(crate) fn derive(input: TokenStream, home: Home) -> TokenStream {
    let mut item: DeriveInput = match syn::parse2(input) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    home.note(&mut item.attrs);
    let expanded = ctxt::collect(|ctxt| {
        let input = ast::look_at(&item, ctxt)?;
        let attrs = attr::of_struct(&item.attrs, ctxt);
        let fields = attr::of_fields(&input, ctxt);
        serde::check(&input, &fields, ctxt);
        let event = valid::check(&input, attrs, &fields, ctxt)?;
        Some(expand::event(&event))
    });
    expanded.unwrap_or_else(|error| expand::stub(&item, &error))
}
