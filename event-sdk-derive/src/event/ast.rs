//! Stage 1 of `#[derive(Event)]`: borrows the struct, its generics and its fields from syn.

use syn::{Attribute, Data, DeriveInput, Generics, Ident, Member, Type};

use super::Derived;
use crate::ctxt::Ctxt;

/// The struct, borrowed from syn.
pub(crate) struct Input<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) attrs: &'a [Attribute],
    pub(crate) fields: Vec<Field<'a>>,
}

/// A field of it.
pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
    pub(crate) attrs: &'a [Attribute],
}

/// The struct; complains about any other item.
pub(crate) fn look_at<'a>(
    item: &'a DeriveInput,
    derived: Derived,
    ctxt: &Ctxt,
) -> Option<Input<'a>> {
    let name = &item.ident;
    let data = match &item.data {
        Data::Struct(data) => data,
        Data::Enum(_) => {
            ctxt.error(
                name,
                format!(
                    "`{name}` is an enum, and one event is one struct; if each variant holds an event, derive `EventSet` in place of `{}`, else make it a struct with the enum as a field",
                    derived.name()
                ),
            );
            return None;
        }
        Data::Union(_) => {
            ctxt.error(
                name,
                format!("`{name}` is a union, and an event is a struct; write `struct {name}`"),
            );
            return None;
        }
    };
    let fields = data.fields.members().zip(&data.fields);
    Some(Input {
        ident: name,
        generics: &item.generics,
        attrs: &item.attrs,
        fields: fields
            .map(|(member, field)| Field {
                member,
                ty: &field.ty,
                attrs: &field.attrs,
            })
            .collect(),
    })
}
