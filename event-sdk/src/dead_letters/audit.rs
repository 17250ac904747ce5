//! `Audit`: by whom and why letters are changed.

/// The person or program that redrives, edits or archives letters, and the reason. Stored in
/// headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    pub(super) by: Option<String>,
    pub(super) note: Option<String>,
}

impl Audit {
    /// The person or program, as its user names it.
    #[must_use]
    pub fn by(name: impl Into<String>) -> Self {
        Self {
            by: Some(name.into()),
            note: None,
        }
    }

    /// The person or program; `None` if it was not given.
    #[must_use]
    pub fn author(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// The reason; `None` if none was given.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Adds the reason. Do not write personal data: lists show it.
    #[must_use]
    pub fn because(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}
