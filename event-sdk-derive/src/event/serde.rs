//! Refuses serde attributes on the struct that break the contract of an event.
//!
//! What is promised of an event: its data have one shape, which is known from
//! the struct, and a reader tolerates fields that a newer minor version added.
//! Refused is what breaks that, and nothing else:
//!
//! - `deny_unknown_fields`: this reader would refuse the newer minor;
//! - `untagged`: serde takes it on enums only; a reader would have to guess;
//! - `rename_all` with two cases (or one direction only): a service would not
//!   read what another one with the same struct writes.
//!
//! Allowed, since the shape stays known and open:
//!
//! - `rename_all = "…"`, `default`, `bound`, `expecting`, `crate`;
//! - `tag = "…"`: writes the name as one more field, which readers skip;
//! - `rename`: only `tag` shows the name of a struct;
//! - `transparent`: the shape is that of the one field, as of a newtype;
//! - `from`, `try_from`, `into`: the shape is that of the type they name, whose
//!   own attributes no derive can see, like those of a field's type; checked
//!   construction is what they are for;
//! - `remote = "Self"`: for an implementation by hand around the derived one.
//!   (`remote` of another type leaves the struct without `Serialize`, and the
//!   compiler says that.)
//!
//! What is malformed or for enums only is left to serde's own derive, whose
//! message is the better one.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr, Token};

use crate::ctxt::Ctxt;

/// Looks through the serde attributes of the struct.
pub(crate) fn check(attrs: &[Attribute], ctxt: &Ctxt) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // An error here is serde's to report.
        let _ = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("deny_unknown_fields") {
                ctxt.error(
                    &meta.path,
                    "an event cannot have `deny_unknown_fields`: a newer minor version adds fields, and this reader would refuse it; remove the attribute (a breaking change raises the major version, which readers do tell apart)",
                );
            } else if meta.path.is_ident("untagged") {
                ctxt.error(
                    &meta.path,
                    "an event cannot be `untagged`: other services would have to guess the shape of its data; remove the attribute, and put an enum with a `tag` into a field if the shape varies",
                );
            } else if meta.path.is_ident("rename_all") && meta.input.peek(syn::token::Paren) {
                return rename_all(&meta, ctxt);
            }
            skip(&meta)
        });
    }
}

/// `rename_all(serialize = "…", deserialize = "…")`.
fn rename_all(meta: &ParseNestedMeta, ctxt: &Ctxt) -> syn::Result<()> {
    let (mut serialize, mut deserialize) = (None, None);
    meta.parse_nested_meta(|direction| {
        let case: LitStr = direction.value()?.parse()?;
        if direction.path.is_ident("serialize") {
            serialize = Some(case.value());
        } else {
            deserialize = Some(case.value());
        }
        Ok(())
    })?;
    if serialize != deserialize {
        ctxt.error(
            &meta.path,
            "an event is written and read with the same names, or no service could read what another writes; use one case for both: `rename_all = \"camelCase\"`",
        );
    }
    Ok(())
}

fn skip(meta: &ParseNestedMeta) -> syn::Result<()> {
    while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        meta.input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}
