//! Serde wrappers of deserializer, visitors and access, which record path and kind of a refused
//! value.
//!
//! A deserializer passes a value to a visitor, which reads the parts of the value through a
//! deserializer again. So each wrapper makes the other, and both are in this file.

mod access;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use self::access::{WatchedEnum, WatchedMap, WatchedSeq};
use super::{Fault, Step, Tracker};

/// A deserializer whose errors are [`Fault`]s.
pub(super) struct Watched<'t, D> {
    inner: D,
    tracker: &'t Tracker,
    /// Whether it reads a name or a key, which is noted.
    is_key: bool,
}

impl<'t, D> Watched<'t, D> {
    pub(super) fn new(inner: D, tracker: &'t Tracker) -> Self {
        Self {
            inner,
            tracker,
            is_key: false,
        }
    }
}

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*) $named:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $($argument: $type,)*
            visitor: V,
        ) -> Result<V::Value, Fault> {
            let visitor = WatchedVisitor::new(visitor, self.tracker, self.is_key.then_some($named));
            self.inner
                .$method($($argument,)* visitor)
                .map_err(|error| self.tracker.unstash(&error))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Watched<'_, D> {
    type Error = Fault;

    forward! {
        deserialize_any() false;
        deserialize_bool() false;
        deserialize_i8() false;
        deserialize_i16() false;
        deserialize_i32() false;
        deserialize_i64() false;
        deserialize_i128() false;
        deserialize_u8() false;
        deserialize_u16() false;
        deserialize_u32() false;
        deserialize_u64() false;
        deserialize_u128() false;
        deserialize_f32() false;
        deserialize_f64() false;
        deserialize_char() false;
        deserialize_str() false;
        deserialize_string() false;
        deserialize_bytes() false;
        deserialize_byte_buf() false;
        deserialize_option() false;
        deserialize_unit() false;
        deserialize_unit_struct(name: &'static str) false;
        deserialize_newtype_struct(name: &'static str) false;
        deserialize_seq() false;
        deserialize_tuple(len: usize) false;
        deserialize_tuple_struct(name: &'static str, len: usize) false;
        deserialize_map() false;
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) true;
        // The names of fields and variants, which are those of the type.
        deserialize_identifier() true;
        deserialize_ignored_any() false;
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let visitor = WatchedVisitor::new(visitor, self.tracker, None).of_struct(fields);
        let read = self.inner.deserialize_struct(name, fields, visitor);
        read.map_err(|error| self.tracker.unstash(&error))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// A seed that reads through a watched deserializer.
pub(super) struct WatchedSeed<'t, S> {
    seed: S,
    tracker: &'t Tracker,
    is_key: bool,
}

impl<'t, S> WatchedSeed<'t, S> {
    /// For a value.
    pub(super) fn value(seed: S, tracker: &'t Tracker) -> Self {
        Self {
            seed,
            tracker,
            is_key: false,
        }
    }

    /// For a name or a key, which is noted.
    pub(super) fn key(seed: S, tracker: &'t Tracker) -> Self {
        Self {
            seed,
            tracker,
            is_key: true,
        }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for WatchedSeed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let Self {
            seed,
            tracker,
            is_key,
        } = self;
        tracker.last.set(None);
        let watched = Watched {
            inner,
            tracker,
            is_key,
        };
        seed.deserialize(watched).map_err(|fault| {
            // A type that has read a text and then complains of it.
            tracker.stash(fault.about(tracker.last.get(), None))
        })
    }
}

/// A visitor around that of the type.
pub(super) struct WatchedVisitor<'t, V> {
    inner: V,
    tracker: &'t Tracker,
    /// `None` for a value; for a key whether it is a name of the type.
    key: Option<bool>,
    /// The names of all fields, if it is a struct that says them.
    fields: &'static [&'static str],
}

impl<'t, V> WatchedVisitor<'t, V> {
    /// The same, of a struct with these fields.
    pub(super) fn of_struct(mut self, fields: &'static [&'static str]) -> Self {
        self.fields = fields;
        self
    }

    pub(super) fn new(inner: V, tracker: &'t Tracker, key: Option<bool>) -> Self {
        Self {
            inner,
            tracker,
            key,
            fields: &[],
        }
    }
}

