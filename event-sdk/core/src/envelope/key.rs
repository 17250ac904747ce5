//! `EventKey`: the key of an event, `metadata.key` of the envelope; it names what must stay in
//! order together.

use std::borrow::Cow;
use std::fmt::{self, Write};

use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// The key of an event: events with the same key belong together, and consumers can handle them
/// in order.
///
/// A publisher writes the field marked `#[event(key)]` as `metadata.key` of the envelope, so that
/// a consumer finds the key of an event whose type it does not know. It is any text of at most
/// [`MAX_LEN`](Self::MAX_LEN) bytes. A UUID and a text of up to 22 bytes are stored without an
/// allocation.
///
/// `Debug` shows the size only, because the key of a foreign event may be personal data.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EventKey(Repr);

/// The longest key, in bytes, that is stored without an allocation. A larger number would enlarge
/// each envelope, and each event set that has a variant for unknown events.
const IN_PLACE: usize = 22;

/// A text has one form only, so that equal keys are equal values.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    /// In the form that this SDK writes: lower case, with hyphens.
    Uuid(Uuid),
    /// Filled with zeros.
    Short {
        len: u8,
        bytes: [u8; IN_PLACE],
    },
    Long(Box<str>),
}

impl EventKey {
    /// Maximum length in bytes (UTF-8, unescaped).
    pub const MAX_LEN: usize = 255;

    /// The key with this text.
    ///
    /// # Errors
    ///
    /// [`InvalidKey::TooLong`].
    pub fn new(text: &str) -> Result<Self, InvalidKey> {
        if text.len() > Self::MAX_LEN {
            return Err(InvalidKey::TooLong);
        }
        let repr = short(text).or_else(|| uuid(text));
        Ok(Self(repr.unwrap_or_else(|| Repr::Long(text.into()))))
    }

    /// The key whose text is what `key` displays.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`] if the text is too long, or the implementation of `Display` returns an error.
    pub fn of(key: &dyn fmt::Display) -> Result<Self, InvalidKey> {
        let mut sink = Buffer {
            bytes: [0; Self::MAX_LEN],
            len: 0,
        };
        show(key, &mut sink)?;
        let text = sink.bytes.get(..sink.len).map(str::from_utf8);
        // A sink is given whole texts only.
        Self::new(text.and_then(Result::ok).unwrap_or_default())
    }

    /// Checks that [`of`](Self::of) would accept `key`, without building it.
    ///
    /// # Errors
    ///
    /// The errors of [`of`](Self::of).
    pub fn check(key: &dyn fmt::Display) -> Result<(), InvalidKey> {
        show(key, &mut Counter(0))
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Uuid(id) => Cow::Owned(id.to_string()),
            Repr::Short { len, bytes } => Cow::Borrowed(in_place(*len, bytes)),
            Repr::Long(text) => Cow::Borrowed(text),
        }
    }

    /// The UUID if the key is one, or else the text.
    pub(crate) fn parts(&self) -> Result<Uuid, &str> {
        match &self.0 {
            Repr::Uuid(id) => Ok(*id),
            Repr::Short { len, bytes } => Err(in_place(*len, bytes)),
            Repr::Long(text) => Err(text),
        }
    }
}

fn in_place(len: u8, bytes: &[u8; IN_PLACE]) -> &str {
    let text = bytes.get(..usize::from(len)).map(str::from_utf8);
    text.and_then(Result::ok).unwrap_or_default()
}

fn short(text: &str) -> Option<Repr> {
    let mut bytes = [0; IN_PLACE];
    let place = bytes.get_mut(..text.len())?;
    place.copy_from_slice(text.as_bytes());
    let len = u8::try_from(text.len()).ok()?;
    Some(Repr::Short { len, bytes })
}

fn uuid(text: &str) -> Option<Repr> {
    if text.len() != Hyphenated::LENGTH {
        return None;
    }
    let id = Uuid::try_parse(text).ok()?;
    let mut buffer = Uuid::encode_buffer();
    let is_same = *id.hyphenated().encode_lower(&mut buffer) == *text;
    is_same.then_some(Repr::Uuid(id))
}

/// Writes `key` to a sink that refuses more than [`EventKey::MAX_LEN`] bytes.
fn show<S: Sink>(key: &dyn fmt::Display, sink: &mut S) -> Result<(), InvalidKey> {
    let shown = write!(sink, "{key}");
    // First, since a `Display` may ignore the error of the sink.
    if sink.is_full() {
        return Err(InvalidKey::TooLong);
    }
    shown.map_err(|_| InvalidKey::Display)
}

trait Sink: Write {
    /// Whether it was given more than it takes.
    fn is_full(&self) -> bool;
}

/// The length of a key.
struct Counter(usize);

