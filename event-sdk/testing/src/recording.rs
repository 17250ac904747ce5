//! `Recording`: what a test bus has recorded, and what its assertions need beside it.

use std::sync::Arc;

use event_sdk::text::Text;
use event_sdk::time::SteppedClock;

use crate::failure::fail;
use crate::faults::Faults;
use crate::read_back;
use crate::recorder::Log;

/// What was recorded on a test bus.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) log: Arc<Log>,
    pub(crate) unread: Arc<read_back::Faults>,
    pub(crate) clock: SteppedClock,
    pub(crate) prefix: Text,
    pub(crate) faults: Option<Faults>,
}

impl Recording {
    /// Fails the test if an event was not read back as it was written.
    #[track_caller]
    pub(crate) fn check_read_back(&self) {
        let faults = self.unread.take();
        if !faults.is_empty() {
            fail(&format!(
                "an event cannot read what it writes:\n  {}",
                faults.join("\n  ")
            ));
        }
    }

    /// The seed and the injected faults, for the end of a message; empty without faults.
    pub(crate) fn fault_report(&self) -> String {
        let faults = self.faults.as_ref();
        faults.map_or_else(String::new, |faults| format!("\n{faults}"))
    }
}
