//! Settles an event, or gives it back; then the engine forgets it, and the next ones of its key go on.

use event_sdk_core::transport::Settlement;

use super::Engine;
use super::entry::{Entry, State};
use super::keys::Key;

impl Engine {
    /// Settles an event for good, or gives it back; the engine forgets it when the transport has
    /// taken the settlement.
    pub(super) fn settle(&mut self, id: usize, settlement: Settlement) {
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        // A request to the records has taken what is known.
        let recording = matches!(entry.state, State::Recording) && entry.known.is_none();
        entry.state = State::Settling;
        let settlement = match settlement {
            Settlement::Nak(_) if recording => return self.leave_when_recorded(id, settlement),
            Settlement::Nak(_) => self.take_back_first(id, settlement),
            settlement => Some(settlement),
        };
        if let Some(settlement) = settlement {
            self.settle_now(id, settlement);
        }
    }

    pub(super) fn settle_now(&mut self, id: usize, settlement: Settlement) {
        let is_parked = |entry: &Entry| entry.held.parked().is_some();
        if self.held.get(id).is_some_and(is_parked) {
            return self.settle_parked(id, &settlement);
        }
        let Some(settlement) = self.wait_for_earlier(id, settlement) else {
            return;
        };
        self.tell_gate(id, &settlement);
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        let Some(settler) = entry.held.delivery().settler() else {
            self.forget(id);
            return;
        };
        let end = crate::subscribe::End::of(&settlement);
        match settler.settle(settlement).try_into_ready() {
            Ok(answer) => self.settled(id, end, answer),
            Err(answer) => self.settling.push(id, end, answer),
        }
    }

    /// Removes an event, and makes the next ones of its key ready.
    pub(super) fn forget(&mut self, id: usize) {
        let Some(entry) = self.held.try_remove(id) else {
            return;
        };
        self.leave_breaker(id, &entry);
        if let (true, Some(key)) = (entry.blocks_key, &entry.key) {
            self.release(key);
        }
    }

    /// Unblocks a key, or goes on with what waits for it in the park.
    pub(super) fn release(&mut self, key: &Key) {
        if self.parking.lines.contains_key(key) {
            self.keys.ease(key);
            return self.go_on(key);
        }
        let most = self.handlers.batch().map_or(1, |batch| batch.max);
        self.ready.extend(self.keys.release(key, most));
    }
}
