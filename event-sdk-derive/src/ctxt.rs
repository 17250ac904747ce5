//! `Ctxt`: collects the errors of one item, so that all are reported together.

use std::cell::RefCell;
use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;

/// Collects mistakes.
///
/// There is no way to make one and forget to read it: [`collect`] lends it out
/// and looks at it afterwards.
#[derive(Default)]
pub(crate) struct Ctxt {
    errors: RefCell<Option<syn::Error>>,
}

/// Runs `work`, and answers its result if it complained about nothing.
///
/// # Errors
///
/// Everything that `work` complained about, as one error.
pub(crate) fn collect<T>(work: impl FnOnce(&Ctxt) -> Option<T>) -> syn::Result<T> {
    let ctxt = Ctxt::default();
    let result = work(&ctxt);
    match (ctxt.errors.into_inner(), result) {
        (Some(errors), _) => Err(errors),
        (None, Some(result)) => Ok(result),
        (None, None) => Err(syn::Error::new(
            Span::call_site(),
            "the derive gave up without saying why; please report this as a bug of event-sdk",
        )),
    }
}

impl Ctxt {
    /// Adds a mistake that `tokens` make.
    pub(crate) fn error(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds a mistake.
    pub(crate) fn push(&self, error: syn::Error) {
        let mut errors = self.errors.borrow_mut();
        match errors.as_mut() {
            Some(errors) => errors.combine(error),
            None => *errors = Some(error),
        }
    }
}
