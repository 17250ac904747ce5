//! Refuses serde attributes on an event that break reading back what was written.
//!
//! An event promises three things: its data have one shape, which is known from the struct; the
//! data that are written are read back as the same value; and a reader tolerates fields that a
//! newer minor version added. An attribute is refused only if it breaks one of these promises and
//! can be seen here. On the struct:
//!
//! - `deny_unknown_fields`: this reader would refuse the newer minor;
//! - `untagged`: serde accepts it only on enums; a reader would have to guess;
//! - `rename_all` with two cases (or one direction only): a service could not read the events of
//!   another service with the same struct;
//! - `into` without `from` or `try_from`: the event is written as another type, and read as this
//!   type;
//! - `tag` with the name of a field, which would then be written twice, or together with a
//!   flattened map, which would read the tag as an entry.
//!
//! On a field:
//!
//! - `skip_serializing`, `skip_deserializing`: one side does not know the field;
//! - `skip_serializing_if` if the reader needs the field: neither the field nor the struct has a
//!   `default`, and the field is not an `Option` that serde reads itself;
//! - `rename` with two names, unless an `alias` reads the written name;
//! - `serialize_with` without `deserialize_with` or `with`;
//! - `skip` on the key;
//! - a name that another field has too;
//! - `flatten` on two maps: both would take every entry that no field has read;
//! - an `Option` directly in an `Option`, or of `()`: JSON has one `null`;
//! - `borrow`, and a type that borrows: the received bytes no longer exist when the event is
//!   handled.
//!
//! These attributes are allowed, since the shape stays known and open:
//!
//! - `rename_all = "…"`, `default`, `bound`, `expecting`, `crate`, `alias`, `skip`;
//! - `tag = "…"`: writes the name as one more field, which readers skip;
//! - `rename` on the struct: its name is only visible with `tag`;
//! - `transparent`: the shape is the shape of the only field, as in a newtype;
//! - `deserialize_with` alone: for a reader that accepts more forms than are written;
//! - `from`, `try_from`, `into`: for checked construction. The shape is the shape of the type that
//!   they name. A derive cannot see the attributes of that type, as it cannot see those of a
//!   field's type. The attributes of the struct's own fields are then not checked;
//! - `remote = "Self"`: for an implementation by hand around the derived one. (With `remote` of
//!   another type, the struct has no `Serialize`, and the compiler reports that.)
//!
//! Mistakes that depend on values, or on the attributes of the fields' types, cannot be seen. The
//! docs of the derive list them (`event.md`), and `tests/tests/roundtrip/limits.rs` tests the list.
//!
//! For an event that is only received (`#[derive(Readable)]`), attributes that only affect writing
//! are not checked: the publisher's type determines them. Refused are `deny_unknown_fields`,
//! `untagged`, two fields that are read from the same name, two flattened maps, types that borrow,
//! and a key that is not read.
//!
//! Malformed attributes, and attributes that are only for enums, are left to serde's own derive,
//! which has better messages.

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
