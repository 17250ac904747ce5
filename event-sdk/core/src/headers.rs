//! `Headers`: message headers as name and value, with their rules for characters and length.

use std::fmt;

use crate::text::Text;

/// The headers of a message, in order. Names are compared without regard to case.
///
/// Use few headers: each one adds to the size of every message, and the envelope has fields for
/// most purposes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(
    /// `None` when there are none, as mostly: a pointer is all that is moved then.
    #[allow(
        clippy::box_collection,
        reason = "a message without headers is smaller by two words"
    )]
    Option<Box<Vec<(Text, String)>>>,
);

/// Maximum bytes of a header's name and value together.
pub const MAX_HEADER_LEN: usize = 4096;

impl Headers {
    /// No headers; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// The first value of the header `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    /// Sets the header `name`, replacing its value.
    ///
    /// # Errors
    ///
    /// [`InvalidHeader`] if the name or value is not allowed in a header; nothing is changed
    /// then.
    pub fn insert(
        &mut self,
        name: impl Into<Text>,
        value: impl Into<String>,
    ) -> Result<(), InvalidHeader> {
        let (name, value) = (name.into(), value.into());
        check(&name, &value)?;
        self.remove(&name);
        self.0.get_or_insert_default().push((name, value));
        Ok(())
    }

    /// Adds a header whose name is new, as the caller knows. The names are not compared, so adding
    /// many headers takes time in proportion to their number.
    ///
    /// # Errors
    ///
    /// The errors of [`insert`](Self::insert).
    #[doc(hidden)]
    pub fn insert_new(
        &mut self,
        name: impl Into<Text>,
        value: impl Into<String>,
    ) -> Result<(), InvalidHeader> {
        let (name, value) = (name.into(), value.into());
        check(&name, &value)?;
        self.0.get_or_insert_default().push((name, value));
        Ok(())
    }

    /// Removes the header `name`, if it is there.
    pub fn remove(&mut self, name: &str) {
        if let Some(headers) = &mut self.0 {
            headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
            if headers.is_empty() {
                self.0 = None;
            }
        }
    }

    /// Whether there are no headers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Number of headers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |headers| headers.len())
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|headers| headers.iter())
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Total bytes of names and values.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.iter()
            .map(|(name, value)| name.len() + value.len())
            .sum()
    }
}

impl fmt::Debug for Headers {
    /// Shows only the names, because the values may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Size(usize);

        impl fmt::Debug for Size {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} bytes", self.0)
            }
        }

        let sizes = self.iter().map(|(name, value)| (name, Size(value.len())));
        f.debug_map().entries(sizes).finish()
    }
}

/// A name is visible ASCII without a colon (RFC 9110, section 5.1, as NATS
/// takes it from there); a value has no control characters, and no white space at its ends.
fn check(name: &str, value: &str) -> Result<(), InvalidHeader> {
    let refuse = |reason| {
        Err(InvalidHeader {
            name: name.chars().take(64).collect(),
            reason,
        })
    };
    if name.is_empty() {
        return refuse("a header needs a name");
    }
    if !name.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
        return refuse("the name of a header is visible ASCII without `:`");
    }
    if value.chars().any(char::is_control) {
        return refuse(
            "its value has a control character; a line break would begin another header",
        );
    }
    if is_trimmed(value) {
        return refuse(
            "its value begins or ends with white space, which clients of NATS cut off when they read it",
        );
    }
    if name.len() + value.len() > MAX_HEADER_LEN {
        return refuse("name and value have more than 4096 bytes; put long values into the event");
    }
    Ok(())
}

/// Whether clients of NATS cut off something of this value: white space at its ends.
pub(crate) fn is_trimmed(value: &str) -> bool {
    // JavaScript trims the byte order mark too, which Unicode does not count as white space.
    let trimmed = |c: char| c.is_whitespace() || c == '\u{feff}';
    value.starts_with(trimmed) || value.ends_with(trimmed)
}

/// A header that is not allowed in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidHeader {
    name: String,
    reason: &'static str,
}

impl InvalidHeader {
    /// The error of a header `name` that is refused for this reason.
    #[must_use]
    pub fn refused(name: &str, reason: &'static str) -> Self {
        Self {
            name: name.chars().take(64).collect(),
            reason,
        }
    }
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "header {:?}: {}", self.name, self.reason)
    }
}

impl std::error::Error for InvalidHeader {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_at_the_ends_of_a_value_is_refused() {
        for space in [" ", "\u{a0}", "\u{2028}", "\u{3000}", "\u{feff}"] {
            for value in [format!("{space}x"), format!("x{space}"), space.to_owned()] {
                let mut headers = Headers::new();
                let why = headers.insert("X-Name", value.clone()).unwrap_err();
                assert!(why.to_string().contains("white space"), "{value:?}: {why}");
                assert!(headers.is_empty());
            }
            let within = format!("x{space}y");
            let mut headers = Headers::new();
            headers.insert("X-Name", within.clone()).unwrap();
            assert_eq!(headers.get("x-name"), Some(&*within));
        }
        Headers::new().insert("X-Empty", "").unwrap();
    }
}
