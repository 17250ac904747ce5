//! `DeadLetterClass`: why a consumer gave up an event, as it is written to a header.

use std::fmt;

use event_sdk_core::shown::Shown;
use event_sdk_core::text::Text;

/// The reason why an event became a dead letter.
///
/// Its text (`retry-exhausted`) is the value of the header `Dead-Letter-Class`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DeadLetterClass {
    /// Every attempt failed, and no attempt is left.
    RetryExhausted,
    /// The handler rejected the event: no further attempt can succeed.
    Rejected,
    /// The message is not a readable event of its subject.
    Unreadable,
    /// The consumer does not know the event or its version, and no instance knew it in time.
    UnknownEvent,
    /// The process ended each time while the handler ran, also when it ran alone.
    KilledProcess,
    /// The server stopped delivering the event: its consumer has a finite `max_deliver`.
    MaxDeliveries,
    /// Another client of the consumer terminated the message.
    Terminated,
    /// The event did not fail. It waits for an earlier event of its key, in a
    /// [`Park`](super::Park).
    Parked,
    /// Another class, written by another client or by a newer version.
    Other(Text),
}

impl DeadLetterClass {
    /// The text of the class.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::RetryExhausted => "retry-exhausted",
            Self::Rejected => "rejected",
            Self::Unreadable => "unreadable",
            Self::UnknownEvent => "unknown-event",
            Self::KilledProcess => "killed-process",
            Self::MaxDeliveries => "max-deliveries",
            Self::Terminated => "terminated",
            Self::Parked => "parked",
            Self::Other(text) => text,
        }
    }

    /// The class with this text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let known = [
            Self::RetryExhausted,
            Self::Rejected,
            Self::Unreadable,
            Self::UnknownEvent,
            Self::KilledProcess,
            Self::MaxDeliveries,
            Self::Terminated,
            Self::Parked,
        ];
        known
            .into_iter()
            .find(|class| class.as_str() == text)
            .unwrap_or_else(|| Self::Other(Text::copy_of(text)))
    }
}

impl fmt::Display for DeadLetterClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(self.as_str(), 64).fmt(f)
    }
}
