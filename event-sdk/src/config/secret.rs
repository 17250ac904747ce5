//! `Secret`: a text of the configuration that `Debug` does not show.

use std::fmt;

/// A text that `Debug` does not show, such as a password.
///
/// ```
/// use event_sdk::config::Secret;
///
/// let password = Secret::from("sesame");
/// assert_eq!(format!("{password:?}"), "…");
/// assert_eq!(password.expose(), "sesame");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}
