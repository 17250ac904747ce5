//! Phases of a connection (open, draining, closed), and which operations each one allows.

use std::sync::atomic::{AtomicU8, Ordering};

use event_sdk_core::transport::{Error, Operation};

/// The phase of a connection: open, draining or closed, in this order and never back.
///
/// Streams look at it under their locks, and are locked once after each change of it. So no
/// operation that a stream has let pass goes on after the change.
#[derive(Debug)]
pub(super) struct Phase(AtomicU8);

/// Everything may be done.
const OPEN: u8 = 0;
/// Nothing but publishing, scheduling, settling and coordination.
const DRAINING: u8 = 1;
/// Nothing.
const CLOSED: u8 = 2;

impl Phase {
    pub(super) const fn open() -> Self {
        Self(AtomicU8::new(OPEN))
    }

    /// Leaves nothing but publishing, scheduling, settling and coordination.
    pub(super) fn begin_drain(&self) {
        self.0.store(DRAINING, Ordering::Release);
    }

    /// Leaves nothing.
    pub(super) fn close(&self) {
        self.0.store(CLOSED, Ordering::Release);
    }

    /// Whether this may be done still.
    #[inline]
    pub(super) fn check(&self, operation: Operation) -> Result<(), Error> {
        let phase = self.0.load(Ordering::Acquire);
        let last = match operation {
            Operation::Publish
            | Operation::Settle
            | Operation::Coordinate
            | Operation::Schedule => DRAINING,
            _ => OPEN,
        };
        if phase <= last {
            return Ok(());
        }
        Err(refused(phase, operation))
    }
}

#[cold]
fn refused(phase: u8, operation: Operation) -> Error {
    if phase == CLOSED {
        Error::closed(operation)
    } else {
        Error::draining(operation)
    }
}
