//! Explains why a JSON value does not match its type: path, expected kind and found kind,
//! without showing data.
//!
//! A message of `serde_json` shows the wrong value
//! (`invalid type: string "ada@example.com", expected u64`), and so do the messages of many types.
//! So the value is read once more, through wrappers around the deserializer and its visitors that
//! see each error before it becomes a text. This happens only after a failure, so reading valid
//! JSON costs nothing more.

mod watched;

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write as _};

use serde::de::{self, Deserialize, Expected, Unexpected};

use watched::Watched;

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Explained {
    /// Where in the value, as `items[2].price`; empty for the value itself.
    pub(super) path: String,
    pub(super) what: What,
    /// Line and column.
    pub(super) position: Option<(u64, u64)>,
}

/// What is wrong, without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// The kinds say it.
    Kinds(String),
    /// A type said something of its own, which may show the value.
    Own {
        /// What kind of value it was, if that is known.
        found: Option<&'static str>,
        /// What the type takes, if it says so.
        expected: Option<String>,
    },
}

/// Reads `json` once more, to find out why it was not read as a `T`; `None` if it is.
/// `seen` says whether a type refused it, or the reader did.
pub(super) fn explain<'de, T: Deserialize<'de>>(json: &'de [u8], seen: bool) -> Option<Explained> {
    let tracker = Tracker::default();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let fault = T::deserialize(Watched::new(&mut reader, &tracker)).err()?;
    Some(fault.into_explained(seen))
}

/// An error as it is inside of the wrappers: its parts are known.
#[derive(Debug)]
pub(super) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    what: What,
    /// From the inside out.
    path: Vec<Step>,
    position: Option<(u64, u64)>,
}

#[derive(Debug, Clone)]
enum Step {
    /// A field or a variant, by its name in the type.
    Name(String),
    /// A field that the type has, or another one that it keeps: a struct with a flattened
    /// map does not say.
    Likely(String),
    /// An entry of a map. Its key is data.
    Entry,
    Index(usize),
}

impl Fault {
    fn new(what: What) -> Self {
        Self(Box::new(Inner {
            what,
            path: Vec::new(),
            position: None,
        }))
    }

    fn kinds(text: String) -> Self {
        Self::new(What::Kinds(text))
    }

    /// The same fault, inside of this step.
    fn at(mut self, step: Step) -> Self {
        self.0.path.push(step);
        self
    }

    /// Adds what kind of value a type has complained about, if that is not known yet.
    fn about(mut self, kind: Option<&'static str>, expecting: Option<&str>) -> Self {
        let Inner { what, path, .. } = &mut *self.0;
        if let What::Own { found, expected } = what
            && found.is_none()
            && path.is_empty()
        {
            *found = kind;
            *expected = expecting.map(str::to_owned);
        }
        self
    }

    /// The path for an error of this kind: about a value that a type refuses, or one that
    /// no type has seen.
    fn into_explained(self, seen: bool) -> Explained {
        let Inner {
            what,
            path,
            position,
        } = *self.0;
        let mut text = String::new();
        for step in path.iter().rev() {
            let name = match step {
                Step::Index(index) => {
                    // Writing into memory has no way to fail.
                    let _ = write!(text, "[{index}]");
                    continue;
                }
                Step::Name(name) => name,
                // What a type refuses is a field of it.
                Step::Likely(name) if seen => name,
                Step::Likely(_) | Step::Entry => "*",
            };
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(name);
        }
        Explained {
            path: text,
            what,
            position,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that was not read")
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new(What::Own {
            found: None,
            expected: None,
        })
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::kinds(format!(
            "invalid type: {}, expected {expected}",
            kind(found)
        ))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::kinds(format!(
            "invalid value: {}, expected {expected}",
            kind(found)
        ))
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Self::kinds(format!("invalid length {len}, expected {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::kinds(format!("unknown variant, {}", one_of(expected)))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::kinds(format!("unknown field, {}", one_of(expected)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::kinds(format!("missing field `{field}`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::kinds(format!("duplicate field `{field}`"))
    }
}

fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "there are none".to_owned(),
        [one] => format!("expected {one}"),
        _ => format!("expected one of {}", quoted.join(", ")),
    }
}

/// The kind of a value, in serde's own words.
fn kind(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "integer",
        Unexpected::Float(_) => "floating point",
        Unexpected::Char(_) => "character",
        Unexpected::Str(_) => "string",
        Unexpected::Bytes(_) => "byte array",
        Unexpected::Unit => "null",
        Unexpected::Option => "Option value",
        Unexpected::NewtypeStruct => "newtype struct",
        Unexpected::Seq => "sequence",
        Unexpected::Map => "map",
        Unexpected::Enum => "enum",
        Unexpected::UnitVariant => "unit variant",
        Unexpected::NewtypeVariant => "newtype variant",
        Unexpected::TupleVariant => "tuple variant",
        Unexpected::StructVariant => "struct variant",
        // A text that a type has made, perhaps of the value: serde's own for integers
        // of 128 bits has it.
        Unexpected::Other(text) if text.starts_with("integer ") => "integer",
        Unexpected::Other(_) => "another kind of value",
    }
}

/// What the wrappers of one reading share.
#[derive(Debug, Default)]
struct Tracker {
    /// The fault behind an error that passes through the deserializer's own type.
    stash: RefCell<Option<Fault>>,
    /// What was expected when the deserializer complained last.
    expected: RefCell<Option<String>>,
    /// What the type of the scalar that was read last says that it takes.
    expecting: RefCell<String>,
    /// The kind of the value that was read last.
    last: Cell<Option<&'static str>>,
    /// The name or key that was read last.
    key: RefCell<Option<Step>>,
}

impl Tracker {
    /// Notes what a type says that it takes.
    fn expect(&self, expecting: &impl fmt::Display) {
        let mut text = self.expecting.borrow_mut();
        text.clear();
        // Writing into memory has no way to fail.
        let _ = write!(text, "{expecting}");
    }

    /// A fault as an error of the deserializer, until it comes out of it again.
    fn stash<E: de::Error>(&self, fault: Fault) -> E {
        *self.stash.borrow_mut() = Some(fault);
        E::custom("")
    }

    /// The fault behind an error that came out of the deserializer.
    fn unstash<E: de::Error>(&self, error: &E) -> Fault {
        let text = error.to_string();
        let expected = self.expected.take();
        let stashed = self.stash.take();
        let mut fault = stashed.unwrap_or_else(|| said_by_the_deserializer(&text, expected));
        fault.0.position = fault.0.position.or_else(|| position(&text));
        fault
    }
}

/// The deserializer's own complaint, which begins with the kind that it has found.
fn said_by_the_deserializer(text: &str, expected: Option<String>) -> Fault {
    const KINDS: [&str; 9] = [
        "boolean",
        "integer",
        "floating point",
        "string",
        "null",
        "sequence",
        "map",
        "newtype variant",
        "unit variant",
    ];
    let complaint = ["invalid type: ", "invalid value: "]
        .into_iter()
        .find_map(|begin| Some((begin, text.strip_prefix(begin)?)));
    if let Some((begin, rest)) = complaint
        && let Some(kind) = KINDS.into_iter().find(|kind| rest.starts_with(kind))
    {
        return Fault::kinds(match expected {
            Some(expected) => format!("{begin}{kind}, expected {expected}"),
            None => format!("{begin}{kind}"),
        });
    }
    Fault::new(What::Own {
        found: None,
        expected,
    })
}

/// Line and column at the end of what `serde_json` says.
fn position(text: &str) -> Option<(u64, u64)> {
    let (_, place) = text.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}
