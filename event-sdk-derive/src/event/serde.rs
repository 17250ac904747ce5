//! Refuses serde attributes on an event that break reading back what was written.
//!
//! What is promised of an event: its data have one shape, which is known from
//! the struct; what is written of it is read as what it was; and a reader tolerates
//! fields that a newer minor version added. Refused is what breaks that and can be seen
//! here, and nothing else. On the struct:
//!
//! - `deny_unknown_fields`: this reader would refuse the newer minor;
//! - `untagged`: serde takes it on enums only; a reader would have to guess;
//! - `rename_all` with two cases (or one direction only): a service would not
//!   read what another one with the same struct writes;
//! - `into` without `from` or `try_from`: written as another type, and read as this one;
//! - `tag` with the name of a field, which would stand twice, or beside a flattened map,
//!   which would read the tag as an entry.
//!
//! On a field:
//!
//! - `skip_serializing`, `skip_deserializing`: one side does not know the field;
//! - `skip_serializing_if` where the reader cannot do without the field: no `default` on
//!   it or on the struct, and no `Option` that serde reads itself;
//! - `rename` with two names, unless an `alias` reads what is written;
//! - `serialize_with` without `deserialize_with` or `with`;
//! - `skip` on the key;
//! - a name that another field has too;
//! - `flatten` on two maps, which both take whatever no field has read;
//! - an `Option` directly in an `Option`, or of `()`: JSON has one `null`;
//! - `borrow`, and a type that borrows: what arrives is gone when the event is handled.
//!
//! Allowed, since the shape stays known and open:
//!
//! - `rename_all = "…"`, `default`, `bound`, `expecting`, `crate`, `alias`, `skip`;
//! - `tag = "…"`: writes the name as one more field, which readers skip;
//! - `rename`: only `tag` shows the name of a struct;
//! - `transparent`: the shape is that of the one field, as of a newtype;
//! - `deserialize_with` alone: for a reader that takes more forms than are written;
//! - `from`, `try_from`, `into`: the shape is that of the type they name, whose
//!   own attributes no derive can see, like those of a field's type; checked
//!   construction is what they are for. The attributes of the fields are not looked at
//!   then;
//! - `remote = "Self"`: for an implementation by hand around the derived one.
//!   (`remote` of another type leaves the struct without `Serialize`, and the
//!   compiler says that.)
//!
//! What cannot be seen is what depends on the attributes of the types of fields, or on values; the
//! docs of the derive list it (`event.md`), and `tests/tests/roundtrip/limits.rs` tests the list.
//!
//! Of an event that is only received (`#[derive(Readable)]`), what counts for writing alone is not
//! looked at: the publisher's type decides it. Refused are `deny_unknown_fields`, `untagged`, two
//! fields that are read from one name, two flattened maps, what borrows, and a key that is not read.
//!
//! What is malformed or for enums only is left to serde's own derive, whose
//! message is the better one.

mod field;
mod names;
mod null;

use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr, Member, Path, Token};

use self::field::{FieldSerde, Place};
use self::names::Names;
use super::Derived;
use super::ast::Input;
use super::attr::FieldAttrs;
use crate::ctxt::Ctxt;

/// Looks through the serde attributes of the struct and of its fields.
pub(crate) fn check(input: &Input<'_>, fields: &[FieldAttrs], derived: Derived, ctxt: &Ctxt) {
    let mut on_struct = OnStruct::read(input.attrs, derived, ctxt);
    let is_written = derived == Derived::Event;
    if !is_written {
        on_struct.into = None;
        on_struct.names.tag = None;
    }
    if let Some(into) = &on_struct.into
        && !on_struct.from
    {
        ctxt.error(
            into,
            "the event is written as another type, and read as this one; write `from = \"…\"` or `try_from = \"…\"` beside `into`",
        );
    }
    let last = input.fields.len().saturating_sub(1);
    let mut read = Vec::new();
    for (index, (field, attrs)) in input.fields.iter().zip(fields).enumerate() {
        let serde = FieldSerde::read(field.attrs);
        let is_key = attrs.key.given().is_some();
        if is_key {
            serde.check_key(derived, ctxt);
        }
        let place = Place {
            named: matches!(field.member, Member::Named(_)),
            last: index == last,
            default: on_struct.default,
        };
        if !on_struct.is_elsewhere() {
            if is_written {
                serde.check(field.ty, place, ctxt);
                null::check(&serde, field.ty, ctxt);
            }
            // A lifetime of the struct is complained about there.
            if input.generics.lifetimes().next().is_none() {
                serde.check_owned(field.ty, ctxt);
            }
        }
        read.push((field, serde));
    }
    if !on_struct.is_elsewhere() {
        names::check(&on_struct.names, &read, derived, ctxt);
    }
}

/// What stands on the struct and counts for its fields.
#[derive(Default)]
struct OnStruct {
    default: bool,
    /// It is read by way of another type.
    from: bool,
    /// It is written by way of another type.
    into: Option<Path>,
    remote: bool,
    names: Names,
}

impl OnStruct {
    /// Whether the shape, or one side of it, is that of another type.
    fn is_elsewhere(&self) -> bool {
        self.from || self.into.is_some() || self.remote
    }

    fn read(attrs: &[Attribute], derived: Derived, ctxt: &Ctxt) -> Self {
        let mut found = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            // An error here is serde's to report.
            let _ = attr.parse_nested_meta(|meta| found.item(&meta, derived, ctxt));
        }
        found
    }

    fn item(&mut self, meta: &ParseNestedMeta, derived: Derived, ctxt: &Ctxt) -> syn::Result<()> {
        let name = meta.path.get_ident().map(ToString::to_string);
        match name.as_deref() {
            Some("deny_unknown_fields") => ctxt.error(
                &meta.path,
                "an event cannot have `deny_unknown_fields`: a newer minor version adds fields, and this reader would refuse it; remove the attribute (a breaking change raises the major version, which readers do tell apart)",
            ),
            Some("untagged") => ctxt.error(
                &meta.path,
                "an event cannot be `untagged`: other services would have to guess the shape of its data; remove the attribute, and put an enum with a `tag` into a field if the shape varies",
            ),
            Some("rename_all") if meta.input.peek(syn::token::Paren) => {
                self.names.case = rename_all(meta, derived, ctxt)?;
            }
            Some("rename_all") => {
                let case: LitStr = meta.value()?.parse()?;
                self.names.case = Some(case.value());
            }
            Some("tag") => self.names.tag = Some(meta.value()?.parse()?),
            Some("default") => self.default = true,
            Some("from" | "try_from") => self.from = true,
            Some("into") => self.into = Some(meta.path.clone()),
            Some("remote") => self.remote = true,
            _ => {}
        }
        skip(meta)
    }
}

/// `rename_all(serialize = "…", deserialize = "…")`: the case, if it is one.
fn rename_all(
    meta: &ParseNestedMeta,
    derived: Derived,
    ctxt: &Ctxt,
) -> syn::Result<Option<String>> {
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
    if derived == Derived::Event && serialize != deserialize {
        ctxt.error(
            &meta.path,
            "an event is written and read with the same names, or no service could read what another writes; use one case for both: `rename_all = \"camelCase\"`",
        );
    }
    Ok(deserialize)
}

fn skip(meta: &ParseNestedMeta) -> syn::Result<()> {
    while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        meta.input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}
