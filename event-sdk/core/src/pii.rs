//! `Pii<T>`: marks personal data; serialized as its value, redacted in `Debug`, `x-pii` in the
//! schema.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Personal data of a person: a name, an address, anything that identifies a person.
///
/// On the wire it is the value itself. Elsewhere it keeps to itself: [`Debug`](fmt::Debug) shows
/// `[personal data]`, so that logs, traces and listings of events do, and there is
/// no `Display`; who means to use the value says [`expose`](Self::expose). It cannot be
/// the key of an event, since keys are in subjects, in logs and in tables that are
/// never cleaned. The JSON Schema of the value has `"x-pii": true`
/// (with the feature `schemars`). Where there may be none, write `Option<Pii<T>>`.
///
/// ```
/// use event_sdk_core::Pii;
///
/// #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct Customer {
///     id: u64,
///     email: Pii<String>,
/// }
///
/// let customer = Customer { id: 7, email: Pii::new("ada@example.com".to_owned()) };
/// assert_eq!(format!("{customer:?}"), "Customer { id: 7, email: [personal data] }");
/// assert_eq!(customer.email.expose(), "ada@example.com");
/// ```
///
/// It hides from carelessness, and is no protection from who means to look: the
/// event as it is stored has the value.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Marks `value` as personal.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, to be used where it is meant to be seen.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value, to be changed.
    pub const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }

    /// The value without the mark.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// Makes another personal value of it.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Pii<U> {
        Pii(make(self.0))
    }
}

impl<T> From<T> for Pii<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal data]")
    }
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Pii<T> {
    // The mark belongs to this place, not to the type, which others have without it.
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        format!("event_sdk_core::Pii<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = generator.subschema_for::<T>();
        if schema.as_bool() == Some(true) {
            schema = schemars::Schema::default();
        }
        schema.insert("x-pii".to_owned(), true.into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn on_the_wire_it_is_the_value() {
        let json = serde_json::to_string(&Pii::new("a")).unwrap();
        assert_eq!(json, "\"a\"");
        let back: Pii<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(back.into_inner(), "a");
    }

    #[test]
    fn debug_never_shows_it() {
        let value = Some(vec![Pii::new("secret")]);
        for text in [format!("{value:?}"), format!("{value:#?}")] {
            assert!(!text.contains("secret"), "{text}");
            assert!(text.contains("[personal data]"), "{text}");
        }
    }

    #[test]
    fn it_compares_and_hashes_as_the_value() {
        assert!(Pii::new(1) < Pii::new(2));
        assert_eq!(Pii::<u8>::default(), Pii::new(0));
        let set: HashSet<_> = [Pii::new(1), Pii::new(1)].into();
        assert_eq!(set.len(), 1);
        assert_eq!(Pii::new(2).map(|two| two + 1), Pii::from(3));
        let mut value = Pii::new(1);
        *value.expose_mut() = 5;
        assert_eq!(*value.expose(), 5);
    }

    #[test]
    fn it_costs_nothing() {
        assert_eq!(size_of::<Pii<String>>(), size_of::<String>());
        assert_eq!(
            size_of::<Option<Pii<Box<u8>>>>(),
            size_of::<Option<Box<u8>>>()
        );
    }
}
