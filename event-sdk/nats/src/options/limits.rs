//! `Limits` of publishing: how many publishes may wait for their acks, and how long they wait.

use std::time::Duration;

/// Limits of publishes in flight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Maximum number of publishes in flight.
    pub(crate) in_flight: usize,
    /// Maximum wait for a confirmation.
    pub(crate) ack: Duration,
    /// Maximum wait for a connection.
    pub(crate) connection: Duration,
}
