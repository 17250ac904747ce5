//! `FailedPublish`: the class of an error of a publish, as the consumer has it.

use event_sdk::transport::ErrorKind;

/// What follows a publish that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailedPublish {
    /// The message can never be published: its row is parked.
    Reject,
    /// It may succeed later: its row is sent again, as often as the retry policy says.
    Retry,
    /// The server is unavailable: all rows wait.
    OutageOfAll,
    /// The stream of the row may be away: the rows of its domain wait.
    OutageOfDomain,
}

impl FailedPublish {
    pub(super) fn of(kind: &ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidSubject
            | ErrorKind::InvalidHeader
            | ErrorKind::InvalidOption
            | ErrorKind::Encode
            | ErrorKind::TooLarge { .. }
            | ErrorKind::Unsupported(_) => Self::Reject,
            ErrorKind::Disconnected
            | ErrorKind::Closed
            | ErrorKind::Unauthenticated
            | ErrorKind::Tls => Self::OutageOfAll,
            ErrorKind::Timeout | ErrorKind::StreamFull => Self::OutageOfDomain,
            // A missing stream or permission may be repaired, and concerns no other subject.
            _ => Self::Retry,
        }
    }
}
