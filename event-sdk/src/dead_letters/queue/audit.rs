//! `Audit`: by whom and why letters are changed; and writing what became of a letter.

use event_sdk_core::transport::Error;

use super::super::area::Area;
use super::super::outgoing::{Once, Outgoing, invalid_header, publish};
use super::super::subjects::LetterSubject;
use super::DeadLetterQueue;
use super::state::{LetterState, LetterStatus};

/// By whom and why letters are redriven, edited or archived. It is stored in headers.
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

    /// Adds the reason. Do not write personal data: lists show it.
    #[must_use]
    pub fn because(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

impl DeadLetterQueue {
    /// A state that begins now.
    pub(super) fn state_now(&self, status: LetterStatus, audit: &Audit) -> LetterState {
        LetterState {
            status,
            at: Some(self.bus.clock().now()),
            by: audit.by.clone(),
            note: audit.note.clone(),
            retry_sequence: None,
        }
    }

    /// Writes what became of a letter, if `last` is still the last that was written of it.
    pub(super) async fn write_state(
        &self,
        subject: &LetterSubject,
        id: u64,
        state: &LetterState,
        last: u64,
    ) -> Result<bool, Error> {
        let message = Outgoing {
            subject: subject.text(&self.place, Area::State),
            headers: state.headers(id).map_err(|why| invalid_header(&why))?,
            body: bytes::Bytes::new(),
        };
        let once = publish(&self.bus, message, last).await?;
        Ok(matches!(once, Once::Stored(_)))
    }
}
