//! Events that come out of the park: which are there, their bodies, and what becomes of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk_core::Subject;
use event_sdk_core::transport::{DeliveryInfo, Error, ErrorKind, Operation, Settlement};
use futures_util::StreamExt as _;

use super::Engine;
use super::entry::State;
use super::keys::Key;
use super::outcome::ParkEnd;
use super::parking::FromPark;
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

impl Engine {
    /// Reads an event of the park, and then handles it.
    pub(super) fn load(&mut self, key: &Key, event: ParkedEvent) {
        let Some(park) = self.parking.park().map(Arc::clone) else {
            return;
        };
        let key = key.clone();
        self.parking.pending.push(Box::pin(async move {
            let loaded = park.load(&event).await;
            FromPark::Loaded(key, event, loaded.map(|letter| letter.map(Box::new)))
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
        read: Result<HashMap<DeadKey, Vec<ParkedEvent>>, Error>,
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
    fn loaded(
        &mut self,
        key: &Key,
        event: ParkedEvent,
        loaded: Result<Option<Box<DeadLetter>>, Error>,
    ) {
        let Some(line) = self.parking.lines.get_mut(key) else {
            return;
        };
        let letter = match loaded {
            Ok(Some(letter)) => *letter,
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
                let kind = ErrorKind::InvalidSubject;
                let error = Error::new(kind, Operation::Read, reason);
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
        let id = self.hold(held.in_park(parked), Some(key.clone()));
        if let Some(entry) = self.held.get_mut(id) {
            entry.blocks_key = true;
            entry.chosen = self.handlers.choose(entry.held.delivery(), &self.set);
            if entry.chosen.is_none() {
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
            // It is settled for good.
            _ => self.finish_parked(id, ParkEnd::Handled),
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
