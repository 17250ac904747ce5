//! The state of the connection.

/// Whether there is a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// There is one.
    Connected,
    /// It was lost, and is being made anew.
    Disconnected,
    /// It was closed for good.
    Closed,
}
