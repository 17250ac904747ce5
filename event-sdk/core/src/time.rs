//! `Clock` and `IdSource`: the traits by which time and event ids can be replaced in tests.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

/// A future that completes at a deadline.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// The clock of a bus and of its transport.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current time of day, for timestamps.
    fn now(&self) -> Timestamp;

    /// The time for which this clock has run, for deadlines and ages; it never decreases.
    fn monotonic(&self) -> Duration;

    /// The time for which the machine was suspended (asleep or hibernated) since this clock began
    /// to run, as far as [`monotonic`](Self::monotonic) does not count it. It is accurate to a few
    /// milliseconds. Leases are measured by the sum of both times.
    ///
    /// The default is zero: [`monotonic`](Self::monotonic) counts everything, or the clock cannot
    /// tell.
    fn suspended(&self) -> Duration {
        Duration::ZERO
    }

    /// Waits until [`monotonic`](Self::monotonic) has reached `deadline`.
    ///
    /// Dropping the future ends the wait and has no other effect.
    fn sleep_until(&self, deadline: Duration) -> Sleep;
}

/// A recent reading of a clock, which users of the same clock can reuse.
///
/// Both the publisher and the stream of an event need the time. In one process, this saves the
/// second reading.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    clock: &'a Arc<dyn Clock>,
    now: Timestamp,
}

impl<'a> Reading<'a> {
    /// Reads the time of day.
    #[must_use]
    pub fn of(clock: &'a Arc<dyn Clock>) -> Self {
        let now = clock.now();
        Self { clock, now }
    }

    /// The time that was read.
    #[must_use]
    pub fn now(self) -> Timestamp {
        self.now
    }

    /// The time that was read, if `clock` is the same clock.
    #[must_use]
    pub fn by(self, clock: &Arc<dyn Clock>) -> Option<Timestamp> {
        Arc::ptr_eq(self.clock, clock).then_some(self.now)
    }
}

/// Generates event ids.
pub trait IdSource: fmt::Debug + Send + Sync + 'static {
    /// A new, unique id; `now` is the time of the bus's clock.
    fn next_id(&self, now: Timestamp) -> Uuid;
}
