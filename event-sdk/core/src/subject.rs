//! `Subject` and `Pattern`: validated subjects and wildcard patterns.
//!
//! The grammar itself, matching and key escaping are functions on plain texts
//! and stand in [`grammar`]; they are the same at compile time and at run time.

pub use event_sdk_subject as grammar;

use std::fmt;
use std::str::FromStr;

use grammar::Fault;

use crate::text::Text;

/// A subject without wildcards, valid in NATS, to which a message is published.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(Text);

impl Subject {
    /// Validates a text from outside the program.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`], with the text, the position and the reason.
    pub fn parse(text: impl Into<Text>) -> Result<Self, InvalidSubject> {
        let text = text.into();
        match grammar::check_subject(&text) {
            Ok(()) => Ok(Self(text)),
            Err(fault) => Err(InvalidSubject::new(What::Subject, &text, fault)),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part after `prefix` and a dot; `None` if the subject has another prefix.
    #[must_use]
    pub fn relative_to(&self, prefix: &str) -> Option<&str> {
        self.0.strip_prefix(prefix)?.strip_prefix('.')
    }
}

/// A subject pattern: any token may be `*`, and the last one `>`.
///
/// Write patterns in code with [`subject!`](crate::subject!), which checks them at compile time;
/// parse others with [`Pattern::parse`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern(Text);

impl Pattern {
    /// Validates a text from outside the program.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`], with the text, the position and the reason.
    pub fn parse(text: impl Into<Text>) -> Result<Self, InvalidSubject> {
        let text = text.into();
        match grammar::check_pattern(&text) {
            Ok(()) => Ok(Self(text)),
            Err(fault) => Err(InvalidSubject::new(What::Pattern, &text, fault)),
        }
    }

    pub(crate) const fn from_checked_static(text: &'static str) -> Self {
        Self(Text::from_static(text))
    }

    /// The pattern that matches every subject.
    #[must_use]
    pub const fn everything() -> Self {
        Self::from_checked_static(">")
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this pattern matches `subject`, by the rules of NATS.
    #[must_use]
    pub fn matches(&self, subject: &Subject) -> bool {
        grammar::matches(&self.0, subject.as_str())
    }

    /// Whether this pattern matches everything that `other` matches.
    #[must_use]
    pub fn covers(&self, other: &Pattern) -> bool {
        grammar::covers(&self.0, &other.0)
    }

    /// Whether some subject matches both patterns.
    #[must_use]
    pub fn overlaps(&self, other: &Pattern) -> bool {
        grammar::overlaps(&self.0, &other.0)
    }

    /// The pattern that matches exactly the subjects that both match; `None` if there are none.
    #[must_use]
    pub fn meet(&self, other: &Pattern) -> Option<Pattern> {
        grammar::meet(&self.0, &other.0).map(|text| Self(text.into()))
    }

    /// Adds a bus's prefix: `<prefix>.<pattern>`.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`] if `prefix` does not pass [`grammar::check_prefix`], or the result is
    /// too long.
    pub fn under(&self, prefix: &str) -> Result<Pattern, InvalidSubject> {
        Self::parse(format!("{prefix}.{}", self.0))
    }
}

impl From<Subject> for Pattern {
    /// The pattern that matches this one subject.
    fn from(subject: Subject) -> Self {
        Self(subject.0)
    }
}

/// A malformed subject, pattern, prefix or key, with the position and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSubject {
    what: What,
    text: String,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Subject,
    Pattern,
    Prefix,
    Key,
}

impl InvalidSubject {
    fn new(what: What, text: &str, fault: Fault) -> Self {
        Self {
            what,
            text: text.to_owned(),
            fault,
        }
    }

    /// The refused text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The reason and the position.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }
}

impl fmt::Display for InvalidSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::Subject => "subject",
            What::Pattern => "pattern",
            What::Prefix => "prefix",
            What::Key => "key",
        };
        let shown: String = self.text.chars().take(80).collect();
        let more = if shown.len() < self.text.len() {
            "…"
        } else {
            ""
        };
        write!(
            f,
            "{shown:?}{more} is no {what}: {} (at byte {})",
            self.fault, self.fault.at
        )
    }
}

impl std::error::Error for InvalidSubject {}

/// Validates the prefix of a bus.
///
/// # Errors
///
/// [`InvalidSubject`] with the reason.
pub fn check_prefix(prefix: &str) -> Result<(), InvalidSubject> {
    grammar::check_prefix(prefix).map_err(|fault| InvalidSubject::new(What::Prefix, prefix, fault))
}

/// Validates the key of an entry in a bucket ([`Coordination`](crate::transport::Coordination)): it
/// has the form of a subject.
///
/// # Errors
///
/// [`InvalidSubject`] with the reason.
pub fn check_key(key: &str) -> Result<(), InvalidSubject> {
    grammar::check_subject(key).map_err(|fault| InvalidSubject::new(What::Key, key, fault))
}

impl FromStr for Subject {
    type Err = InvalidSubject;

    /// As [`Subject::parse`].
    fn from_str(text: &str) -> Result<Self, InvalidSubject> {
        Self::parse(text)
    }
}

impl FromStr for Pattern {
    type Err = InvalidSubject;

    /// As [`Pattern::parse`].
    fn from_str(text: &str) -> Result<Self, InvalidSubject> {
        Self::parse(text)
    }
}

impl AsRef<str> for Subject {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Pattern {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
