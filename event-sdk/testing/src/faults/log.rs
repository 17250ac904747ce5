//! `Fault`: the kinds of faults; `Injected`: one that was injected, and the log of them.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A kind of fault. Faults of deliveries are injected only for consumers with acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// An acknowledged delivery comes again at once, as if the acknowledgement had crossed a
    /// redelivery. Never after a confirmed acknowledgement.
    Duplicate,
    /// An acknowledged delivery comes again after a delay, when other events have been handled.
    /// Never after a confirmed acknowledgement.
    Redelivered,
    /// A delivery is lost. The event is delivered again after the next event.
    Reorder,
    /// A delivery is lost. The event is delivered again after a delay.
    Delay,
    /// An acknowledgement is lost, so that the event comes again after the ack wait. A confirmed
    /// acknowledgement fails with [`Timeout`](event_sdk::ErrorKind::Timeout), whether it was lost
    /// or took effect.
    LostAck,
    /// A publish fails with [`Disconnected`](event_sdk::ErrorKind::Disconnected), and nothing is
    /// stored.
    PublishNotStored,
    /// A publish fails with [`Disconnected`](event_sdk::ErrorKind::Disconnected) and an unknown
    /// outcome, and the event is stored.
    PublishStored,
    /// The process ends when it acknowledges: the effect of the event is done, and the event is not
    /// acknowledged. No call on the connection of the process completes any more; see
    /// [`Faults::crashed`](super::Faults::crashed).
    Crash,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Duplicate,
        Self::Redelivered,
        Self::Reorder,
        Self::Delay,
        Self::LostAck,
        Self::PublishNotStored,
        Self::PublishStored,
        Self::Crash,
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Duplicate => "duplicate",
            Self::Redelivered => "redelivered",
            Self::Reorder => "reorder",
            Self::Delay => "delay",
            Self::LostAck => "lost ack",
            Self::PublishNotStored => "publish not stored",
            Self::PublishStored => "publish stored",
            Self::Crash => "crash",
        })
    }
}

/// A fault that was injected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Injected {
    /// The kind.
    pub fault: Fault,
    /// When the fault was injected, by the clock of the [`Faults`](super::Faults).
    pub at: Duration,
    /// The message: its subject, or its stream, sequence and consumer.
    pub message: String,
}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fault, at, message } = self;
        write!(f, "at {at:?} {fault}: {message}")
    }
}

/// What was injected so far.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Vec<Injected>>);

impl Log {
    pub(super) fn add(&self, injected: Injected) {
        self.lock().push(injected);
    }

    pub(super) fn entries(&self) -> Vec<Injected> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Injected>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
