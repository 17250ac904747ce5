//! Spans of generated code: errors point at the user's tokens.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// Where something stands that the user wrote.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    start: Span,
    end: Span,
}

impl Place {
    /// The place of `user`.
    pub(crate) fn of(user: &impl ToTokens) -> Self {
        let user = user.to_token_stream();
        let start = first(user.clone()).map_or_else(Span::call_site, place);
        let end = last(user).map_or(start, place);
        Self { start, end }
    }

    /// What `write` makes, on this place: what the compiler says of it points here.
    ///
    /// `write` gets the span for its own tokens (for `quote_spanned!`); the last
    /// of them gets the place of the user's last token. The compiler then
    /// underlines all of it, although stable Rust cannot join two spans. Tokens
    /// of the user in between stay as they are: `$crate` is known only by its span.
    pub(crate) fn put(self, write: impl FnOnce(Span) -> TokenStream) -> TokenStream {
        let mut code: Vec<TokenTree> = write(self.start).into_iter().collect();
        if let Some(token) = code.last_mut() {
            token.set_span(self.end);
        }
        code.into_iter().collect()
    }
}

/// The place of `span`, where names mean what they mean to the derive.
fn place(span: Span) -> Span {
    Span::call_site().located_at(span)
}

fn first(tokens: TokenStream) -> Option<Span> {
    tokens.into_iter().find_map(|token| match token {
        // What a `macro_rules!` variable stood for.
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => first(group.stream()),
        other => Some(other.span()),
    })
}

fn last(tokens: TokenStream) -> Option<Span> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.into_iter().rev().find_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => last(group.stream()),
        TokenTree::Group(group) => Some(group.span_close()),
        other => Some(other.span()),
    })
}
