//! `RecoverError`: why a recovery could not compare or repair.

use std::fmt;

use event_sdk::text::Text;

use crate::StoreError;

/// The error of a [`Recover`](super::Recover).
#[derive(Debug)]
#[non_exhaustive]
pub enum RecoverError {
    /// The database of an outbox or inbox failed.
    Store {
        /// The name of the outbox or inbox.
        name: Text,
        /// The error.
        error: StoreError,
    },
    /// The bus failed.
    Bus(event_sdk::Error),
    /// Relays of the outbox are alive, and would publish during the repair. Stop them. A relay that
    /// was killed counts as alive until its lease has ended.
    RelaysRunning {
        /// The number of relays.
        relays: u32,
    },
    /// A consumer that has to be reset is still running: it waits for messages. Stop it.
    ConsumerRunning {
        /// The stream.
        stream: Text,
        /// The durable.
        consumer: Text,
    },
}

impl RecoverError {
    pub(super) fn store(name: &str) -> impl FnOnce(StoreError) -> Self {
        let name = Text::copy_of(name);
        move |error| Self::Store { name, error }
    }
}

impl From<event_sdk::Error> for RecoverError {
    fn from(error: event_sdk::Error) -> Self {
        Self::Bus(error)
    }
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store { name, .. } => write!(f, "the recovery cannot use {name}"),
            Self::Bus(_) => f.write_str("the recovery cannot read or change the streams"),
            Self::RelaysRunning { relays } => write!(
                f,
                "{relays} relays of the outbox are alive, and nothing was changed: stop them; one that was killed counts until its lease has ended"
            ),
            Self::ConsumerRunning { stream, consumer } => write!(
                f,
                "the consumer {consumer} of {stream} is running, and was not changed: stop all instances of it"
            ),
        }
    }
}

impl std::error::Error for RecoverError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store { error, .. } => Some(error),
            Self::Bus(error) => Some(error),
            _ => None,
        }
    }
}
