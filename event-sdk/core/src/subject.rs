//! `Subject` and `Pattern`: validated subjects and wildcard patterns.
//!
//! The grammar itself, matching and key escaping are functions on plain texts
//! and stand in [`grammar`]; they are the same at compile time and at run time.

pub use event_sdk_subject as grammar;

use std::fmt;
use std::str::FromStr;

use grammar::Fault;

use crate::text::Text;

/// One literal subject, by NATS's grammar: what a message is published to.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(Text);

impl Subject {
    /// Checks a text that came from outside.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`], which names the text, the place and the reason.
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

    /// What follows `prefix` and a dot; `None` if the subject lies elsewhere.
    #[must_use]
    pub fn relative_to(&self, prefix: &str) -> Option<&str> {
        self.0.strip_prefix(prefix)?.strip_prefix('.')
    }
}

/// A subject in which a whole token may be `*` and the last may be `>`.
///
/// Patterns in code are written with the [`subject!`](crate::subject!) macro, which checks
/// them while compiling; those that come from outside pass [`Pattern::parse`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern(Text);

impl Pattern {
    /// Checks a text that came from outside.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`], which names the text, the place and the reason.
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

    /// Whether this pattern matches `subject`, as the NATS server matches.
    #[must_use]
    pub fn matches(&self, subject: &Subject) -> bool {
        grammar::matches(&self.0, subject.as_str())
    }

    /// Whether this pattern matches everything that `other` matches.
    #[must_use]
    pub fn covers(&self, other: &Pattern) -> bool {
        grammar::covers(&self.0, &other.0)
    }

    /// Whether some subject is matched by both.
    #[must_use]
    pub fn overlaps(&self, other: &Pattern) -> bool {
        grammar::overlaps(&self.0, &other.0)
    }

    /// The pattern that matches exactly what both match; `None` if nothing does.
    #[must_use]
    pub fn meet(&self, other: &Pattern) -> Option<Pattern> {
        grammar::meet(&self.0, &other.0).map(|text| Self(text.into()))
    }

    /// This pattern under a bus's prefix: `<prefix>.<pattern>`.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`] when the two together are no pattern, which happens
    /// only if `prefix` never passed [`grammar::check_prefix`] or they are too long.
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

/// A text that is no subject, pattern or prefix, with the place and the reason.
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
}

impl InvalidSubject {
    fn new(what: What, text: &str, fault: Fault) -> Self {
        Self {
            what,
            text: text.to_owned(),
            fault,
        }
    }

    /// The text that was refused.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong with it, and where.
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

/// Checks the prefix of a bus.
///
/// # Errors
///
/// [`InvalidSubject`] with the reason.
pub fn check_prefix(prefix: &str) -> Result<(), InvalidSubject> {
    grammar::check_prefix(prefix).map_err(|fault| InvalidSubject::new(What::Prefix, prefix, fault))
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
