//! `Clock` and `IdSource`: the traits by which time and event ids can be replaced in tests.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

/// A future that wakes its task when an instant has come.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// The clock of a bus and of its transport.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// What time of day it is, for timestamps.
    fn now(&self) -> Timestamp;

    /// How long this clock has run, for deadlines and ages; it never goes back.
    fn monotonic(&self) -> Duration;

    /// Waits until [`monotonic`](Self::monotonic) has reached `deadline`.
    ///
    /// Dropping the future ends the wait and has no other effect.
    fn sleep_until(&self, deadline: Duration) -> Sleep;
}

/// What a clock said a moment ago: whoever goes by the same clock need not ask
/// it again.
///
/// An event is dated by its publisher and by its stream. Where both are in one
/// process, that is one instant, and asking twice is the longer way to say so.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    clock: &'a Arc<dyn Clock>,
    now: Timestamp,
}

impl<'a> Reading<'a> {
    /// Asks the clock what time of day it is.
    #[must_use]
    pub fn of(clock: &'a Arc<dyn Clock>) -> Self {
        let now = clock.now();
        Self { clock, now }
    }

    /// What the clock said.
    #[must_use]
    pub fn now(self) -> Timestamp {
        self.now
    }

    /// What the clock said, if it was this one.
    #[must_use]
    pub fn by(self, clock: &Arc<dyn Clock>) -> Option<Timestamp> {
        Arc::ptr_eq(self.clock, clock).then_some(self.now)
    }
}

/// Makes the ids of events.
pub trait IdSource: fmt::Debug + Send + Sync + 'static {
    /// A new id, never given before; `now` is what the bus's clock says.
    fn next_id(&self, now: Timestamp) -> Uuid;
}
