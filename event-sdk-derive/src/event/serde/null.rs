//! Refuses an `Option` whose content is written as `null` too (`Option<Option<T>>`, `Option<()>`):
//! it would be read as `None`.

use quote::ToTokens as _;
use syn::{GenericArgument, PathArguments, PathSegment, Type};

use super::field::FieldSerde;
use crate::ctxt::Ctxt;

/// Types that serde writes by writing their content. Another generic type may write an `Option` in
/// its own way.
const CONTAINERS: [&str; 14] = [
    "Option",
    "Box",
    "Arc",
    "Rc",
    "Cow",
    "Pii",
    "Vec",
    "VecDeque",
    "LinkedList",
    "HashMap",
    "BTreeMap",
    "HashSet",
    "BTreeSet",
    "Cell",
];

/// Complains about each `Option` in the type of a field whose `Some` may be read as `None`.
pub(super) fn check(serde: &FieldSerde, ty: &Type, ctxt: &Ctxt) {
    if serde.skip.is_some() || serde.has_reader() {
        return;
    }
    match ty {
        Type::Group(group) => check(serde, &group.elem, ctxt),
        Type::Paren(paren) => check(serde, &paren.elem, ctxt),
        Type::Array(array) => check(serde, &array.elem, ctxt),
        Type::Slice(slice) => check(serde, &slice.elem, ctxt),
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|ty| check(serde, ty, ctxt)),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return;
            };
            let null = arguments(last).find(|ty| last.ident == "Option" && is_null(ty));
            if let Some(null) = null {
                let inner = null.to_token_stream().to_string().replace(' ', "");
                ctxt.error(
                    null,
                    format!(
                        "JSON has one `null`, so that a `Some` with the `null` of `{inner}` would be read as `None`; write an enum with a variant for each case, or `with = \"…\"` with a module that tells them apart"
                    ),
                );
            } else if CONTAINERS.iter().any(|name| last.ident == name) {
                arguments(last).for_each(|ty| check(serde, ty, ctxt));
            }
        }
        _ => {}
    }
}

/// Whether a value of the type may be written as `null`, by the names in it.
fn is_null(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_null(&group.elem),
        Type::Paren(paren) => is_null(&paren.elem),
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            let transparent = ["Box", "Arc", "Rc", "Pii"];
            last.ident == "Option"
                || last.ident == "PhantomData"
                || (transparent.iter().any(|name| last.ident == name)
                    && arguments(last).any(is_null))
        }),
        _ => false,
    }
}

/// The types between `<` and `>`.
fn arguments(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments
        .into_iter()
        .flatten()
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
}
