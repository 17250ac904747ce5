//! Atoms: single assertions about values of one type.

use std::collections::BTreeSet;
use std::rc::Rc;

use num_rational::BigRational;
use serde_json::Value;

use super::{Lit, PatternId};
use crate::number;
use crate::types::{Type, TypeSet};

/// A single assertion.
///
/// All but the first two speak of one type, and are satisfied by every value of another one;
/// the negation of such an assertion is satisfied only by values of that type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Atom {
    /// The value has one of the types. `integer` is said by [`Atom::MultipleOf`] one.
    Types(TypeSet),
    /// The value is one of these.
    Scalars(Rc<BTreeSet<Scalar>>),
    /// A number is at least, or more than, this.
    Above { bound: BigRational, strict: bool },
    /// A number is at most, or less than, this.
    Below { bound: BigRational, strict: bool },
    /// A number is a multiple of this.
    MultipleOf(BigRational),
    /// A string has so many characters at least.
    MinLength(u64),
    /// A string has so many characters at most.
    MaxLength(u64),
    /// A pattern is found in a string.
    Pattern(PatternId),
    /// A string has this format, which the validator of the draft checks; or it has what the
    /// content keywords of draft-07 ask for, written as a schema.
    Format(Rc<str>),
    /// Something about a type that only equals itself: a format that nobody knows.
    Opaque(Type, Rc<str>),
    /// An array has so many items at least.
    MinItems(u64),
    /// An array has so many items at most.
    MaxItems(u64),
    /// No two items are equal.
    Unique,
    /// The item at an index, if there is one, satisfies this.
    ItemAt(usize, Lit),
    /// All items from an index on satisfy this.
    ItemsFrom(usize, Lit),
    /// So many items at least satisfy this.
    CountMin(Lit, u64),
    /// So many items at most satisfy this.
    CountMax(Lit, u64),
    /// An object has so many properties at least.
    MinProperties(u64),
    /// An object has so many properties at most.
    MaxProperties(u64),
    /// The object has this property.
    Required(Rc<str>),
    /// The values of all properties with such a key satisfy this.
    Each(Keys, Lit),
    /// The names of all properties satisfy this.
    Names(Lit),
}

/// Some keys of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Keys {
    /// This one.
    Name(Rc<str>),
    /// Those in which a pattern is found.
    Pattern(PatternId),
    /// Those that are none of the names and in which none of the patterns is found.
    Rest {
        names: Rc<BTreeSet<Rc<str>>>,
        patterns: Rc<BTreeSet<PatternId>>,
    },
}

/// A value without parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Scalar {
    Null,
    Boolean(bool),
    Number(BigRational),
    String(Rc<str>),
}

impl Atom {
    /// The type that the assertion speaks of; `None` if of all.
    pub(crate) fn about(&self) -> Option<Type> {
        match self {
            Atom::Types(_) | Atom::Scalars(_) => None,
            Atom::Above { .. } | Atom::Below { .. } | Atom::MultipleOf(_) => Some(Type::Number),
            Atom::MinLength(_) | Atom::MaxLength(_) | Atom::Pattern(_) | Atom::Format(_) => {
                Some(Type::String)
            }
            Atom::Opaque(of, _) => Some(*of),
            Atom::MinItems(_)
            | Atom::MaxItems(_)
            | Atom::Unique
            | Atom::ItemAt(..)
            | Atom::ItemsFrom(..)
            | Atom::CountMin(..)
            | Atom::CountMax(..) => Some(Type::Array),
            Atom::MinProperties(_)
            | Atom::MaxProperties(_)
            | Atom::Required(_)
            | Atom::Each(..)
            | Atom::Names(_) => Some(Type::Object),
        }
    }
}

impl Scalar {
    /// The scalar of a value; `None` for arrays, objects, and numbers too large to compute with.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Scalar::Null),
            Value::Bool(value) => Some(Scalar::Boolean(*value)),
            Value::Number(value) => number::exact(value).map(Scalar::Number),
            Value::String(value) => Some(Scalar::String(value.as_str().into())),
            Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The value; `None` for a number that JSON would not hold exactly.
    pub(crate) fn to_json(&self) -> Option<Value> {
        Some(match self {
            Scalar::Null => Value::Null,
            Scalar::Boolean(value) => Value::Bool(*value),
            Scalar::Number(value) => Value::Number(number::to_json(value)?),
            Scalar::String(value) => Value::String(value.as_ref().to_owned()),
        })
    }

    pub(crate) fn of_type(&self) -> Type {
        match self {
            Scalar::Null => Type::Null,
            Scalar::Boolean(_) => Type::Boolean,
            Scalar::Number(_) => Type::Number,
            Scalar::String(_) => Type::String,
        }
    }
}
