//! Events that wait for their keys in the park: those of a dead key, and those of a held key beyond a
//! quarter of `max_ack_pending`. Decides which event of such a key is next.

use std::sync::Arc;

use super::Engine;
use super::keys::Key;
use super::letters::ELSEWHERE;
use super::parking::{Line, Next};
use crate::dead_letters::ReleaseOutcome;
use crate::observer::EventEnd;

/// Events that arrive.
impl Engine {
    /// Takes an event whose key has events in the park. Returns whether that is so.
    pub(super) fn joins_line(&mut self, id: usize, key: &Key) -> bool {
        if self.parking.lines.is_empty() {
            return false;
        }
        let place = self.place(id);
        let (Some(line), Some(entry)) = (self.parking.lines.get(key), self.held.get(id)) else {
            return false;
        };
        let position = entry.position();
        if let Some(position) = position.filter(|it| line.first().is_some_and(|at| *it >= at)) {
            if line.dead == Some(position) {
                // Its letter is stored.
                self.settle(id, ELSEWHERE);
                return true;
            }
            // One that was delivered before may be in the park already.
            let again = entry.held.delivery().attempt() > 1;
            let waiting = self.keys.len(key) + 1;
            let places = if self.keys.is_held(key) {
                self.parking.allowance(key, self.held.len())
            } else {
                self.parking.quarter(key)
            };
            if line.dead.is_some() || again || waiting >= places {
                self.park(id, key);
                return true;
            }
        }
        self.keys.wait(key, place);
        self.advance(key);
        true
    }

    /// The event cannot be handled now, and holds its key.
    pub(super) fn hold_key(&mut self, id: usize) {
        let entry = self.held.get(id).filter(|entry| entry.blocks_key);
        let Some(key) = entry.and_then(|entry| entry.key.clone()) else {
            return;
        };
        let taken = self.keys.hold(&key);
        self.limit_key(&key, taken);
    }

    /// A held key takes so many places: what is more than a quarter goes to the park.
    pub(super) fn limit_key(&mut self, key: &Key, taken: usize) {
        if self.options.ack_all {
            // One in the park would keep its place behind the event that holds the key.
            return;
        }
        if self.parking.park().is_none() {
            if taken > self.parking.quarter(key) {
                self.warn_of_crowd();
            }
            return;
        }
        let places = self.parking.allowance(key, self.held.len());
        if taken <= places {
            return;
        }
        if !self.parking.lines.contains_key(key) {
            self.open_line(key);
        }
        let excess = (self.keys.len(key) + 1).saturating_sub(places);
        let held = &self.held;
        let parkable = |id| held.get(id).is_some_and(|entry| entry.position().is_some());
        let taken = self.keys.take_back(key, excess, parkable);
        for id in taken.into_iter().rev() {
            self.park(id, key);
        }
    }

    /// From now on, the events of this key are in one line with those in the park.
    fn open_line(&mut self, key: &Key) -> &mut Line {
        // Those that are ready come before.
        let mut ready = std::mem::take(&mut self.ready);
        ready.retain(|id| {
            let waits = self.held.get(*id).filter(|entry| !entry.blocks_key);
            let Some(entry) = waits.filter(|entry| entry.key.as_ref() == Some(key)) else {
                return true;
            };
            let arrival = entry.arrival;
            self.keys.wait(key, super::keys::Place { arrival, id: *id });
            false
        });
        self.ready = ready;
        self.parking.lines.entry(key.clone()).or_default()
    }

    /// Puts an event into the park of its key, and then acknowledges it.
    fn park(&mut self, id: usize, key: &Key) {
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        entry.letter = Some(Arc::new(super::letters::to_park(entry)));
        if let (Some(line), Some(position)) = (self.parking.lines.get_mut(key), entry.position()) {
            line.append(position);
        }
        self.write_letter(id);
    }

