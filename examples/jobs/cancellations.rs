//! Cancellations: which jobs are no longer wanted, as far as this process has heard.

use std::collections::HashSet;
use std::future::pending;
use std::time::Duration;

use event_sdk::transport::Error;
use event_sdk::{EventBus, Subscriber};
use tokio::sync::watch;

use crate::bus::ACK_WAIT;
use crate::events::JobCancelled;

/// How long an event that this program is too old for is put back.
const TOO_EARLY: Duration = Duration::from_secs(30);

/// Jobs that were cancelled. Workers share it.
#[derive(Debug, Clone)]
pub(crate) struct Cancellations(watch::Receiver<HashSet<String>>);

impl Cancellations {
    /// Whether the job was cancelled.
    pub(crate) fn has(&self, job: &str) -> bool {
        self.0.borrow().contains(job)
    }

    /// Waits until the job is cancelled, which may be never. Cancel-safe.
    pub(crate) async fn of(&self, job: &str) {
        let mut jobs = self.0.clone();
        if jobs.wait_for(|jobs| jobs.contains(job)).await.is_err() {
            // Nobody listens any more.
            pending::<()>().await;
        }
    }
}

/// Hears of cancellations.
#[derive(Debug)]
pub(crate) struct Listener {
    events: Subscriber<JobCancelled>,
    jobs: watch::Sender<HashSet<String>>,
}

/// Subscribes: it has all cancellations, from the oldest on.
///
/// # Errors
///
/// When it cannot be subscribed to.
pub(crate) async fn open(bus: &EventBus) -> Result<(Cancellations, Listener), Error> {
    let events = bus.subscribe::<JobCancelled>().ack_wait(ACK_WAIT).await?;
    let (jobs, heard) = watch::channel(HashSet::new());
    Ok((Cancellations(heard), Listener { events, jobs }))
}

impl Listener {
    /// Listens until the bus is closed.
    ///
    /// # Errors
    ///
    /// When an event cannot be received.
    pub(crate) async fn listen(mut self) -> Result<(), Error> {
        while let Some(delivery) = self.events.next().await {
            let delivery = delivery?;
            match delivery.decode() {
                Ok(event) => {
                    self.jobs.send_if_modified(|jobs| jobs.insert(event.job));
                }
                Err(error) => {
                    delivery.refuse(&error, TOO_EARLY).await?;
                    continue;
                }
            }
            match delivery.ack().await {
                Err(error) if !error.is_transient() => return Err(error),
                // Otherwise it is delivered again, and is known.
                _ => {}
            }
        }
        Ok(())
    }
}
