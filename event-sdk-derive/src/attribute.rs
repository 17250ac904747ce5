//! Parses the `key = value` items of `#[event(…)]`, and continues after a wrong one.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute, Lit, LitStr, Meta, Path, Token, Type};

use crate::ctxt::Ctxt;
use crate::keys::Keys;

/// Calls `read` with each key in each `#[event(…)]` of `attrs`; it takes the
/// value of the key, if the key has one, from the stream.
///
/// Answers whether each item has a key: if not, what is absent may be there.
pub(crate) fn each_key(
    attrs: &[Attribute],
    keys: &Keys,
    ctxt: &Ctxt,
    mut read: impl FnMut(Ident, &str, ParseStream) -> syn::Result<()>,
) -> bool {
    let mut readable = true;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("event")) {
        let Meta::List(list) = &attr.meta else {
            ctxt.error(
                &attr.meta,
                format!(
                    "the keys stand in parentheses: `#[event({})]`",
                    keys.example
                ),
            );
            readable = false;
            continue;
        };
        let all = |input: ParseStream| {
            while !input.is_empty() {
                match key(input, keys) {
                    Ok((key, name)) => {
                        if let Err(error) = read(key, &name, input) {
                            ctxt.push(error);
                            skip_value(input);
                        }
                    }
                    Err(error) => {
                        readable = false;
                        ctxt.push(error);
                        skip_value(input);
                    }
                }
                end_of_item(input, ctxt);
            }
            Ok(())
        };
        if let Err(error) = all.parse2(list.tokens.clone()) {
            ctxt.push(error);
        }
    }
    readable
}

/// The key at the beginning of an item, and its name without `r#`.
fn key(input: ParseStream, keys: &Keys) -> syn::Result<(Ident, String)> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format!(
            "write a key here, such as `{}`; the keys are {}",
            keys.example,
            keys.list()
        )));
    }
    let key = Ident::parse_any(input)?;
    let name = key.unraw().to_string();
    Ok((key, name))
}

/// Takes the comma after an item, or complains that there is none.
fn end_of_item(input: ParseStream, ctxt: &Ctxt) {
    if input.is_empty() || input.parse::<Token![,]>().is_ok() {
        return;
    }
    ctxt.push(input.error("write a `,` between two keys"));
    if !input.peek(Ident::peek_any) {
        skip_value(input);
        let _ = input.parse::<Option<Token![,]>>();
    }
}

/// Takes everything up to the next comma.
fn skip_value(input: ParseStream) -> TokenStream {
    let mut skipped = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        match input.parse::<TokenTree>() {
            Ok(token) => skipped.extend([token]),
            Err(_) => break,
        }
    }
    skipped
}

/// The text that `key` has as its value.
pub(crate) fn text(key: &Ident, input: ParseStream, example: &str) -> syn::Result<LitStr> {
    let wanted = || format!("`{key}` is a text: write `{key} = \"{example}\"`");
    equals(key, input, wanted)?;
    let found = input.fork();
    match input.parse::<LitStr>() {
        Ok(text) if ends(input) || input.peek(Ident::peek_any) => Ok(text),
        _ => Err(spanned_on(&skip_value(&found), key, wanted())),
    }
}

/// The version that `key` has as its value: a text, since a number does not keep the two
/// parts apart (`1.10` and `1.1` are one number).
pub(crate) fn version(key: &Ident, input: ParseStream) -> syn::Result<LitStr> {
    let ahead = input.fork();
    let number = match (ahead.parse::<Token![=]>(), ahead.parse::<Lit>()) {
        (Ok(_), Ok(Lit::Int(number))) if number.suffix().is_empty() => number.to_string(),
        (Ok(_), Ok(Lit::Float(number))) if number.suffix().is_empty() => number.to_string(),
        _ => return text(key, input, "1.0"),
    };
    let (major, minor) = number.split_once('.').unwrap_or((&number, "0"));
    let minor = if minor.is_empty() { "0" } else { minor };
    input.parse::<Token![=]>()?;
    let value = skip_value(input);
    Err(spanned_on(
        &value,
        key,
        format!("`{key}` is a text: write `{key} = \"{major}.{minor}\"`"),
    ))
}

/// The path that `key` has as its value.
pub(crate) fn path(key: &Ident, input: ParseStream) -> syn::Result<Path> {
    let wanted =
        || format!("`{key}` is a path, without quotes: write `{key} = event_sdk_core` for example");
    equals(key, input, wanted)?;
    let found = input.fork();
    match input.call(Path::parse_mod_style) {
        Ok(path) if ends(input) => Ok(path),
        _ => Err(spanned_on(&skip_value(&found), key, wanted())),
    }
}

/// The type that `key` has as its value.
pub(crate) fn ty(key: &Ident, input: ParseStream) -> syn::Result<Type> {
    let wanted =
        || format!("`{key}` is a type, without quotes: write `{key} = OrderPlacedV1` for example");
    equals(key, input, wanted)?;
    let found = input.fork();
    match input.call(Type::parse) {
        Ok(ty) if ends(input) => Ok(ty),
        _ => Err(spanned_on(&skip_value(&found), key, wanted())),
    }
}

/// Checks that `key` has no value.
pub(crate) fn flag(key: &Ident, input: ParseStream) -> syn::Result<()> {
    if ends(input) || input.peek(Ident::peek_any) {
        return Ok(());
    }
    let value = skip_value(input);
    Err(spanned_on(
        &value,
        key,
        format!("`{key}` takes no value: write `{key}` alone"),
    ))
}

fn equals(key: &Ident, input: ParseStream, wanted: impl Fn() -> String) -> syn::Result<()> {
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if !ends(input) {
            return Ok(());
        }
    }
    Err(syn::Error::new_spanned(key, wanted()))
}

fn ends(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn spanned_on(tokens: &TokenStream, key: &Ident, message: String) -> syn::Error {
    if tokens.is_empty() {
        syn::Error::new_spanned(key, message)
    } else {
        syn::Error::new_spanned(tokens, message)
    }
}

/// Takes whatever value a key has.
pub(crate) fn any_value(input: ParseStream) {
    skip_value(input);
}
