//! Numbers of every width, characters, strings, bytes and units.

use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;
use std::num::{NonZero, Saturating, Wrapping};
use std::path::PathBuf;
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::event;
use crate::random::{F32, F64, Random, random_newtype, some};

event! {
    /// Numbers, texts and bytes.
    NumberValues("measured") {
        truth: bool,
        i8: i8, i16: i16, i32: i32, i64: i64, i128: i128, isize: isize,
        u8: u8, u16: u16, u32: u32, u64: u64, u128: u128, usize: usize,
        f32: F32, f64: F64,
        floats: Vec<F64>,
        singles: Vec<F32>,
        more_floats: [F64; 8],
        more_singles: [F32; 8],
        optional: Option<F64>,
        char: char,
        chars: Vec<char>,
        string: String,
        strings: Vec<String>,
        boxed: Box<str>,
        shared: Arc<str>,
        either: Cow<'static, str>,
        path: PathBuf,
        bytes: Bytes,
        c_string: CString,
        unit: (),
        unit_struct: Unit,
        newtype: Meters,
        newtype_of_newtype: Distance,
        wrapping: Wrapping<i64>,
        saturating: Saturating<u128>,
        n8: NonZero<i8>, n16: NonZero<i16>, n32: NonZero<i32>, n64: NonZero<i64>,
        n128: NonZero<i128>, nsize: NonZero<isize>,
        m8: NonZero<u8>, m16: NonZero<u16>, m32: NonZero<u32>, m64: NonZero<u64>,
        m128: NonZero<u128>, msize: NonZero<usize>,
        maybe_not_zero: Option<NonZero<u64>>,
    }
}

/// A struct without fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Unit;

impl Random for Unit {
    fn random(_: &mut fastrand::Rng) -> Self {
        Self
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Meters(F64);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Distance(Meters);

random_newtype!(Meters, Distance);

/// Written by `serialize_bytes`, as `serde_bytes` does.
#[derive(Debug, Clone, PartialEq)]
struct Bytes(Vec<u8>);

impl Random for Bytes {
    fn random(rng: &mut fastrand::Rng) -> Self {
        Self(some(rng, 9))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;

        impl<'de> Visitor<'de> for BytesVisitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bytes, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = list.next_element()? {
                    bytes.push(byte);
                }
                Ok(Bytes(bytes))
            }
        }

        deserializer.deserialize_byte_buf(BytesVisitor)
    }
}