impl<'de, V: Visitor<'de>> WatchedVisitor<'_, V> {
    /// Lets the type visit a scalar of this kind.
    fn scalar<E: Error>(
        self,
        kind: &'static str,
        visit: impl FnOnce(V) -> Result<V::Value, Fault>,
    ) -> Result<V::Value, E> {
        let tracker = self.tracker;
        tracker.last.set(Some(kind));
        // Asked before, since the visit consumes it; into one buffer, since a body may have
        // millions of scalars.
        tracker.expect(&Expecting(&self.inner));
        visit(self.inner).map_err(|fault| {
            let expecting = tracker.expecting.borrow();
            tracker.stash(fault.about(Some(kind), Some(&expecting)))
        })
    }

    /// Lets the type visit a value of this kind that has others inside.
    fn compound<E: Error>(
        self,
        kind: &'static str,
        visit: impl FnOnce(V) -> Result<V::Value, Fault>,
    ) -> Result<V::Value, E> {
        let tracker = self.tracker;
        let visited = visit(self.inner);
        tracker.last.set(Some(kind));
        visited.map_err(|fault| tracker.stash(fault.about(Some(kind), None)))
    }

    /// Notes a key; one that is not a name of the type is data.
    fn note(&self, text: &str) {
        if let Some(is_name) = self.key {
            let step = if is_name {
                Step::Name(text.to_owned())
            } else {
                Step::Entry
            };
            self.tracker.key.replace(Some(step));
        }
    }
}

struct Expecting<'a, V>(&'a V);

impl<'de, V: Visitor<'de>> fmt::Display for Expecting<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}

macro_rules! scalars {
    ($($method:ident: $type:ty, $kind:literal;)*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.scalar($kind, |inner| inner.$method(value))
        }
    )*};
}

macro_rules! texts {
    ($($method:ident: $type:ty;)*) => {$(
        fn $method<E: Error>(self, text: $type) -> Result<V::Value, E> {
            self.note(&text);
            self.scalar("string", |inner| inner.$method(text))
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for WatchedVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Expecting(&self.inner).to_string();
        f.write_str(&text)?;
        self.tracker.expected.replace(Some(text));
        Ok(())
    }

    scalars! {
        visit_bool: bool, "boolean";
        visit_i8: i8, "integer";
        visit_i16: i16, "integer";
        visit_i32: i32, "integer";
        visit_i64: i64, "integer";
        visit_i128: i128, "integer";
        visit_u8: u8, "integer";
        visit_u16: u16, "integer";
        visit_u32: u32, "integer";
        visit_u64: u64, "integer";
        visit_u128: u128, "integer";
        visit_f32: f32, "floating point";
        visit_f64: f64, "floating point";
        visit_char: char, "character";
        visit_bytes: &[u8], "byte array";
        visit_borrowed_bytes: &'de [u8], "byte array";
        visit_byte_buf: Vec<u8>, "byte array";
    }

    texts! {
        visit_str: &str;
        visit_borrowed_str: &'de str;
        visit_string: String;
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.scalar("null", Visitor::visit_none)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.scalar("null", Visitor::visit_unit)
    }

    fn visit_some<D: Deserializer<'de>>(self, inside: D) -> Result<V::Value, D::Error> {
        let tracker = self.tracker;
        let inside = Watched::new(inside, tracker);
        let some = self.inner.visit_some(inside);
        some.map_err(|fault| tracker.stash(fault.about(tracker.last.get(), None)))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inside: D) -> Result<V::Value, D::Error> {
        let tracker = self.tracker;
        let inside = Watched::new(inside, tracker);
        let newtype = self.inner.visit_newtype_struct(inside);
        newtype.map_err(|fault| tracker.stash(fault.about(tracker.last.get(), None)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = WatchedSeq::new(access, self.tracker);
        self.compound("sequence", |inner| inner.visit_seq(access))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = WatchedMap::new(access, self.tracker, self.fields);
        self.compound("map", |inner| inner.visit_map(access))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = WatchedEnum::new(access, self.tracker);
        self.compound("enum", |inner| inner.visit_enum(access))
    }
}
