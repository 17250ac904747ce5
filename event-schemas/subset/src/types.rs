//! The six types of JSON values, and sets of them.

use std::fmt;

use serde_json::Value;

/// A type of JSON value. An integer is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Type {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Type {
    pub(crate) const ALL: [Type; 6] = [
        Type::Null,
        Type::Boolean,
        Type::Number,
        Type::String,
        Type::Array,
        Type::Object,
    ];

    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Type::Null,
            Value::Bool(_) => Type::Boolean,
            Value::Number(_) => Type::Number,
            Value::String(_) => Type::String,
            Value::Array(_) => Type::Array,
            Value::Object(_) => Type::Object,
        }
    }

    /// The type with its article, for sentences.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Type::Null => "null",
            Type::Boolean => "a boolean",
            Type::Number => "a number",
            Type::String => "a string",
            Type::Array => "an array",
            Type::Object => "an object",
        }
    }
}

/// A set of types; `integer` is a member of its own, and stands for the whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeSet {
    types: u8,
    integer: bool,
}

impl TypeSet {
    pub(crate) const NONE: TypeSet = TypeSet {
        types: 0,
        integer: false,
    };
    pub(crate) const ALL: TypeSet = TypeSet {
        types: 0b11_1111,
        integer: false,
    };

    pub(crate) fn only(of: Type) -> Self {
        TypeSet {
            types: 1 << of as u8,
            integer: false,
        }
    }

    /// Adds the type that a schema calls so. Returns whether there is such a type.
    pub(crate) fn insert_named(&mut self, name: &str) -> bool {
        let of = match name {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "number" => Type::Number,
            "string" => Type::String,
            "array" => Type::Array,
            "object" => Type::Object,
            "integer" => {
                self.integer = true;
                return true;
            }
            _ => return false,
        };
        self.types |= 1 << of as u8;
        true
    }

    /// Whether all values of the type are in the set.
    pub(crate) fn contains(self, of: Type) -> bool {
        self.types & (1 << of as u8) != 0
    }

    /// Whether of all numbers the whole ones are in the set.
    pub(crate) fn integers_only(self) -> bool {
        self.integer && !self.contains(Type::Number)
    }

    pub(crate) fn union(self, other: Self) -> Self {
        TypeSet {
            types: self.types | other.types,
            integer: self.integer || other.integer,
        }
    }

    pub(crate) fn intersection(self, other: Self) -> Self {
        let whole = |set: Self| set.integer || set.contains(Type::Number);
        TypeSet {
            types: self.types & other.types,
            integer: whole(self) && whole(other) && (self.integer || other.integer),
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.types == 0 && !self.integer
    }
}

impl fmt::Display for TypeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<&str> = Type::ALL
            .into_iter()
            .filter(|of| self.contains(*of))
            .map(Type::noun)
            .collect();
        if self.integers_only() {
            names.push("an integer");
        }
        match names.as_slice() {
            [] => f.write_str("nothing"),
            [one] => f.write_str(one),
            [most @ .., last] => write!(f, "{} or {last}", most.join(", ")),
        }
    }
}
