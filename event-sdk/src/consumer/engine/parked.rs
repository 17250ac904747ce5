//! Events that wait for their keys in the park: those of a dead key, and those of a held key beyond a
//! quarter of `max_ack_pending`. Decides which event of such a key is next.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk_core::Subject;
use event_sdk_core::transport::{DeliveryInfo, Error, Settlement};
use futures_util::StreamExt as _;

use super::Engine;
use super::entry::{Entry, State};
use super::keys::Key;
use super::outcome::ParkEnd;
use super::parking::{FromPark, Line, Next};
use crate::consumer::held::{Held, Parked};
use crate::dead_letters::{
    DeadKey, DeadLetter, ParkedEvent, Redriven, ReleaseOutcome, ReleaseRequest,
};
use crate::subscribe::End;

/// How long the park is not asked after a failure; doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The pause after so many failures before this one.
pub(super) fn pause_after(failures: u32) -> Duration {
    let doubled = 1_u32 << failures.min(5);
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

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
        let position = position_of(entry);
        if let Some(position) = position.filter(|it| line.first().is_some_and(|at| *it >= at)) {
            if line.dead == Some(position) {
                // Its letter is stored.
                self.settle(id, Settlement::Ack);
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
        let parkable = |id| {
            held.get(id)
                .is_some_and(|entry| position_of(entry).is_some())
        };
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
        entry.parks = true;
        entry.letter = Some(Arc::new(super::letters::to_park(entry)));
        if let (Some(line), Some(position)) = (self.parking.lines.get_mut(key), position_of(entry))
        {
            line.append(position);
        }
        self.write_letter(id);
    }

    /// An event is in the park.
    pub(super) fn has_parked(&mut self, id: usize) {
        self.report.parked += 1;
        self.leaves_memory(id, Line::appended);
        self.settle(id, Settlement::Ack);
    }

    /// An event that was to be put into the park goes back to the stream.
    pub(super) fn is_not_parked(&mut self, id: usize) {
        self.leaves_memory(id, Line::not_appended);
    }

    fn leaves_memory(&mut self, id: usize, tell: fn(&mut Line, u64)) {
        let Some(entry) = self.held.get(id) else {
            return;
        };
        let (Some(position), Some(key)) = (position_of(entry), entry.key.clone()) else {
            return;
        };
        if let Some(line) = self.parking.lines.get_mut(&key) {
            tell(line, position);
            self.advance(&key);
        }
    }

    /// The letter of an event is stored, and holds its key.
    pub(super) fn key_died(&mut self, id: usize) {
        if self.drain_until.is_some() {
            return;
        }
        let Some(entry) = self.held.get(id) else {
            return;
        };
        let (Some(position), Some(key)) = (position_of(entry), entry.key.clone()) else {
            return;
        };
        self.open_line(&key).dead = Some(position);
        self.wake_by(self.now);
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
             max_ack_pending, and may stop all others: set single_active, and keep dead letters in a \
             stream, so that they wait there (this is said once)"
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
            && position_of(entry).is_none_or(|it| first.is_none_or(|first| it < first))
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
        let parkable = |id| {
            held.get(id)
                .is_some_and(|entry| position_of(entry).is_some())
        };
        let taken = self.keys.take_back(key, usize::MAX, parkable);
        for id in taken.into_iter().rev() {
            self.park(id, key);
        }
        self.keys.release(key, 0);
        self.look_by(now);
    }

    /// Reads an event of the park, and then handles it.
    fn load(&mut self, key: &Key, event: ParkedEvent) {
        let Some(park) = self.parking.park().map(Arc::clone) else {
            return;
        };
        let key = key.clone();
        self.parking.pending.push(Box::pin(async move {
            let loaded = park.load(&event).await;
            FromPark::Loaded(key, event, loaded)
        }));
    }

    /// Reads which events of keys are in the park.
    fn read_lines(&mut self) {
        if self.parking.reading || self.parking.to_read.is_empty() {
            return;
        }
        let Some(park) = self.parking.park().map(Arc::clone) else {
            return;
        };
        let keys = std::mem::take(&mut self.parking.to_read);
        for key in &keys {
            if let Some(line) = self.parking.lines.get_mut(key) {
                line.ask();
            }
        }
        self.parking.reading = true;
        self.parking.pending.push(Box::pin(async move {
            let read = match (&*keys, keys.first().and_then(Key::dead)) {
                ([_], Some(key)) => {
                    let events = park.events(&key).await;
                    events.map(|events| [(key, events)].into())
                }
                _ => park.events_by_key().await,
            };
            FromPark::Read(keys, read)
        }));
    }

    /// Takes the answers of the park.
    pub(super) fn poll_parking(&mut self, cx: &mut Context<'_>) -> bool {
        if self.parking.options.is_none() {
            return false;
        }
        if self.parking.waits_for_gates && !self.gate_is_closed() {
            self.parking.waits_for_gates = false;
            let keys: Vec<_> = self.parking.lines.keys().cloned().collect();
            for key in keys {
                self.advance(&key);
            }
        }
        let mut moved = false;
        loop {
            self.read_lines();
            if self.parking.pending.is_empty() {
                return moved;
            }
            let Poll::Ready(Some(answer)) = self.parking.pending.poll_next_unpin(cx) else {
                return moved;
            };
            moved = true;
            match answer {
                FromPark::Read(keys, read) => self.lines_read(keys, read),
                FromPark::Loaded(key, event, loaded) => self.loaded(&key, event, loaded),
                FromPark::Requests(requests) => self.requests_read(requests),
                FromPark::Answered => {}
            }
        }
    }

    fn lines_read(
        &mut self,
        keys: Vec<Key>,
        read: Result<std::collections::HashMap<DeadKey, Vec<ParkedEvent>>, Error>,
    ) {
        self.parking.reading = false;
        match read {
            Ok(mut read) => {
                for key in keys {
                    let events = key.dead().and_then(|key| read.remove(&key));
                    if let Some(line) = self.parking.lines.get_mut(&key) {
                        line.read(events.unwrap_or_default());
                        self.go_on(&key);
                    }
                }
            }
            Err(error) => {
                for key in keys {
                    if let Some(line) = self.parking.lines.get_mut(&key) {
                        line.not_read();
                        self.pause_line(&key, &error);
                    }
                }
            }
        }
    }

    /// An event of the park was read: it is handled as others are.
    fn loaded(&mut self, key: &Key, event: ParkedEvent, loaded: Result<Option<DeadLetter>, Error>) {
        let Some(line) = self.parking.lines.get_mut(key) else {
            return;
        };
        let letter = match loaded {
            Ok(Some(letter)) => letter,
            Ok(None) => {
                line.forget_events();
                return self.go_on(key);
            }
            Err(error) => {
                // It may have been given up meanwhile.
                line.forget_events();
                return self.pause_line(key, &error);
            }
        };
        let attempt = if line.suspect { 2 } else { 1 };
        let redriven = event
            .failed
            .then(|| redriven(&letter, &event, line.request.as_ref()));
        let subject = match Subject::parse(letter.origin.subject.clone()) {
            Ok(subject) => subject,
            Err(invalid) => {
                let reason = format!("the subject of a parked event: {invalid}");
                let kind = event_sdk_core::ErrorKind::InvalidSubject;
                let error = Error::new(kind, event_sdk_core::transport::Operation::Read, reason);
                line.forget_events();
                return self.pause_line(key, &error);
            }
        };
        let info = DeliveryInfo {
            stream: Some(letter.origin.stream.clone()),
            sequence: Some(event.position),
            attempt,
            number: None,
            stored_at: None,
            pending: None,
        };
        let restored =
            |sources: &super::Sources| sources.restored(subject, letter.headers, letter.body, info);
        let Some(delivery) = self.sources.as_ref().and_then(restored) else {
            return;
        };
        let stream = self.parking.park().map(|park| park.stream().to_owned());
        let parked = Parked {
            event,
            stream: stream.unwrap_or_default().into(),
        };
        let held = Held::new(delivery, redriven.map(Box::new), Arc::clone(&self.shared));
        let id = self.hold(held.from_park(parked), Some(key.clone()));
        if let Some(entry) = self.held.get_mut(id) {
            entry.blocks_key = true;
            if !self.handlers.has(entry.held.delivery(), &self.set) {
                return self.refuse_unknown(id);
            }
        }
        if !self.is_left_out(id) {
            self.ready.push_back(id);
        }
    }

    /// The park could not be asked, or the next event cannot be handled now.
    fn pause_line(&mut self, key: &Key, error: &Error) {
        let now = self.read_clock();
        let Some(line) = self.parking.lines.get_mut(key) else {
            return;
        };
        let pause = pause_after(line.failures);
        line.failures = line.failures.saturating_add(1);
        line.paused_until = Some(now.saturating_add(pause));
        self.wake_by(now.saturating_add(pause));
        tracing::error!(
            target: crate::TRACING_TARGET,
            consumer = %self.shared.name,
            "events in the park of a key wait for {pause:?} more: {error}"
        );
    }

    /// Goes on with lines whose pause is over.
    pub(super) fn end_pauses(&mut self, now: Duration) {
        let mut over = Vec::new();
        for (key, line) in &self.parking.lines {
            match line.paused_until {
                Some(until) if until <= now => over.push(key.clone()),
                Some(until) => self.next_deadline = self.next_deadline.min(until),
                None => {}
            }
        }
        for key in over {
            if let Some(line) = self.parking.lines.get_mut(&key) {
                line.paused_until = None;
                self.go_on(&key);
            }
        }
    }
}

/// The end of an event of the park.
impl Engine {
    /// Settles an event that comes from the park.
    pub(super) fn settle_parked(&mut self, id: usize, settlement: &Settlement) {
        match settlement {
            Settlement::Nak(delay) => self.leave_in_park(id, *delay),
            Settlement::InProgress => {}
            Settlement::Ack | Settlement::AckConfirmed | Settlement::Term(_) => {
                self.finish_parked(id, ParkEnd::Handled);
            }
        }
    }

    /// The event waits in the park, at least for this time.
    fn leave_in_park(&mut self, id: usize, delay: Duration) {
        let now = self.read_clock();
        let Some(entry) = self.held.try_remove(id) else {
            return;
        };
        self.leave_breaker(id, &entry);
        let line = entry.key.as_ref();
        if let Some(line) = line.and_then(|key| self.parking.lines.get_mut(key)) {
            let until = now.saturating_add(delay);
            line.paused_until = Some(until);
            self.wake_by(until);
        }
    }

    /// Marks an event of the park, again and again until it is marked.
    pub(super) fn finish_parked(&mut self, id: usize, end: ParkEnd) {
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        let (Some(parked), Some(park)) = (entry.held.parked(), self.parking.park()) else {
            return;
        };
        entry.state = State::Settling;
        let (park, event) = (Arc::clone(park), parked.event.clone());
        let clock = Arc::clone(&self.clock);
        let consumer = self.shared.name.clone();
        self.settling.push_parked(id, end, async move {
            for failures in 0.. {
                let marked = match end {
                    ParkEnd::Handled => park.handled(&event).await,
                    ParkEnd::Replaced | ParkEnd::Dead => park.replaced(&event).await,
                };
                let Err(error) = marked else {
                    return;
                };
                let pause = pause_after(failures);
                tracing::error!(
                    target: crate::TRACING_TARGET,
                    consumer = %consumer,
                    position = event.position,
                    "the end of a parked event is written again in {pause:?}: {error}"
                );
                let until = clock.monotonic().saturating_add(pause);
                clock.sleep_until(until).await;
            }
        });
    }

    /// An event of the park is marked.
    pub(super) fn parked_settled(&mut self, id: usize, end: ParkEnd) {
        let Some(entry) = self.held.get(id) else {
            return;
        };
        let delivery = entry.held.delivery();
        delivery.settled(Some(End::Acked));
        let position = entry.held.parked().map(|parked| parked.event.position);
        if let (Some(key), Some(position)) = (entry.key.clone(), position)
            && let Some(line) = self.parking.lines.get_mut(&key)
        {
            line.leave(position);
            if end == ParkEnd::Dead {
                line.dead = Some(position);
                let request = line.request.take();
                self.answer(request, ReleaseOutcome::FailedAgain);
            }
        }
        self.delete_record(id, Some(End::Acked));
        self.forget(id);
    }
}

/// The sequence of an event among those of its stream; `None` for one that is in no order with them:
/// one that was redriven by the retry stream.
fn position_of(entry: &Entry) -> Option<u64> {
    let held = &entry.held;
    if held.redriven().is_some() && held.parked().is_none() {
        return None;
    }
    held.delivery().stream()?;
    held.delivery().sequence()
}

fn redriven(
    letter: &DeadLetter,
    event: &ParkedEvent,
    request: Option<&ReleaseRequest>,
) -> Redriven {
    Redriven {
        consumer: letter.consumer.clone(),
        origin: letter.origin.clone(),
        redrive: event.redrive,
        first_failure: Some(letter.first_failure),
        letter: event.id,
        at: request.and_then(|request| request.at),
        by: request.and_then(|request| request.by.clone()),
        note: request.and_then(|request| request.note.clone()),
        edited: false,
    }
}
