//! `Writer`: writes values as JSON bytes, and refuses NaN, infinities and nesting deeper than 127.
//!
//! It writes structure and plain strings itself, in the form of `serde_json::to_vec`. Numbers,
//! strings with escapes and keys of maps are written by `serde_json`. The bytes are the same; tests
//! compare them.

mod compound;

use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::Error;

use self::compound::{Close, Compound};
use super::write_text;

/// Appends a value to `out`. A number that is not finite is an error instead of the `null` that
/// `serde_json` writes, and so is an array or object inside of [`MAX_DEPTH`] others, which
/// `serde_json` does not read.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// How many arrays and objects are open.
    depth: u8,
}

/// The most arrays and objects in one another that a reader takes.
const MAX_DEPTH: u8 = 127;

const TOO_DEEP: &str = "the data has more than 127 nested arrays and objects, which readers refuse; put the deeper parts into a text, or into events of their own";

/// The names of the structs by which `serde_json` knows a text that is JSON already, and a number
/// with all its digits.
const JSON_ITSELF: [&str; 2] = [
    "$serde_json::private::RawValue",
    "$serde_json::private::Number",
];

/// The only `f32` (7.0385307e-26, and its negative) whose shortest text, read as an `f64` and then
/// rounded, is another one: 0x15ae43fe. serde reads numbers in flattened structs and in internally
/// tagged and untagged enums in that way, as do most other languages. With the digits of an `f64`
/// it is read as itself. Found by trying all of them.
const ROUNDED_TWICE: u32 = 0x15ae_43fd;

fn not_finite(value: f64) -> Error {
    Error::custom(reason(value))
}

fn reason(value: f64) -> String {
    format!("JSON has no {value}; write a finite number, or make the field an Option")
}

/// Whether an error says what is refused here, and nothing else.
pub(super) fn is_reason(text: &str) -> bool {
    let not_finite = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY]
        .into_iter()
        .any(|value| text == reason(value));
    not_finite || text == TOO_DEEP
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, depth: 0 }
    }

    /// The writer of `serde_json` in the same place.
    fn theirs(self) -> serde_json::Serializer<&'a mut Vec<u8>> {
        serde_json::Serializer::new(self.out)
    }

    /// Opens an array or object, inside of `more` others beside those that are open.
    #[inline]
    fn open(self, begin: &[u8], more: u8, close: Close) -> Result<Compound<'a>, Error> {
        let depth = self.depth + more;
        if depth > MAX_DEPTH {
            return Err(Error::custom(TOO_DEEP));
        }
        self.out.extend_from_slice(begin);
        Ok(Compound::new(self.out, depth, close))
    }

    /// Opens the object of a variant, and in it an array or object.
    fn open_variant(self, variant: &str, begin: u8, close: Close) -> Result<Compound<'a>, Error> {
        let compound = self.open(b"{", 2, close)?;
        compound.out.reserve(variant.len() + 4);
        write_text(variant, compound.out);
        compound.out.extend_from_slice(&[b':', begin]);
        Ok(compound)
    }
}

macro_rules! theirs {
    ($($method:ident: $type:ty),* $(,)?) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), Error> {
            self.theirs().$method(value)
        }
    )*};
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    theirs! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
        serialize_bytes: &[u8],
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        let text: &[u8] = if value { b"true" } else { b"false" };
        self.out.extend_from_slice(text);
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        if value.abs().to_bits() == ROUNDED_TWICE {
            self.theirs().serialize_f64(value.into())
        } else if value.is_finite() {
            self.theirs().serialize_f32(value)
        } else {
            Err(not_finite(value.into()))
        }
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        if value.is_finite() {
            self.theirs().serialize_f64(value)
        } else {
            Err(not_finite(value))
        }
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), Error> {
        write_text(value, self.out);
        Ok(())
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Error> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut object = self.open(b"{", 1, Close::Object)?;
        object.field(variant, value)?;
        object.close();
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>, Error> {
        self.open(b"[", 1, Close::Array)
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Compound<'a>, Error> {
        self.open(b"[", 1, Close::Array)
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'a>, Error> {
        self.open(b"[", 1, Close::Array)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, Error> {
        self.open_variant(variant, b'[', Close::ArrayInObject)
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a>, Error> {
        self.open(b"", 1, Close::Map)
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'a>, Error> {
        if name.starts_with('$') && JSON_ITSELF.contains(&name) {
            // It is written as it is, and read without looking into it.
            return self.open(b"", 0, Close::Itself(name));
        }
        self.open(b"{", 1, Close::Object)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, Error> {
        self.open_variant(variant, b'{', Close::ObjectInObject)
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.theirs().collect_str(value)
    }
}
