//! Reads the serde attributes of a field (`rename`, `default`, `skip`, `with`), and refuses
//! those that break the round trip.

use quote::ToTokens as _;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, GenericArgument, LitStr, Path, PathArguments, Token, Type, TypeReference};

use super::{Derived, skip};
use crate::ctxt::Ctxt;

/// What stands in `#[serde(…)]` on one field; each with the place to point at.
#[derive(Default)]
pub(super) struct FieldSerde {
    pub(super) skip: Option<Path>,
    pub(super) skip_serializing: Option<Path>,
    pub(super) skip_deserializing: Option<Path>,
    pub(super) skip_serializing_if: Option<(Path, String)>,
    pub(super) default: bool,
    pub(super) flatten: bool,
    pub(super) borrow: Option<Path>,
    pub(super) with: Option<Path>,
    pub(super) serialize_with: Option<(Path, String)>,
    pub(super) deserialize_with: Option<Path>,
    /// The place of `rename`, and the names for writing and for reading.
    pub(super) rename: Option<Rename>,
    pub(super) aliases: Vec<LitStr>,
}

/// `rename = "…"` or `rename(serialize = "…", deserialize = "…")`.
pub(super) struct Rename {
    pub(super) place: Path,
    pub(super) serialize: Option<String>,
    pub(super) deserialize: Option<String>,
}

impl FieldSerde {
    /// Reads the attributes; what is malformed is serde's to report.
    pub(super) fn read(attrs: &[Attribute]) -> Self {
        let mut found = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
            let _ = attr.parse_nested_meta(|meta| found.item(&meta));
        }
        found
    }

    fn item(&mut self, meta: &ParseNestedMeta) -> syn::Result<()> {
        let place = || meta.path.clone();
        let name = meta.path.get_ident().map(ToString::to_string);
        match name.as_deref() {
            Some("skip") => self.skip = Some(place()),
            Some("skip_serializing") => self.skip_serializing = Some(place()),
            Some("skip_deserializing") => self.skip_deserializing = Some(place()),
            Some("skip_serializing_if") => {
                self.skip_serializing_if = Some((place(), text(meta)?));
            }
            Some("default") => self.default = true,
            Some("flatten") => self.flatten = true,
            Some("borrow") => self.borrow = Some(place()),
            Some("with") => self.with = Some(place()),
            Some("serialize_with") => self.serialize_with = Some((place(), text(meta)?)),
            Some("deserialize_with") => self.deserialize_with = Some(place()),
            Some("alias") => self.aliases.push(meta.value()?.parse()?),
            Some("rename") => self.rename = Some(rename(meta)?),
            _ => {}
        }
        skip(meta)
    }

    /// Whether the field is no part of what is read.
    pub(super) fn is_not_read(&self) -> bool {
        self.skip.is_some() || self.skip_deserializing.is_some()
    }

    /// Whether it is read by a function of the user's.
    pub(super) fn has_reader(&self) -> bool {
        self.with.is_some() || self.deserialize_with.is_some()
    }

    /// Complains about a type that borrows, which serde cannot read from what arrives.
    pub(super) fn check_owned(&self, ty: &Type, ctxt: &Ctxt) {
        if self.is_not_read() || self.has_reader() {
            return;
        }
        if let Some(at) = &self.borrow {
            ctxt.error(
                at,
                "an event owns its data, since it is read from what arrives; remove `borrow`",
            );
        }
        if let Some(borrowed) = borrowed(ty) {
            let written = borrowed.to_token_stream().to_string().replace("& ", "&");
            let owned = match &*borrowed.elem {
                Type::Path(path) if path.path.is_ident("str") => "`String`".to_owned(),
                Type::Path(path) if path.path.is_ident("Path") => "`PathBuf`".to_owned(),
                Type::Slice(slice) => format!("`Vec<{}>`", slice.elem.to_token_stream()),
                other => format!("`{}`", other.to_token_stream()),
            };
            ctxt.error(
                borrowed,
                format!(
                    "an event owns its data, since it is read from what arrives; write {owned} for `{written}`"
                ),
            );
        }
    }

    /// Whether a reader can do without the field, by serde's rule: it has a default, or
    /// its type is an `Option` that serde reads itself.
    fn may_be_absent(&self, ty: &Type, predicate: &str, of_struct: bool) -> bool {
        let is_option = option(ty) || predicate.replace(' ', "").ends_with("Option::is_none");
        self.default || of_struct || self.flatten || (is_option && !self.has_reader())
    }

    /// Complains about what is written and cannot be read, or not as what it was.
    pub(super) fn check(&self, ty: &Type, place: Place, ctxt: &Ctxt) {
        if let Some(at) = &self.skip_serializing {
            ctxt.error(
                at,
                "an event is read from what is written, and this field is not written; write `skip` if it is no part of the event, else remove `skip_serializing`",
            );
        }
        if let Some(at) = &self.skip_deserializing {
            ctxt.error(
                at,
                "what is written of this field is lost when the event is read; write `skip` if it is no part of the event, else remove `skip_deserializing`",
            );
        }
        if let Some((at, predicate)) = &self.skip_serializing_if {
            let moves_others = !place.last || !self.default;
            if !place.named && moves_others {
                ctxt.error(
                    at,
                    "without this field those behind it move to another place, and are read as something else; name the fields, or remove `skip_serializing_if`",
                );
            } else if !self.may_be_absent(ty, predicate, place.default) {
                ctxt.error(
                    at,
                    format!(
                        "an event without this field is written and cannot be read; write `#[serde(default, skip_serializing_if = \"{predicate}\")]`"
                    ),
                );
            }
        }
        if let Some((at, function)) = &self.serialize_with
            && !self.has_reader()
        {
            ctxt.error(
                at,
                format!(
                    "what `{function}` writes has to be read by its counterpart; write `with = \"…\"` with a module that has both, or `deserialize_with = \"…\"` beside it"
                ),
            );
        }
    }

    /// Complains about a key that is not among the data.
    pub(super) fn check_key(&self, derived: Derived, ctxt: &Ctxt) {
        if let Some(at) = &self.skip {
            ctxt.error(
                at,
                "the key of an event is part of it: whoever reads the event needs it to keep the order; remove `skip`, or mark another field as the key",
            );
        }
        // Of an event that is published too, the field is refused in any case.
        if let (Derived::Readable, Some(at)) = (derived, &self.skip_deserializing) {
            ctxt.error(
                at,
                "the key of an event is read from its data, to keep the order; remove `skip_deserializing`, or mark another field as the key",
            );
        }
    }
}

