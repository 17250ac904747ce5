//! Serde deserializer wrapper that tracks each value for an error's path.

use serde::de::{DeserializeSeed, Deserializer, Visitor};

use super::visitor::WatchedVisitor;
use super::{Fault, Tracker};

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
