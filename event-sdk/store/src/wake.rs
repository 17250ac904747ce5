//! `Wake`: tells the relays of this process that rows were committed, or that a commit is near.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// Wakes the relays of this process that publish the rows of one outbox. Clones wake the same relays.
///
/// It only saves time: a relay finds every row by polling too. Rows that other processes write are
/// found only by polling.
#[derive(Clone)]
pub struct Wake(Arc<watch::Sender<Hints>>);

/// How often something was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hints {
    /// Rows were committed.
    pub(crate) commits: u64,
    /// Rows were inserted in a transaction whose commit nobody announces.
    pub(crate) inserts: u64,
}

impl Wake {
    /// Wakes no relay yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Hints::default())))
    }

    /// Says that a transaction with rows has committed: the relays look at once.
    pub fn committed(&self) {
        self.0
            .send_modify(|hints| hints.commits = hints.commits.wrapping_add(1));
    }

    /// Says that rows were inserted, and that their transaction will commit soon: the relays look
    /// more often for a moment.
    pub fn inserted(&self) {
        self.0
            .send_modify(|hints| hints.inserts = hints.inserts.wrapping_add(1));
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Hints> {
        self.0.subscribe()
    }
}

impl Default for Wake {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wake")
            .field("relays", &self.0.receiver_count())
            .finish()
    }
}
