//! `Unasked`: why a connection has ended for good although nobody asked for that.

use event_sdk_core::transport::{Error, ErrorKind, Operation};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unasked {
    /// Too many attempts to connect have failed.
    GivenUp,
    /// The tokio runtime of the connection has ended.
    RuntimeEnded,
    /// The task of async-nats has ended, by a panic for example.
    ClientEnded,
}

impl Unasked {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::GivenUp => {
                "the connection was given up after as many attempts as allowed; connect anew"
            }
            Self::RuntimeEnded => {
                "the tokio runtime in which the connection was made has ended; connect anew in one that lives as long as the transport"
            }
            Self::ClientEnded => {
                "the task of the NATS client has ended; connect again, and look for a panic in the log"
            }
        }
    }

    pub(super) fn error(self, operation: Operation) -> Error {
        Error::new(ErrorKind::Closed, operation, self.reason())
    }
}
