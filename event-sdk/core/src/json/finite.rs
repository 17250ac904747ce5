//! Serializer wrapper that refuses NaN, infinities and nesting deeper than 127.

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// Wraps a serializer, and every value under it, so that a number which is not
/// finite is an error instead of the `null` that `serde_json` writes, and so is an array
/// or object inside of [`MAX_DEPTH`] others, which `serde_json` does not read.
pub(super) struct Finite<T> {
    inner: T,
    /// How many arrays and objects are open.
    depth: u8,
}

/// The most arrays and objects in one another that a reader takes.
const MAX_DEPTH: u8 = 127;

impl<T> Finite<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, depth: 0 }
    }

    /// How many are open inside of `more` others.
    #[inline]
    fn inside<E: Error>(&self, more: u8) -> Result<u8, E> {
        let depth = self.depth + more;
        if depth > MAX_DEPTH {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(depth)
    }
}

const TOO_DEEP: &str = "more than 127 arrays and objects stand in one another, which is not read; put what is nested deeper into a text, or into events of its own";

/// The only `f32` (7.0385307e-26, and its negative) whose shortest text, read as an `f64` and then
/// rounded, is another one: 0x15ae43fe. serde reads numbers in flattened structs and in internally
/// tagged and untagged enums in that way, as do most other languages. With the digits of an `f64` it
/// is read as itself. Found by trying all of them.
const ROUNDED_TWICE: u32 = 0x15ae_43fd;

/// A value that is to be written under the same rule.
struct Inner<'a, T: ?Sized>(&'a T, u8);

impl<T: Serialize + ?Sized> Serialize for Inner<'_, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value, depth) = *self;
        value.serialize(Finite {
            inner: serializer,
            depth,
        })
    }
}

/// The name of the struct by which `serde_json` knows a text that is JSON already.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

fn not_finite<E: Error>(value: f64) -> E {
    E::custom(reason(value))
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

macro_rules! pass {
    ($($method:ident: $type:ty),* $(,)?) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<Self::Ok, Self::Error> {
            self.inner.$method(value)
        }
    )*};
}

impl<S: Serializer> Serializer for Finite<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Finite<S::SerializeSeq>;
    type SerializeTuple = Finite<S::SerializeTuple>;
    type SerializeTupleStruct = Finite<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Finite<S::SerializeTupleVariant>;
    type SerializeMap = Finite<S::SerializeMap>;
    type SerializeStruct = Finite<S::SerializeStruct>;
    type SerializeStructVariant = Finite<S::SerializeStructVariant>;

    pass! {
        serialize_bool: bool,
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
        serialize_str: &str,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        if value.abs().to_bits() == ROUNDED_TWICE {
            return self.inner.serialize_f64(value.into());
        }
        if value.is_finite() {
            self.inner.serialize_f32(value)
        } else {
            Err(not_finite(value.into()))
        }
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            self.inner.serialize_f64(value)
        } else {
            Err(not_finite(value))
        }
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Inner(value, self.depth))
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner
            .serialize_newtype_struct(name, &Inner(value, self.depth))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let depth = self.inside(1)?;
        self.inner
            .serialize_newtype_variant(name, index, variant, &Inner(value, depth))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let depth = self.inside(1)?;
        let inner = self.inner.serialize_seq(len)?;
        Ok(Finite { inner, depth })
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let depth = self.inside(1)?;
        let inner = self.inner.serialize_tuple(len)?;
        Ok(Finite { inner, depth })
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let depth = self.inside(1)?;
        let inner = self.inner.serialize_tuple_struct(name, len)?;
        Ok(Finite { inner, depth })
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        // The object with the name of the variant, and what stands in it.
        let depth = self.inside(2)?;
        let inner = self
            .inner
            .serialize_tuple_variant(name, index, variant, len)?;
        Ok(Finite { inner, depth })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let depth = self.inside(1)?;
        let inner = self.inner.serialize_map(len)?;
        Ok(Finite { inner, depth })
    }

    #[inline]
    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        let depth = match self.inside(1) {
            // It is written as it is, and read without looking into it.
            Err(_) if name == RAW_VALUE => self.depth,
            depth => depth?,
        };
        let inner = self.inner.serialize_struct(name, len)?;
        Ok(Finite { inner, depth })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        // The object with the name of the variant, and what stands in it.
        let depth = self.inside(2)?;
        let inner = self
            .inner
            .serialize_struct_variant(name, index, variant, len)?;
        Ok(Finite { inner, depth })
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! compound {
    ($($trait:ident: $method:ident),* $(,)?) => {$(
        impl<S: $trait> $trait for Finite<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
                self.inner.$method(&Inner(value, self.depth))
            }

            #[inline]
            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

compound! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

macro_rules! compound_struct {
    ($($trait:ident),* $(,)?) => {$(
        impl<S: $trait> $trait for Finite<S> {
            type Ok = S::Ok;
            type Error = S::Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), S::Error> {
                self.inner.serialize_field(key, &Inner(value, self.depth))
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), S::Error> {
                self.inner.skip_field(key)
            }

            #[inline]
            fn end(self) -> Result<S::Ok, S::Error> {
                self.inner.end()
            }
        }
    )*};
}

compound_struct!(SerializeStruct, SerializeStructVariant);

impl<S: SerializeMap> SerializeMap for Finite<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.inner.serialize_key(&Inner(key, self.depth))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        self.inner.serialize_value(&Inner(value, self.depth))
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), S::Error> {
        self.inner
            .serialize_entry(&Inner(key, self.depth), &Inner(value, self.depth))
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}