    /// An event is in the park.
    pub(super) fn has_parked(&mut self, id: usize) {
        self.count(id, EventEnd::Parked);
        self.leaves_memory(id, Line::appended);
        self.settle(id, ELSEWHERE);
    }

    /// An event that was to be put into the park goes back to the stream.
    pub(super) fn is_not_parked(&mut self, id: usize) {
        self.leaves_memory(id, Line::not_appended);
    }

    fn leaves_memory(&mut self, id: usize, tell: fn(&mut Line, u64)) {
        let Some(entry) = self.held.get(id) else {
            return;
        };
        let (Some(position), Some(key)) = (entry.position(), entry.key.clone()) else {
            return;
        };
        if let Some(line) = self.parking.lines.get_mut(&key) {
            tell(line, position);
            self.advance(&key);
        }
    }

    /// The letter of an event is stored, and holds its key. Unless it was stored before, and is closed:
    /// the park is asked.
    pub(super) fn key_died(&mut self, id: usize) {
        if self.drain_until.is_some() {
            return;
        }
        let Some(entry) = self.held.get(id) else {
            return;
        };
        let (Some(position), Some(key)) = (entry.position(), entry.key.clone()) else {
            return;
        };
        self.open_line(&key).add(position);
        self.advance(&key);
    }

    fn warn_of_crowd(&mut self) {
        if std::mem::replace(&mut self.parking.warned, true) {
            return;
        }
        tracing::warn!(
            target: crate::TRACING_TARGET,
            consumer = %self.shared.name,
            "events that wait for a key whose handler fails take more than a quarter of \
             max_ack_pending, and may stop all others: raise it, or set single_active (without \
             partitions) and keep dead letters in a stream, so that they wait there (this is said once)"
        );
    }
}

/// The next event of a key.
impl Engine {
    /// Goes on with a key that is not blocked.
    pub(super) fn advance(&mut self, key: &Key) {
        let waits = self.parking.waits_for_gates || self.drain_until.is_some();
        if !waits && self.keys.occupy(key) {
            self.go_on(key);
        }
    }

    /// Makes the next event of a key with a line ready. Nothing else blocks the key now.
    pub(super) fn go_on(&mut self, key: &Key) {
        let now = self.now;
        let Some(line) = self.parking.lines.get_mut(key) else {
            return;
        };
        let next = line.next();
        if matches!(next, Next::Nothing) {
            let request = line.request.take();
            self.parking.lines.remove(key);
            self.answer(request, ReleaseOutcome::Alive);
            return self.release(key);
        }
        let first = line.first();
        if let Some(id) = self.keys.front(key)
            && let Some(entry) = self.held.get_mut(id)
            && entry
                .position()
                .is_none_or(|it| first.is_none_or(|first| it < first))
        {
            self.keys.take_front(key);
            entry.blocks_key = true;
            return self.ready.push_back(id);
        }
        if line.paused_until.is_some_and(|until| until > now) {
            return;
        }
        line.paused_until = None;
        match next {
            Next::Unread => self.parking.to_read.push(key.clone()),
            Next::Event(event) => {
                let request = line.request.as_ref();
                let covered = request.is_some_and(|it| it.covers(&event));
                if event.failed && !covered {
                    line.dead = Some(event.position);
                    let request = line.request.take();
                    self.answer(request, ReleaseOutcome::FailedAgain);
                    return self.rest_dead(key);
                }
                self.load(key, event);
            }
            Next::Dead => self.rest_dead(key),
            // It goes on when that is done.
            Next::Appending | Next::Nothing => drop(self.keys.release(key, 0)),
        }
    }

    /// The events of a dead key that are held here go to the park.
    fn rest_dead(&mut self, key: &Key) {
        let now = self.now;
        let held = &self.held;
        let parkable = |id| held.get(id).is_some_and(|entry| entry.position().is_some());
        let taken = self.keys.take_back(key, usize::MAX, parkable);
        for id in taken.into_iter().rev() {
            self.park(id, key);
        }
        self.keys.release(key, 0);
        self.look_by(now);
    }
}
