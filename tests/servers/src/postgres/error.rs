//! `Error`: failures to start or use a PostgreSQL server.

use std::{fmt, io};

use event_sdk_test_programs as programs;

use super::session::SessionError;

/// Why a server could not be started, or did not do what it was told.
///
/// `Debug` prints the same text as `Display`, since a test that unwraps shows the former.
#[derive(thiserror::Error)]
pub enum Error {
    /// There is no program to start.
    #[error(transparent)]
    Program(#[from] programs::Error),
    /// The server could not be started, or did not do what it was told.
    #[error(transparent)]
    Server(#[from] event_sdk_nats_server::Error),
    /// A session failed.
    #[error("a session failed: {0}")]
    Session(#[from] SessionError),
    /// The system refused something.
    #[error("{server}: could not {action}: {source}")]
    System {
        /// The server's name.
        server: String,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
