//! `Settings`: the suite's patience, stress and replicas, as cases see them.

use std::time::Duration;

/// What the suite was told about time and numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// How long a case waits for one thing that it is owed.
    pub(super) patience: Duration,
    /// The ack wait within which a case handles what it received.
    pub(super) ack_wait: Duration,
    /// By how much the numbers of messages are multiplied.
    pub(super) scale: usize,
    /// How many copies streams have.
    pub(super) replicas: u8,
}
