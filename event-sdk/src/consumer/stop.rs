//! `Stop`: why an attempt did not succeed: its handler failed, or could not read the event.

use std::pin::Pin;

use super::Failure;
use crate::message::DecodeError;

/// Why an attempt did not succeed.
#[derive(Debug)]
pub(super) enum Stop {
    Failed(Failure),
    /// The message is not an event that the handler reads.
    Unreadable(DecodeError),
}

impl Stop {
    /// Its kind, for a span.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Failed(failure) => failure.class().as_str(),
            Self::Unreadable(_) => "unreadable",
        }
    }
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Self {
        Self::Unreadable(error)
    }
}

pub(super) type Running = Pin<Box<dyn Future<Output = Result<(), Stop>> + Send>>;
