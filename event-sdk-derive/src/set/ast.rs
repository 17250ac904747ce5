//! Stage 1 of `#[derive(EventSet)]`: borrows the enum and the payload of each variant from syn.

use syn::{
    Attribute, Data, DeriveInput, Field, Fields, GenericArgument, GenericParam, Ident,
    PathArguments, Type, Variant,
};

use crate::ctxt::Ctxt;

/// The enum, borrowed from syn.
pub(crate) struct Input<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) variants: Vec<Member<'a>>,
}

/// A variant of it, which holds one thing.
pub(crate) struct Member<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) payload: &'a Type,
    pub(crate) attrs: &'a [Attribute],
    pub(crate) field_attrs: &'a [Attribute],
}

/// The enum; complains about any other item, and about variants that do not
/// hold one thing, which are left out.
pub(crate) fn look_at<'a>(item: &'a DeriveInput, ctxt: &Ctxt) -> Option<Input<'a>> {
    let name = &item.ident;
    let data = match &item.data {
        Data::Enum(data) => data,
        Data::Struct(_) => {
            ctxt.error(
                name,
                format!(
                    "`{name}` is a struct, and a set of events is an enum with one event in each variant; derive `Event` if `{name}` is an event: one event is a set already"
                ),
            );
            return None;
        }
        Data::Union(_) => {
            ctxt.error(
                name,
                format!("`{name}` is a union, and a set of events is an enum with one event in each variant; write `enum {name}`"),
            );
            return None;
        }
    };
    for param in &item.generics.params {
        let what = match param {
            GenericParam::Lifetime(_) => "an event owns its data",
            GenericParam::Type(_) | GenericParam::Const(_) => {
                "the subjects of all events are compared while compiling"
            }
        };
        ctxt.error(
            param,
            format!("a set of events has no parameters, since {what}; name the events themselves in the variants"),
        );
    }
    if data.variants.is_empty() {
        ctxt.error(
            name,
            format!("`{name}` has no variants; write one for each event: `Placed(OrderPlaced)`"),
        );
    }
    Some(Input {
        ident: name,
        variants: data
            .variants
            .iter()
            .filter_map(|variant| member(variant, ctxt))
            .collect(),
    })
}

fn member<'a>(variant: &'a Variant, ctxt: &Ctxt) -> Option<Member<'a>> {
    if let Some(field) = only_field(variant) {
        return Some(Member {
            ident: &variant.ident,
            payload: &field.ty,
            attrs: &variant.attrs,
            field_attrs: &field.attrs,
        });
    }
    let name = &variant.ident;
    let example = match variant.fields.iter().next() {
        Some(Field {
            ty: Type::Path(ty), ..
        }) if matches!(variant.fields, Fields::Named(_)) && variant.fields.len() == 1 => {
            quote::quote!(#ty).to_string().replace(' ', "")
        }
        _ => "TheEvent".to_owned(),
    };
    match &variant.fields {
        Fields::Unit => ctxt.error(
            name,
            format!("each variant holds the event that it stands for; write `{name}({example})`"),
        ),
        fields @ Fields::Named(_) => ctxt.error(
            fields,
            format!(
                "a variant holds one event and does not name its fields; write `{name}({example})`, with the fields in a struct that derives `Event`"
            ),
        ),
        fields @ Fields::Unnamed(_) => ctxt.error(
            fields,
            format!(
                "a variant holds exactly one event; write `{name}({example})`, with the fields in a struct that derives `Event`"
            ),
        ),
    }
    None
}

/// The field of a variant of the right form.
pub(crate) fn only_field(variant: &Variant) -> Option<&Field> {
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
        _ => None,
    }
}

/// The event as it is written, without an `Arc` around it.
pub(crate) fn event_of(payload: &Type) -> &Type {
    let inner = match payload {
        Type::Path(path) => path.path.segments.last(),
        Type::Paren(inner) => return event_of(&inner.elem),
        Type::Group(inner) => return event_of(&inner.elem),
        _ => None,
    };
    if let Some(segment) = inner
        && segment.ident == "Arc"
        && let PathArguments::AngleBracketed(args) = &segment.arguments
        && let (Some(GenericArgument::Type(event)), 1) = (args.args.first(), args.args.len())
    {
        return event;
    }
    payload
}
