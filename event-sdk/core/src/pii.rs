//! `Pii<T>`: marks personal data; serialized as its value, redacted in `Debug`, `x-pii` in the
//! schema. `hide_personal_data`: serializes without it.

use std::cell::Cell;
use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// The text in place of the value.
const HIDDEN: &str = "[personal data]";

thread_local! {
    /// How many calls of `hide_personal_data` run on this thread.
    static HIDING: Cell<usize> = const { Cell::new(0) };
}

/// Calls `write`, and hides personal data in everything that `write` serializes on this thread, in
/// any format: the text `[personal data]` takes the place of the value of each [`Pii`]. It is for
/// tools that show events to people.
///
/// A field that is serialized by a function of its own (`serialize_with`) is not hidden if that
/// function exposes the value. A `Pii` that is flattened into its struct (`#[serde(flatten)]`)
/// cannot be replaced by a text, so the serializer returns an error.
///
/// ```
/// use event_sdk_core::{Pii, hide_personal_data};
///
/// #[derive(serde::Serialize)]
/// struct Customer { id: u64, email: Pii<String> }
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let customer = Customer { id: 7, email: Pii::new("ada@example.com".to_owned()) };
/// let shown = hide_personal_data(|| serde_json::to_string(&customer))?;
/// assert_eq!(shown, r#"{"id":7,"email":"[personal data]"}"#);
/// # Ok(())
/// # }
/// ```
pub fn hide_personal_data<T>(write: impl FnOnce() -> T) -> T {
    /// Ends it, also after a panic.
    struct Hiding;
    impl Drop for Hiding {
        fn drop(&mut self) {
            HIDING.set(HIDING.get() - 1);
        }
    }
    HIDING.set(HIDING.get() + 1);
    let _hiding = Hiding;
    write()
}

/// Personal data: a name, an address, or any other value that identifies a person.
///
/// It is serialized as its value, except within [`hide_personal_data`]. [`Debug`](fmt::Debug)
/// prints `[personal data]`, so that logs and traces do not contain the value, and there is no
/// `Display`. Call [`expose`](Self::expose) to use the value.
///
/// The key of an event cannot be `Pii`, because keys are part of subjects and logs, from which they
/// cannot be deleted. With the feature `schemars`, the JSON Schema of the value has
/// `"x-pii": true`. For an optional value, use `Option<Pii<T>>`.
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
/// `Pii` prevents accidental output only. It does not encrypt: the stored event contains the value.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Pii<T>(T);

impl<T> Pii<T> {
    /// Marks `value` as personal.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Returns the value for changes.
    pub const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }

    /// Returns the value and removes the mark.
    pub fn into_inner(self) -> T {
        self.0
    }

    /// Converts the value; the result is personal data too.
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
        f.write_str(HIDDEN)
    }
}

impl<T: Serialize> Serialize for Pii<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if HIDING.get() > 0 {
            serializer.serialize_str(HIDDEN)
        } else {
            self.0.serialize(serializer)
        }
    }
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Pii<T> {
    // The mark belongs to the field, not to the schema of `T`, which other fields share.
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
    fn it_is_hidden_at_any_depth_until_the_end() {
        let value = vec![(1, Some(Pii::new(vec!["secret"])))];
        let json = || serde_json::to_string(&value).unwrap();
        let hidden = hide_personal_data(|| {
            let inner = hide_personal_data(json);
            assert_eq!(inner, r#"[[1,"[personal data]"]]"#);
            json()
        });
        assert!(!hidden.contains("secret"), "{hidden}");
        let panicked = std::panic::catch_unwind(|| hide_personal_data(|| panic!("on purpose")));
        assert!(panicked.is_err());
        assert!(json().contains("secret"));
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
