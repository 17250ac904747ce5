//! `InboxSuite`: selects and runs the cases of inboxes.

use std::fmt;
use std::time::Duration;

use super::harness::InboxHarness;
use super::rig::Rig;
use super::{cases, lacking};
use crate::Report;
use crate::failure::Outcome;
use crate::need::Need;
use crate::runner::{Runner, Starter, not_started, suite_settings};

/// Selects the cases of inboxes, and how they run.
#[derive(Clone)]
pub struct InboxSuite {
    runner: Runner<Rig>,
}

impl InboxSuite {
    /// Selects all cases. 4 run at a time, each with a timeout of 60 s. A case waits up to 30 s for
    /// something that only time brings, such as the end of a lease.
    #[must_use]
    pub fn new() -> Self {
        Self {
            runner: Runner::new(cases::all()),
        }
    }

    suite_settings!();

    /// Runs the cases on the inboxes that `harness` starts.
    ///
    /// Needs a tokio runtime with time enabled and not paused. A case that panics or times out has
    /// failed, and the others continue.
    ///
    /// Not cancel-safe: dropping the future leaves inboxes behind.
    pub async fn run<H: InboxHarness>(&self, harness: H) -> Report {
        self.runner.run(OfInboxes(harness)).await
    }
}

impl fmt::Debug for InboxSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxSuite")
            .field("runner", &self.runner)
            .finish()
    }
}

impl Default for InboxSuite {
    fn default() -> Self {
        Self::new()
    }
}

struct OfInboxes<H>(H);

impl<H: InboxHarness> Starter<Rig> for OfInboxes<H> {
    fn has(&self, need: Need) -> bool {
        self.0.has(need)
    }

    async fn start(&self, patience: Duration) -> Outcome<Rig> {
        let inbox = self.0.start().await;
        let inbox = inbox.map_err(|error| not_started(&error, "inbox"))?;
        Rig::new(inbox, patience)
    }

    async fn check_lack(rig: Rig, need: Need) -> Outcome {
        lacking::check(rig, need).await
    }
}
