//! Turns the struct's doc comment into the event's description.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The doc comment of the struct as an expression; `None` if there is none.
///
/// Lines keep their breaks, so that Markdown stays what it was. The space after
/// `///`, the stars at the left of a block comment and empty lines around the
/// whole are taken off. A part that is no literal
/// (`#[doc = include_str!("…")]`) is kept as it is.
pub(crate) fn description(attrs: &[Attribute]) -> Option<TokenStream> {
    let mut parts: Vec<TokenStream> = Vec::new();
    let mut lines = String::new();
    for doc in attrs.iter().filter_map(doc_value) {
        if let Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) = doc
        {
            push_lines(&text.value(), &mut lines);
        } else {
            push_part(&std::mem::take(&mut lines), &mut parts);
            parts.push(doc.to_token_stream());
        }
    }
    push_part(&lines, &mut parts);
    match parts.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        [first, rest @ ..] => Some(quote!(::core::concat!(#first #(, "\n", #rest)*))),
    }
}

/// Adds `lines` as a literal, if there is something in them.
fn push_part(lines: &str, parts: &mut Vec<TokenStream>) {
    let text = lines.trim_matches('\n').trim_end();
    if !text.is_empty() {
        parts.push(text.to_token_stream());
    }
}

/// The value of `#[doc = …]`.
fn doc_value(attr: &Attribute) -> Option<&Expr> {
    match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => Some(&meta.value),
        _ => None,
    }
}

/// Adds the lines of one `#[doc = "…"]`: one of `///`, or all of a block comment.
fn push_lines(text: &str, out: &mut String) {
    let stars = text.contains('\n')
        && text
            .lines()
            .skip(1)
            .map(str::trim_start)
            .all(|line| line.is_empty() || line.starts_with('*'));
    for (index, line) in text.split('\n').enumerate() {
        let line = match line.trim_start().strip_prefix('*') {
            Some(rest) if stars && index > 0 => rest,
            _ => line,
        };
        out.push_str(line.strip_prefix(' ').unwrap_or(line).trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use syn::{DeriveInput, LitStr, parse_quote};

    use super::description;

    fn of(item: &DeriveInput) -> String {
        let tokens = description(&item.attrs).unwrap();
        match syn::parse2::<LitStr>(tokens.clone()) {
            Ok(text) => text.value(),
            Err(_) => tokens.to_string(),
        }
    }

    #[test]
    fn joins_and_trims_lines() {
        let item = parse_quote! {
            /// A flight has left.
            ///
            /// * a list
            ///   goes on
            struct Departed;
        };
        assert_eq!(of(&item), "A flight has left.\n\n* a list\n  goes on");
    }

    #[test]
    fn takes_the_stars_off_a_block_comment() {
        let item = parse_quote! {
            /**
             * A flight has left.
             *
             * Its gate is free.
             */
            struct Departed;
        };
        assert_eq!(of(&item), "A flight has left.\n\nIts gate is free.");
    }

    #[test]
    fn leaves_a_plain_block_comment_alone() {
        let item = parse_quote! {
            /** A flight has left.
             Its gate * is free. */
            struct Departed;
        };
        let text = of(&item);
        assert!(text.starts_with("A flight has left.\n"), "{text}");
        assert!(text.ends_with("Its gate * is free."), "{text}");
    }

    #[test]
    fn keeps_what_is_no_literal() {
        let item = parse_quote! {
            /// One.
            #[doc = include_str!("two.md")]
            struct Departed;
        };
        let code = of(&item);
        assert!(code.contains("concat"), "{code}");
        assert!(code.contains("\"One.\" , \"\\n\" ,"), "{code}");
        assert!(code.contains("include_str ! (\"two.md\")"), "{code}");
    }

    #[test]
    fn is_none_without_a_comment() {
        let item: DeriveInput = parse_quote! { #[doc(hidden)] struct Departed; };
        assert!(description(&item.attrs).is_none());
    }
}
