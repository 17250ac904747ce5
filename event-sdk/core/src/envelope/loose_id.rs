//! `LooseId`: a correlation or causation id; a UUID, or any other text that a publisher sent.

use std::fmt;

use uuid::Uuid;

/// A correlation or causation id: a UUID, or any other text that a foreign publisher sent,
/// unchanged.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LooseId(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Uuid(Uuid),
    Text(Box<str>),
}

impl LooseId {
    /// The UUID, if it is one.
    #[must_use]
    pub fn as_uuid(&self) -> Option<Uuid> {
        match self.0 {
            Repr::Uuid(id) => Some(id),
            Repr::Text(_) => None,
        }
    }
}

impl From<Uuid> for LooseId {
    fn from(id: Uuid) -> Self {
        Self(Repr::Uuid(id))
    }
}

impl From<&str> for LooseId {
    /// Parses a UUID only in the form that this SDK writes (lower case, with hyphens). Any other
    /// text is kept unchanged.
    fn from(text: &str) -> Self {
        let mut buffer = Uuid::encode_buffer();
        match Uuid::try_parse(text) {
            Ok(id) if *id.hyphenated().encode_lower(&mut buffer) == *text => id.into(),
            _ => Self(Repr::Text(text.into())),
        }
    }
}

impl From<String> for LooseId {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl fmt::Display for LooseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Uuid(id) => id.fmt(f),
            Repr::Text(text) => text.fmt(f),
        }
    }
}

impl fmt::Debug for LooseId {
    /// Shows only the size of a text, because its content is unknown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Uuid(id) => id.fmt(f),
            Repr::Text(text) => write!(f, "Text({} bytes)", text.len()),
        }
    }
}
