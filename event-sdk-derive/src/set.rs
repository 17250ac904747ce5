//! `#[derive(EventSet)]`: runs the stages ast, attr, valid and expand.

mod ast;
mod attr;
mod expand;
mod stub;
mod valid;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::crate_path::Home;
use crate::ctxt;

/// The implementation of `EventSet`, or what is wrong and an empty one.
pub(crate) fn derive(input: TokenStream, home: Home) -> TokenStream {
    let mut item: DeriveInput = match syn::parse2(input) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    home.note(&mut item.attrs);
    let expanded = ctxt::collect(|ctxt| {
        let input = ast::look_at(&item, ctxt)?;
        let attrs = attr::of_enum(&item.attrs, ctxt);
        let marks = attr::of_variants(&input, ctxt);
        Some(expand::set(&valid::check(&input, attrs, &marks, ctxt)))
    });
    expanded.unwrap_or_else(|error| stub::set(&item, &error))
}
