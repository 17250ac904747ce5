//! `ConnectionStatus`: whether a transport is connected to its server, and why it last was not.

use jiff::Timestamp;

use crate::text::Text;

/// The state of the connections of a transport, for the health of a service.
/// [`Transport::connection_status`](super::Transport::connection_status) returns it.
///
/// Fields may be added: start with [`new`](Self::new).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionStatus {
    /// The state now.
    pub state: LinkState,
    /// When the transport was last without a connection, and why; `None` if it always had one since
    /// it was made.
    pub last_disconnect: Option<Disconnect>,
}

impl ConnectionStatus {
    /// A state without an earlier disconnect.
    #[must_use]
    pub const fn new(state: LinkState) -> Self {
        Self {
            state,
            last_disconnect: None,
        }
    }
}

/// Whether a transport is connected to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkState {
    /// All connections that the transport needs exist, or it needs none.
    Connected,
    /// A connection is missing, and is being made again.
    Disconnected,
    /// The transport is closed, or has given up: it never connects again.
    Closed,
}

/// A time without a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Disconnect {
    /// When the connection was lost, by the clock of this machine.
    pub at: Timestamp,
    /// The latest known reason: that of the loss, or of the last failed attempt to connect again. It
    /// names no server and no credential.
    pub reason: Text,
}

impl Disconnect {
    /// A time without a connection, which began at this time.
    #[must_use]
    pub fn new(at: Timestamp, reason: impl Into<Text>) -> Self {
        let reason = reason.into();
        Self { at, reason }
    }
}
