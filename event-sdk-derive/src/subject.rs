//! Expands `subject!("orders.*.placed")` into a checked pattern.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{LitStr, Token, parse_quote};

use crate::attribute;
use crate::crate_path::{CratePath, Home};
use crate::grammar;

/// The checked pattern, or the complaint in the place of an expression.
pub(crate) fn expand(input: TokenStream, home: Home) -> TokenStream {
    let parsed = (|input: ParseStream| parse(input, home)).parse2(input);
    let (private, literal) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return error.into_compile_error(),
    };
    match grammar::pattern(&literal) {
        Ok(()) => quote!(#private::pattern(#literal)),
        Err(error) => error.into_compile_error(),
    }
}

fn parse(input: ParseStream, home: Home) -> syn::Result<(CratePath, LitStr)> {
    let path = if input.peek(Token![crate]) {
        let key = Ident::parse_any(input)?;
        let path = attribute::path(&key, input)?;
        if input.parse::<Token![,]>().is_err() || input.is_empty() {
            let message = "write the pattern after the path: `subject!(crate = event_sdk_core, \"orders.>\")`";
            return Err(syn::Error::new_spanned(path, message));
        }
        Some(path)
    } else {
        match home {
            Home::Sdk => None,
            Home::Core => Some(parse_quote!(::event_sdk_core)),
        }
    };
    let wanted = |at: Span| {
        syn::Error::new(
            at,
            "`subject!` takes one pattern, written out: `subject!(\"orders.*.placed\")`; a text that is known only at run time goes through `Pattern::parse`",
        )
    };
    let literal: LitStr = input.parse().map_err(|_| wanted(input.span()))?;
    input.parse::<Option<Token![,]>>()?;
    if !input.is_empty() {
        return Err(wanted(input.span()));
    }
    Ok((CratePath::new(path), literal))
}
