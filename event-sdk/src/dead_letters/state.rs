//! `LetterState`: the state of a letter, and how the state is stored beside the letter.

use event_sdk_core::headers::{Headers, InvalidHeader};
use event_sdk_core::text::Text;
use jiff::Timestamp;

use super::audit::Audit;
use super::escaping::{escaped, unescaped, unescaped_text};
use super::redriven::{AT, BY, ID, NOTE, write_audit};
use super::wire;

const STATE: &str = "Dead-Letter-State";
const RETRY_SEQUENCE: &str = "Dead-Letter-Retry-Sequence";

/// The state of a letter: what was done with it, when, by whom and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LetterState {
    /// The status.
    pub status: LetterStatus,
    /// When the letter got the status.
    pub at: Option<Timestamp>,
    /// The person or program that changed the status.
    pub by: Option<String>,
    /// The reason that was given.
    pub note: Option<String>,
    /// The sequence of the redriven event in the retry stream.
    pub retry_sequence: Option<u64>,
}

/// The status of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LetterStatus {
    /// The letter was not yet redriven, archived or given up.
    Open,
    /// It was redriven.
    Redriven,
    /// It was archived: put aside until it is reopened.
    Archived,
    /// Its consumer handled it, after its key was released (sequenced mode).
    Handled,
    /// It was skipped: the events that waited behind it are handled (sequenced mode).
    Skipped,
    /// It failed again, or was edited: another letter has taken its place (sequenced mode).
    Replaced,
    /// Another status, written by a newer version.
    Other(Text),
}

impl LetterStatus {
    /// The text of the status.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Open => "open",
            Self::Redriven => "redriven",
            Self::Archived => "archived",
            Self::Handled => "handled",
            Self::Skipped => "skipped",
            Self::Replaced => "replaced",
            Self::Other(text) => text,
        }
    }

    /// The status with this text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let known = [
            Self::Open,
            Self::Redriven,
            Self::Archived,
            Self::Handled,
            Self::Skipped,
            Self::Replaced,
        ];
        let mut known = known.into_iter();
        known
            .find(|status| status.as_str() == text)
            .unwrap_or_else(|| Self::Other(unescaped_text(text)))
    }
}

impl LetterState {
    /// The state of an open letter.
    #[must_use]
    pub const fn open() -> Self {
        Self {
            status: LetterStatus::Open,
            at: None,
            by: None,
            note: None,
            retry_sequence: None,
        }
    }

    /// A state with this status from this time on.
    #[must_use]
    pub fn since(status: LetterStatus, at: Timestamp, audit: &Audit) -> Self {
        Self {
            status,
            at: Some(at),
            by: audit.by.clone(),
            note: audit.note.clone(),
            retry_sequence: None,
        }
    }

    /// Writes the state of the letter with this id.
    pub(super) fn headers(&self, id: u64) -> Result<Headers, InvalidHeader> {
        let mut headers = Headers::new();
        headers.insert(STATE, escaped(self.status.as_str(), 64))?;
        headers.insert(ID, id.to_string())?;
        write_audit(
            &mut headers,
            self.at,
            self.by.as_deref(),
            self.note.as_deref(),
        )?;
        if let Some(sequence) = self.retry_sequence {
            headers.insert(RETRY_SEQUENCE, sequence.to_string())?;
        }
        Ok(headers)
    }

    /// Reads a state, and the id of its letter.
    pub(super) fn read(headers: &Headers) -> Option<(u64, Self)> {
        let state = Self {
            status: LetterStatus::from_text(headers.get(STATE)?),
            at: wire::read_time(headers, AT),
            by: headers.get(BY).map(unescaped),
            note: headers.get(NOTE).map(unescaped),
            retry_sequence: wire::read_number(headers, RETRY_SEQUENCE),
        };
        Some((wire::read_number(headers, ID)?, state))
    }
}
