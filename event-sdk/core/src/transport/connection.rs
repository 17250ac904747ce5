//! `ConnectionStatus`: whether a transport is connected to its server, why it last was not, and when its
//! certificates expire.

use std::fmt;

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
    /// When the present connection for publishing was made, by the clock of this machine; `None`
    /// without a connection, and on a transport without a server.
    pub connected_at: Option<Timestamp>,
    /// The certificates of the connections; empty without TLS.
    pub certificates: Vec<Certificate>,
}

impl ConnectionStatus {
    /// A state without an earlier disconnect.
    #[must_use]
    pub const fn new(state: LinkState) -> Self {
        Self {
            state,
            last_disconnect: None,
            connected_at: None,
            certificates: Vec::new(),
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
    /// The latest known reason: why the connection was lost, or why the last attempt to connect
    /// again failed. It names no server and no credential.
    pub reason: Text,
}

impl Disconnect {
    /// A time without a connection that began at this time, for this reason.
    #[must_use]
    pub fn new(at: Timestamp, reason: impl Into<Text>) -> Self {
        let reason = reason.into();
        Self { at, reason }
    }
}

/// The certificate of one side of the connections.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// The side to which the certificate belongs.
    pub owner: CertificateOwner,
    /// When the certificate expires, or why that is not known. Of several connections, the earliest
    /// time counts. Certificates of authorities that are sent with it do not count.
    pub expires_at: Result<Timestamp, Text>,
    /// When the server showed the certificate, in a handshake that succeeded; it may have a new one
    /// since then. `None` for the client's certificate, which is read again.
    pub shown_at: Option<Timestamp>,
}

impl Certificate {
    /// A certificate of this side.
    #[must_use]
    pub const fn new(owner: CertificateOwner, expires_at: Result<Timestamp, Text>) -> Self {
        Self {
            owner,
            expires_at,
            shown_at: None,
        }
    }

    /// Sets the time at which the certificate was shown.
    #[must_use]
    pub const fn shown_at(mut self, at: Timestamp) -> Self {
        self.shown_at = Some(at);
        self
    }
}

/// The side of a connection that shows a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateOwner {
    /// The server.
    Server,
    /// This client.
    Client,
}

impl fmt::Display for CertificateOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Client => "client",
        })
    }
}
