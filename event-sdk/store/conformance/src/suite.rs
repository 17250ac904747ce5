//! `Suite`: selects and runs the cases of outboxes.

use std::fmt;
use std::time::Duration;

use crate::failure::Outcome;
use crate::need::Need;
use crate::rig::Rig;
use crate::runner::{Runner, Starter, not_started, suite_settings};
use crate::{Harness, Report, cases, lacking};

/// Selects the cases of outboxes, and how they run.
#[derive(Clone)]
pub struct Suite {
    runner: Runner<Rig>,
}

impl Suite {
    /// Selects all cases. 4 run at a time, each with a timeout of 60 s. A case waits up to 30 s for
    /// something that only time brings, such as the end of a lease.
    #[must_use]
    pub fn new() -> Self {
        Self {
            runner: Runner::new(cases::all()),
        }
    }

    suite_settings!();

    /// Runs the cases on the outboxes that `harness` starts.
    ///
    /// Needs a tokio runtime with time enabled and not paused. A case that panics or times out has
    /// failed, and the others continue.
    ///
    /// Not cancel-safe: dropping the future leaves outboxes behind.
    pub async fn run<H: Harness>(&self, harness: H) -> Report {
        self.runner.run(OfOutboxes(harness)).await
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("runner", &self.runner)
            .finish()
    }
}

impl Default for Suite {
    fn default() -> Self {
        Self::new()
    }
}

struct OfOutboxes<H>(H);

impl<H: Harness> Starter<Rig> for OfOutboxes<H> {
    fn has(&self, need: Need) -> bool {
        self.0.has(need)
    }

    async fn start(&self, patience: Duration) -> Outcome<Rig> {
        let outbox = self.0.start().await;
        let outbox = outbox.map_err(|error| not_started(&error, "outbox"))?;
        Ok(Rig::new(outbox, patience))
    }

    async fn check_lack(rig: Rig, need: Need) -> Outcome {
        lacking::check(rig, need).await
    }
}
