//! Events that the filters of the consumer leave out: they are acknowledged without a handler.

use event_sdk_core::transport::Settlement;

use super::Engine;
use crate::consumer::filter::Verdict;
use crate::consumer::stop::Stop;
use crate::consumer::{Failure, FailureClass};
use crate::observer::EventEnd;

impl Engine {
    /// Settles a held event that is not handled. Returns whether that is so.
    pub(super) fn is_left_out(&mut self, id: usize) -> bool {
        let Some(entry) = self.held.get(id) else {
            return true;
        };
        match self.filters.verdict(entry.held.delivery(), &self.set) {
            Verdict::Passes => false,
            Verdict::LeftOut => {
                self.count(id, EventEnd::Filtered);
                self.settle(id, Settlement::Ack);
                true
            }
            Verdict::Panicked => {
                // Neither handled, since it may have to be left out, nor lost.
                let failure = Failure::of_consumer(FailureClass::Reject, "a filter panicked");
                self.decide(id, Err(Stop::Failed(failure)));
                true
            }
        }
    }
}
