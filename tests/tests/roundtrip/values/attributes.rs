//! serde's attributes on fields and structs: names, defaults, `with`, `flatten`, conversions.

use std::collections::{BTreeMap, HashMap};

use fastrand::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::event;
use crate::random::{F32, F64, Random, any, one_of, random_fields, random_newtype};

event! {
    /// Fields with attributes.
    FieldAttributes("attributed") {
        #[serde(rename = "re\"named\" \u{1f600}")]
        renamed: u8,
        #[serde(alias = "older", alias = "oldest")]
        with_alias: u8,
        #[serde(default)]
        with_default: F64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left_out: Option<F32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out_without_default: Option<Bare>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out_list: Vec<i128>,
        #[serde(default = "seven", skip_serializing_if = "is_seven")]
        seven: u64,
        #[serde(with = "hexadecimal")]
        with_module: Vec<u8>,
        #[serde(serialize_with = "hexadecimal::serialize", deserialize_with = "hexadecimal::deserialize")]
        with_functions: Vec<u8>,
        #[serde(with = "uuid::serde::compact")]
        compact: Uuid,
        #[serde(with = "uuid::serde::braced")]
        braced: Uuid,
        #[serde(with = "twice")]
        option_in_option: Option<Option<u8>>,
        #[serde(with = "OutsideDef")]
        remote: Outside,
        r#type: u8,
        flat: Flat,
        flat_in_flat: Nested,
        flat_enum: FlatEnum,
        maybe_flat: MaybeFlat,
        other_names: OtherNames,
        all_default: AllDefault,
        tagged: Tagged,
        transparent: Transparent,
        from_into: FromInto,
        checked: Even,
        generic: Generic<u128>,
        by_hand: AsMap,
    }
}

