//! Enums: the four ways in which serde tags them, with every form of variant.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use super::event;
use crate::random::{F32, F64, Random, any, one_of, random_fields};

event! {
    /// One of several values.
    EnumValues("chosen") {
        outside: Outside,
        all_outside: Vec<Outside>,
        inside: Inside,
        all_inside: Vec<Inside>,
        beside: Beside,
        all_beside: Vec<Beside>,
        untagged: Untagged,
        all_untagged: Vec<Untagged>,
        renamed: Renamed,
        generic: Either<u128, Vec<i8>>,
        option_of_enum: Option<Outside>,
        map_of_enums: BTreeMap<String, Beside>,
        result: Result<F64, String>,
        deep: Vec<Either<Either<Outside, Inside>, Either<Beside, Untagged>>>,
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Point {
    x: F64,
    y: F32,
}

random_fields! { Point { x, y } }

/// Tagged from outside, as serde does it unless told otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Outside {
    Unit,
    Newtype(u128),
    Option(Option<i64>),
    Struct(Point),
    Map(BTreeMap<i32, F64>),
    Tuple(i128, F32, String),
    NoTuple(),
    Named {
        x: F64,
        wide: u128,
        name: Option<String>,
    },
    NoNames {},
}

impl Random for Outside {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng:
            Self::Unit,
            Self::Newtype(any(rng)),
            Self::Option(any(rng)),
            Self::Struct(any(rng)),
            Self::Map(any(rng)),
            Self::Tuple(any(rng), any(rng), any(rng)),
            Self::NoTuple(),
            Self::Named { x: any(rng), wide: any(rng), name: any(rng) },
            Self::NoNames {},
        )
    }
}

/// Tagged inside. Keys of a map are no texts of several characters, so that none is the tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Inside {
    Unit,
    Struct(Point),
    Map(BTreeMap<char, F64>),
    Named {
        x: F64,
        y: F32,
        large: u64,
        small: i64,
        any: char,
        bytes: Vec<u8>,
        name: Option<String>,
    },
    NoNames {},
    Nested {
        outside: SmallOutside,
        untagged: Untagged,
    },
}

impl Random for Inside {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng:
            Self::Unit,
            Self::Struct(any(rng)),
            Self::Map(any(rng)),
            Self::Named {
                x: any(rng),
                y: any(rng),
                large: any(rng),
                small: any(rng),
                any: any(rng),
                bytes: any(rng),
                name: any(rng),
            },
            Self::NoNames {},
            Self::Nested { outside: any(rng), untagged: any(rng) },
        )
    }
}

/// As [`Outside`], without what serde cannot read once it has been buffered for a tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum SmallOutside {
    Unit,
    Newtype(u64),
    Tuple(i64, F32, String),
    Named { x: F64 },
}

impl Random for SmallOutside {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng:
            Self::Unit,
            Self::Newtype(any(rng)),
            Self::Tuple(any(rng), any(rng), any(rng)),
            Self::Named { x: any(rng) },
        )
    }
}

/// Tagged by a field beside the content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Beside {
    Unit,
    Newtype(u128),
    Option(Option<F32>),
    Struct(Point),
    Map(BTreeMap<i32, F64>),
    Tuple(i128, F64),
    Named { x: F32, wide: i128 },
}

impl Random for Beside {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng:
            Self::Unit,
            Self::Newtype(any(rng)),
            Self::Option(any(rng)),
            Self::Struct(any(rng)),
            Self::Map(any(rng)),
            Self::Tuple(any(rng), any(rng)),
            Self::Named { x: any(rng), wide: any(rng) },
        )
    }
}

/// Without a tag: each form is another kind of JSON, or has other names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Nothing,
    Truth(bool),
    Whole(i64),
    Huge(u64),
    Float(F64),
    Text(String),
    Pair(i64, String),
    List(Vec<F64>),
    Point(Point),
    Named { name: String },
}

impl Random for Untagged {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng:
            Self::Nothing,
            Self::Truth(any(rng)),
            Self::Whole(any(rng)),
            // Smaller ones are read as `Whole`.
            Self::Huge(any::<u64>(rng) | 1 << 63),
            Self::Float(any(rng)),
            Self::Text(any(rng)),
            Self::Pair(any(rng), any(rng)),
            Self::List(any(rng)),
            Self::Point(any(rng)),
            Self::Named { name: any(rng) },
        )
    }
}

/// With the attributes that change the names of an enum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
enum Renamed {
    FirstOne {
        two_words: u8,
    },
    #[serde(rename = "\u{e9}\u{1f600}\"", alias = "second")]
    SecondOne,
    #[serde(rename_all = "kebab-case")]
    ThirdOne {
        two_words: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        more: Option<u8>,
    },
    #[serde(other)]
    Another,
}

impl Random for Renamed {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng:
            Self::FirstOne { two_words: any(rng) },
            Self::SecondOne,
            Self::ThirdOne { two_words: any(rng), more: any(rng) },
            Self::Another,
        )
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Either<A, B> {
    Left(A),
    Right(B),
}

impl<A: Random, B: Random> Random for Either<A, B> {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng: Self::Left(any(rng)), Self::Right(any(rng)))
    }
}
