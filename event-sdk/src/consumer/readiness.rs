//! `Readiness`: whether a consumer receives events, for a readiness probe.

use std::fmt;

use tokio::sync::watch;

/// Whether a consumer receives events. [`Consumer::readiness`](super::Consumer::readiness) makes it,
/// before the consumer is run; clones belong to the same consumer.
///
/// It is false until the subscription is bound, and true from then on. It becomes false before the
/// drain begins, while handlers still run, and stays false. With one owner or partitions, it is
/// also false while the server denies the consumer a request that it needs to own events, and the
/// consumer knows of no instance that owns them. Such a request writes a lease or heartbeat, or
/// reads those of other instances. A denied heartbeat changes nothing before the consumer has read
/// the leases for the first time.
///
/// It says nothing about lag or failures: a consumer that waits for an unavailable dependency, or
/// cannot keep up, is ready. If its process were taken out of service, nothing would be handled any
/// faster.
///
/// ```
/// # use event_sdk::{Event, EventBus};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize)]
/// # #[event(domain = "orders")]
/// # struct OrderPlaced { id: u64 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let bus = EventBus::memory();
/// let consumer = bus
///     .consumer::<OrderPlaced>("billing")
///     .on(|_: OrderPlaced, _| async { Ok(()) });
/// let mut readiness = consumer.readiness();
/// assert!(!readiness.is_ready());
///
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let running = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
/// assert_eq!(readiness.changed().await, Some(true));
/// // Here a probe over HTTP answers 200.
///
/// drop(stop);
/// assert_eq!(readiness.changed().await, Some(false));
/// running.await.unwrap().unwrap();
/// assert_eq!(readiness.changed().await, None);
/// # }
/// ```
#[derive(Clone)]
pub struct Readiness(watch::Receiver<bool>);

impl Readiness {
    pub(super) fn of(ready: &watch::Sender<bool>) -> Self {
        Self(ready.subscribe())
    }

    /// Whether the consumer receives events now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the consumer receives; `false` if it has ended, or failed, before that.
    pub(super) async fn ready(&mut self) -> bool {
        self.0.wait_for(|ready| *ready).await.is_ok()
    }

    /// Waits for a change since the last call, or since this value was made or cloned. Returns the
    /// new state; `None` when the consumer has ended and nothing changes any more.
    ///
    /// Changes that follow each other at once may be seen as one.
    ///
    /// Cancel-safe.
    pub async fn changed(&mut self) -> Option<bool> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Readiness").field(&self.is_ready()).finish()
    }
}
