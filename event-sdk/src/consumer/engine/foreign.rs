//! Events of other partitions: each owner receives them too, and acknowledges them unread.

use event_sdk_core::transport::{Error, Settlement};

use super::Engine;
use crate::raw::Untyped;
use crate::subscribe::Delivery;

impl Engine {
    /// Acknowledges an event that the owner of another partition handles, by its own durable. That is
    /// right whether this instance is still the owner or not: no owner of this durable handles it.
    pub(super) fn leave_to_other_owner(&mut self, delivery: &Delivery<Untyped>) {
        self.report.of_other_partitions += 1;
        self.passes_by_gate(delivery.info());
        let Some(settler) = delivery.settler() else {
            return;
        };
        match settler.settle(Settlement::Ack).try_into_ready() {
            Ok(answer) => self.kept_alive(&answer),
            Err(answer) => {
                if let Some(leaving) = self.leaving() {
                    *leaving += 1;
                }
                self.settling.push_foreign(answer);
            }
        }
    }

    /// The transport has taken such an acknowledgement. If it has not, the event comes again.
    pub(super) fn has_left(&mut self, answer: &Result<(), Error>) {
        if let Some(leaving) = self.leaving() {
            *leaving = leaving.saturating_sub(1);
        }
        self.kept_alive(answer);
    }
}
