//! `StoreError` and `StoreErrorKind`: the error of stores, relays and inboxes, and whether it is an
//! outage.

use std::fmt;

/// The error of a store: its kind, the reason, and what to do.
///
/// `Display` prints one line and does not repeat [`source`](std::error::Error::source). It contains
/// no data of events.
pub struct StoreError(Box<Inner>);

struct Inner {
    kind: StoreErrorKind,
    reason: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kind of a [`StoreError`], for programs to decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Another transaction holds a lock for too long: `database is locked` of SQLite, a lock timeout
    /// of PostgreSQL.
    Busy,
    /// The database cannot be reached, has no free connection in time, is starting or stopping, or
    /// the connection was lost.
    Unavailable,
    /// The database ended the transaction because of another one: a deadlock or a serialization
    /// failure. Repeat the transaction.
    Conflict,
    /// The database has no room: disk full, quota, too many connections.
    Full,
    /// The tables do not exist.
    SchemaMissing,
    /// The tables are older than this program needs.
    SchemaOlder,
    /// The tables are newer than this program, which cannot work with them.
    SchemaNewer,
    /// A table, column or index differs from what the migrations create.
    SchemaDrift,
    /// The database user lacks a privilege.
    PermissionDenied,
    /// A name, an option or a combination of options is invalid.
    InvalidOption,
    /// A row has content that no program using this SDK writes.
    Damaged,
    /// A text contains the character U+0000, which PostgreSQL cannot store in a text.
    InvalidText,
    /// The event cannot be encoded, or its subject, headers or size are refused. The source is an
    /// [`Error`](event_sdk::Error).
    Event,
    /// Another error of the database; see its source.
    Other,
}

impl StoreErrorKind {
    /// Whether the database is unavailable for now: the same operation may succeed later without a
    /// change.
    ///
    /// A handler that fails with such an error has an outage: this does not count as an attempt.
    #[must_use]
    pub const fn is_outage(self) -> bool {
        matches!(
            self,
            Self::Busy | Self::Unavailable | Self::Conflict | Self::Full
        )
    }
}

impl StoreError {
    /// An error of this kind, with its reason.
    pub fn new(kind: StoreErrorKind, reason: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            reason: reason.into(),
            source: None,
        }))
    }

    /// Adds the source.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.0.kind
    }

    /// Whether the database is unavailable for now; see [`StoreErrorKind::is_outage`].
    #[must_use]
    pub fn is_outage(&self) -> bool {
        self.0.kind.is_outage()
    }
}

/// An event that cannot be encoded.
impl From<event_sdk::Error> for StoreError {
    fn from(error: event_sdk::Error) -> Self {
        Self::new(
            StoreErrorKind::Event,
            "the event cannot be written to the outbox",
        )
        .with_source(error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.reason)
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError")
            .field("kind", &self.0.kind)
            .field("reason", &self.0.reason)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
