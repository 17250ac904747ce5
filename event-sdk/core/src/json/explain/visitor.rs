//! Serde visitor wrapper that records which kind of value a type refused.

use std::fmt;

use serde::de::{Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use super::access::{WatchedEnum, WatchedMap, WatchedSeq};
use super::deserializer::Watched;
use super::{Fault, Step, Tracker};

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
