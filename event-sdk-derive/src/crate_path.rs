//! Path of the SDK in generated code: `::event_sdk`, `::event_sdk_core`, or `crate = path`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::ParseStream;
use syn::{Attribute, Path, parse_quote};

use crate::attribute::{self, each_key};
use crate::ctxt::Ctxt;
use crate::keys::Keys;

/// The crate from which a macro was taken, where the SDK is unless `crate = …` says more.
#[derive(Clone, Copy)]
pub(crate) enum Home {
    /// `event-sdk`, which services import.
    Sdk,
    /// `event-sdk-core`, which is all that a shared crate of events needs.
    Core,
}

impl Home {
    /// Says in `attrs` where the SDK is, if that is not said and not `::event_sdk`.
    pub(crate) fn note(self, attrs: &mut Vec<Attribute>) {
        let mut said = false;
        each_crate(attrs, |_, _| said = true);
        if matches!(self, Self::Core) && !said {
            attrs.push(parse_quote!(#[event(crate = ::event_sdk_core)]));
        }
    }
}

/// The path of what the generated code names: `::event_sdk::__private`.
pub(crate) struct CratePath(Option<Path>);

impl CratePath {
    /// What `crate = …` says.
    pub(crate) fn new(path: Option<Path>) -> Self {
        Self(path)
    }

    /// What `crate = …` among `attrs` says, whatever else is wrong with them:
    /// what is written after a mistake needs it too.
    pub(crate) fn find(attrs: &[Attribute]) -> Self {
        let mut path = None;
        each_crate(attrs, |key, input| path = attribute::path(key, input).ok());
        Self(path)
    }
}

/// Calls `read` with each `crate` among `attrs` and what follows it.
fn each_crate(attrs: &[Attribute], mut read: impl FnMut(&Ident, ParseStream)) {
    const ANY: Keys = Keys {
        place: "",
        names: &["crate"],
        example: "",
        elsewhere: &[],
    };
    let _ = each_key(attrs, &ANY, &Ctxt::default(), |key, name, input| {
        if name == "crate" {
            read(&key, input);
        }
        attribute::any_value(input);
        Ok(())
    });
}

impl ToTokens for CratePath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match &self.0 {
            Some(path) => path.to_tokens(tokens),
            None => tokens.extend(quote!(::event_sdk)),
        }
        tokens.extend(quote!(::__private));
    }
}
