//! The forms that the struct of an event may have: tuple, newtype, unit, and its own attributes.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

use super::Fields;
use crate::random::{F64, Random, any, key, random_fields, random_newtype};

/// Fields without names.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "roundtrip", entity = "form", action = "tuple")]
pub(crate) struct Tuple(#[event(key, in_subject)] u128, Option<F64>, Vec<String>);

impl Random for Tuple {
    fn random(rng: &mut fastrand::Rng) -> Self {
        Self(any(rng), any(rng), any(rng))
    }
}

/// Its data are the one value.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "roundtrip", entity = "form", action = "newtype")]
pub(crate) struct Newtype(F64);

/// Its data are the one value too.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(
    domain = "roundtrip",
    entity = "form",
    action = "transparent",
    version = "65535.65535"
)]
#[serde(transparent)]
pub(crate) struct Transparent {
    only: Option<String>,
}

/// Its name is one of its data.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "roundtrip", entity = "form", action = "tagged")]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(crate) struct Tagged {
    #[event(key)]
    two_words: i128,
}

/// Written and read as another type.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(
    absolute = "Foreign.converted",
    type = "com.example/Converted \u{e9}\""
)]
#[serde(from = "(String, F64)", into = "(String, F64)")]
pub(crate) struct Converted {
    #[event(key, in_subject)]
    key: String,
    value: F64,
}

impl From<(String, F64)> for Converted {
    fn from((key, value): (String, F64)) -> Self {
        Self { key, value }
    }
}

impl From<Converted> for (String, F64) {
    fn from(event: Converted) -> Self {
        (event.key, event.value)
    }
}

/// Its data are `null`.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "roundtrip", entity = "form", action = "nothing")]
pub(crate) struct Nothing;

impl Random for Nothing {
    fn random(_: &mut fastrand::Rng) -> Self {
        Self
    }
}

random_newtype!(Newtype);
random_fields! {
    Transparent { only }
    Tagged { two_words }
}

impl Random for Converted {
    fn random(rng: &mut fastrand::Rng) -> Self {
        Self {
            key: key(rng),
            value: any(rng),
        }
    }
}

macro_rules! one_value {
    ($($event:ident)*) => {$(
        impl Fields for $event {
            fn different(&self, other: &Self) -> Vec<&'static str> {
                if self == other { Vec::new() } else { vec!["the whole"] }
            }
        }
    )*};
}

one_value!(Tuple Newtype Transparent Tagged Converted Nothing);
