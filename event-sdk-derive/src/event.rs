//! `#[derive(Event)]` and `#[derive(Readable)]`: run the stages ast, attr, valid and expand.

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

/// Which of the two derives it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derived {
    /// An event that is published and received.
    Event,
    /// An event that is only received: what counts for writing alone is not looked at.
    Readable,
}

impl Derived {
    /// The name of the derive.
    fn name(self) -> &'static str {
        match self {
            Self::Event => "Event",
            Self::Readable => "Readable",
        }
    }
}

/// The implementations of `Readable` and perhaps `Event`, or what is wrong and empty ones.
pub(crate) fn derive(input: TokenStream, home: Home, derived: Derived) -> TokenStream {
    let mut item: DeriveInput = match syn::parse2(input) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    home.note(&mut item.attrs);
    let expanded = ctxt::collect(|ctxt| {
        let input = ast::look_at(&item, derived, ctxt)?;
        let attrs = attr::of_struct(&item.attrs, ctxt);
        let fields = attr::of_fields(&input, ctxt);
        serde::check(&input, &fields, derived, ctxt);
        let event = valid::check(&input, attrs, &fields, ctxt)?;
        Some(expand::event(&event, derived))
    });
    expanded.unwrap_or_else(|error| expand::stub(&item, derived, &error))
}
