//! `Limits` of publishing: how many publishes may wait for their acks, and how long they wait.

use std::time::Duration;

/// How much may be on the way, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How many messages may wait for their acks at a time.
    pub(crate) in_flight: usize,
    /// How long an ack is awaited.
    pub(crate) ack: Duration,
    /// How long a message waits for a connection.
    pub(crate) connection: Duration,
}