impl Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        if self.is_full() {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

impl Sink for Counter {
    fn is_full(&self) -> bool {
        self.0 > EventKey::MAX_LEN
    }
}

/// The text of a key; a `len` above the capacity says that it was too long.
struct Buffer {
    bytes: [u8; EventKey::MAX_LEN],
    len: usize,
}

impl Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let start = self.len;
        self.len = start.saturating_add(text.len());
        let place = self.bytes.get_mut(start..self.len).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        Ok(())
    }
}

impl Sink for Buffer {
    fn is_full(&self) -> bool {
        self.len > EventKey::MAX_LEN
    }
}

impl TryFrom<&str> for EventKey {
    type Error = InvalidKey;

    fn try_from(text: &str) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

impl PartialEq<str> for EventKey {
    fn eq(&self, other: &str) -> bool {
        self.text() == other
    }
}

impl PartialEq<&str> for EventKey {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = match &self.0 {
            Repr::Uuid(_) => Hyphenated::LENGTH,
            Repr::Short { len, .. } => usize::from(*len),
            Repr::Long(text) => text.len(),
        };
        write!(f, "EventKey({len} bytes)")
    }
}

/// The reason why a text cannot be the key of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidKey {
    /// The key is longer than [`EventKey::MAX_LEN`] bytes.
    TooLong,
    /// The key's implementation of `Display` returned an error.
    Display,
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => {
                "the key is longer than 255 bytes; use a shorter key, such as an id or a hash"
            }
            Self::Display => "the key's Display implementation returned an error",
        })
    }
}

impl std::error::Error for InvalidKey {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Shows its parts one by one, and goes on after an error of the sink.
    struct Parts(Vec<String>);

    impl fmt::Display for Parts {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            for part in &self.0 {
                let _ = f.write_str(part);
            }
            Ok(())
        }
    }

    /// Cannot be shown.
    struct Broken;

    impl fmt::Display for Broken {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("7")?;
            Err(fmt::Error)
        }
    }

    #[test]
    fn a_key_has_at_most_255_bytes() {
        for len in [0, 1, 21, 22, 23, 36, 37, 254, 255, 256, 10_000] {
            let text = "k".repeat(len);
            let fits = len <= EventKey::MAX_LEN;
            assert_eq!(EventKey::new(&text).is_ok(), fits, "{len}");
            assert_eq!(EventKey::of(&text).is_ok(), fits, "{len}");
            assert_eq!(EventKey::check(&text).is_ok(), fits, "{len}");
        }
        // Bytes, not characters.
        assert_eq!(EventKey::new(&"ü".repeat(128)), Err(InvalidKey::TooLong));
        let parts = Parts(vec!["k".repeat(200), "k".repeat(56), "k".to_owned()]);
        assert_eq!(EventKey::of(&parts), Err(InvalidKey::TooLong));
        assert_eq!(EventKey::check(&parts), Err(InvalidKey::TooLong));
    }

    #[test]
    fn a_key_that_cannot_be_shown_is_refused() {
        assert_eq!(EventKey::of(&Broken), Err(InvalidKey::Display));
        assert_eq!(EventKey::check(&Broken), Err(InvalidKey::Display));
    }

    #[test]
    fn debug_shows_no_text() {
        let key = EventKey::new("ada@example.com").unwrap();
        assert_eq!(format!("{key:?}"), "EventKey(15 bytes)");
        assert_eq!(key.to_string(), "ada@example.com");
        let key = EventKey::of(&Uuid::nil()).unwrap();
        assert_eq!(format!("{key:?}"), "EventKey(36 bytes)");
    }

    #[test]
    fn a_uuid_is_the_text_that_it_was_made_of() {
        let id = Uuid::from_u128(0x0193_a5c2_7b1e_7c4a_9f55_2f6d_6f1f_0b11);
        let written = id.to_string();
        for text in [
            written.clone(),
            written.to_uppercase(),
            id.simple().to_string(),
            id.braced().to_string(),
            id.urn().to_string(),
        ] {
            let key = EventKey::new(&text).unwrap();
            assert_eq!(key.text(), text);
            assert_eq!(key, *text);
            assert_eq!(key.parts().is_ok(), text == written);
            assert_eq!(key == EventKey::of(&id).unwrap(), text == written);
        }
    }

    /// An event set with a variant for unknown events has the size of a header.
    #[test]
    fn a_header_is_not_larger_than_without_a_key() {
        assert!(size_of::<Option<EventKey>>() <= 24);
        assert!(size_of::<crate::EnvelopeHeader>() <= 176);
    }

    proptest! {
        #[test]
        fn a_key_is_the_text_that_it_was_made_of(parts in prop::collection::vec(".{0,20}", 0..6)) {
            let text = parts.concat();
            let of = EventKey::of(&Parts(parts));
            prop_assert_eq!(&of, &EventKey::new(&text));
            if let Ok(key) = of {
                prop_assert_eq!(key.text(), text.as_str());
                prop_assert_eq!(key.to_string(), text);
            }
        }
    }
}
