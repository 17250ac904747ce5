//! Where the generated code finds the SDK.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Path};

use crate::attribute::{self, each_key};
use crate::ctxt::Ctxt;
use crate::keys::Keys;

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
        const ANY: Keys = Keys {
            place: "",
            names: &["crate"],
            example: "",
            elsewhere: &[],
        };
        let mut path = None;
        let _ = each_key(attrs, &ANY, &Ctxt::default(), |key, name, input| {
            if name == "crate" {
                path = attribute::path(&key, input).ok();
                return Ok(());
            }
            attribute::any_value(input);
            Ok(())
        });
        Self(path)
    }
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