/// Where a field stands.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// In a struct with names, and not in a tuple.
    pub(super) named: bool,
    /// Behind all others.
    pub(super) last: bool,
    /// In a struct that has a default.
    pub(super) default: bool,
}

/// The reference in a type, by what is written.
fn borrowed(ty: &Type) -> Option<&TypeReference> {
    match ty {
        Type::Reference(reference) => Some(reference),
        Type::Group(group) => borrowed(&group.elem),
        Type::Paren(paren) => borrowed(&paren.elem),
        Type::Array(array) => borrowed(&array.elem),
        Type::Slice(slice) => borrowed(&slice.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(borrowed),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return None;
            };
            if last.ident == "PhantomData" {
                return None;
            }
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => borrowed(ty),
                _ => None,
            })
        }
        _ => None,
    }
}

/// Whether a type is an `Option`, by its name, perhaps in a pointer or marked as personal.
fn option(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => option(&group.elem),
        Type::Paren(paren) => option(&paren.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| {
            segment.ident == "Option"
                || (["Box", "Pii"].iter().any(|name| segment.ident == name)
                    && inner(&segment.arguments).is_some_and(option))
        }),
        _ => false,
    }
}

fn inner(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn text(meta: &ParseNestedMeta) -> syn::Result<String> {
    let text: LitStr = meta.value()?.parse()?;
    Ok(text.value())
}

fn rename(meta: &ParseNestedMeta) -> syn::Result<Rename> {
    let (mut serialize, mut deserialize) = (None, None);
    if meta.input.peek(Token![=]) {
        let name = text(meta)?;
        serialize = Some(name.clone());
        deserialize = Some(name);
    } else {
        meta.parse_nested_meta(|direction| {
            let name = Some(text(&direction)?);
            if direction.path.is_ident("serialize") {
                serialize = name;
            } else {
                deserialize = name;
            }
            Ok(())
        })?;
    }
    Ok(Rename {
        place: meta.path.clone(),
        serialize,
        deserialize,
    })
}