const fn seven() -> u64 {
    7
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_seven(value: &u64) -> bool {
    *value == seven()
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Bare(F64);

/// What stands in the flattened parts has no numbers of 128 bits: serde cannot buffer them. The
/// map takes what no field has read, so that its keys are other names than theirs, and no part
/// beside it has flattened parts itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Flat {
    before: i128,
    #[serde(flatten)]
    part: Part,
    #[serde(flatten)]
    deeper: Deeper,
    #[serde(flatten)]
    rest: HashMap<char, Option<F64>>,
    after: u128,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Part {
    width: F64,
    height: F32,
    bytes: Vec<u8>,
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Nested {
    depth: i64,
    #[serde(flatten)]
    middle: Middle,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Middle {
    height: F32,
    #[serde(flatten)]
    deeper: Deeper,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Deeper {
    largest: u64,
    smallest: i64,
}

/// Enums whose tag and content become fields of the struct.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct FlatEnum {
    id: u8,
    #[serde(flatten)]
    inside: Inside,
    #[serde(flatten)]
    beside: Beside,
    #[serde(flatten)]
    outside: OutsideNamed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "inside")]
enum Inside {
    Unit,
    Part(Deeper),
    Named { one: F64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "beside", content = "content")]
enum Beside {
    Unit,
    Newtype(F32),
    Tuple(u8, String),
    Named { two: u64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum OutsideNamed {
    Newtype(F64),
    Tuple(u8, char),
    Named { three: F32 },
}

/// Present or not, as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct MaybeFlat {
    id: u8,
    #[serde(flatten)]
    deeper: Option<Deeper>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING-KEBAB-CASE", deny_unknown_fields)]
struct OtherNames {
    two_words: F64,
    #[serde(rename = "")]
    without_name: u8,
    #[serde(skip)]
    skipped: (),
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
struct AllDefault {
    #[serde(skip_serializing_if = "Option::is_none")]
    one: Option<u8>,
    #[serde(skip_serializing_if = "String::is_empty")]
    two: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "struct")]
struct Tagged {
    value: F64,
    unit: (),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Transparent {
    only: i128,
}

/// Written and read as another type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "(i64, F32)", into = "(i64, F32)")]
struct FromInto {
    first: i64,
    second: F32,
}

impl From<(i64, F32)> for FromInto {
    fn from((first, second): (i64, F32)) -> Self {
        Self { first, second }
    }
}

impl From<FromInto> for (i64, F32) {
    fn from(value: FromInto) -> Self {
        (value.first, value.second)
    }
}

/// Checked when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
struct Even(u64);

impl TryFrom<u64> for Even {
    type Error = &'static str;

    fn try_from(value: u64) -> Result<Self, Self::Error> {
        if value.is_multiple_of(2) {
            Ok(Self(value))
        } else {
            Err("an odd number")
        }
    }
}

impl From<Even> for u64 {
    fn from(Even(value): Even) -> Self {
        value
    }
}

impl Random for Even {
    fn random(rng: &mut Rng) -> Self {
        Self(any::<u64>(rng) & !1)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Serialize + serde::de::DeserializeOwned")]
struct Generic<T> {
    value: T,
    more: Vec<T>,
}

impl<T: Random> Random for Generic<T> {
    fn random(rng: &mut Rng) -> Self {
        Self {
            value: any(rng),
            more: any(rng),
        }
    }
}

/// A type of another crate, which has no serde.
#[derive(Debug, Clone, PartialEq)]
struct Outside {
    value: F64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Outside")]
struct OutsideDef {
    value: F64,
}

/// Written as a map by hand, whose length is not said before.
#[derive(Debug, Clone, PartialEq)]
struct AsMap(BTreeMap<String, u8>);

impl Serialize for AsMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.0 {
            map.serialize_key(name)?;
            map.serialize_value(&format_args!("{value:b}"))?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for AsMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
        let values = texts.into_iter().map(|(name, text)| {
            let value = u8::from_str_radix(&text, 2).map_err(serde::de::Error::custom)?;
            Ok((name, value))
        });
        values.collect::<Result<_, _>>().map(Self)
    }
}

random_newtype!(Bare, AsMap);
random_fields! {
    Flat { before, part, deeper, rest, after }
    Part { width, height, bytes, note }
    Nested { depth, middle }
    Middle { height, deeper }
    Deeper { largest, smallest }
    FlatEnum { id, inside, beside, outside }
    MaybeFlat { id, deeper }
    OtherNames { two_words, without_name, skipped }
    AllDefault { one, two }
    Tagged { value, unit }
    Transparent { only }
    FromInto { first, second }
    Outside { value }
}

impl Random for Inside {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng: Self::Unit, Self::Part(any(rng)), Self::Named { one: any(rng) })
    }
}

impl Random for Beside {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng:
            Self::Unit,
            Self::Newtype(any(rng)),
            Self::Tuple(any(rng), any(rng)),
            Self::Named { two: any(rng) },
        )
    }
}

impl Random for OutsideNamed {
    fn random(rng: &mut Rng) -> Self {
        one_of!(rng:
            Self::Newtype(any(rng)),
            Self::Tuple(any(rng), any(rng)),
            Self::Named { three: any(rng) },
        )
    }
}

/// Bytes as hexadecimal digits.
mod hexadecimal {
    use serde::de::{Deserialize as _, Deserializer, Error as _};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        to.serialize_str(&digits.concat())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = (0..text.len()).step_by(2);
        let bytes = bytes.map(|at| u8::from_str_radix(&text[at..at + 2], 16));
        bytes.collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

/// An option in an option as a list of none, one or two levels, since JSON has one `null` only.
mod twice {
    use serde::de::{Deserialize as _, Deserializer, Error as _};
    use serde::ser::{Serialize as _, Serializer};

    #[expect(
        clippy::option_option,
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "it is what is tested, and serde calls it with a reference"
    )]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Option<u8>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let list: &[Option<u8>] = value.as_slice();
        list.serialize(to)
    }

    #[expect(clippy::option_option, reason = "it is what is tested")]
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Option<u8>>, D::Error> {
        let list = Vec::<Option<u8>>::deserialize(from)?;
        match list[..] {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(D::Error::custom("more than one")),
        }
    }
}
