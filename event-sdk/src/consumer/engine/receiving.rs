//! What an engine does with what it receives: an event starts at once, or is held and waits for its
//! turn in the order of its key.

use std::sync::Arc;
use std::task::{Context, Poll};

use event_sdk_core::Subject;

use super::keys::{Admission, Key};
use super::sources::Source;
use super::{Engine, keys};
use crate::consumer::held::Held;
use crate::consumer::{Failure, FailureClass};
use crate::dead_letters::{DeadLetterClass, Redriven};
use crate::raw::Untyped;
use crate::subscribe::Delivery;

/// What a subscription had for the engine.
pub(super) enum Received {
    Nothing,
    /// An event that was handled and acknowledged at once, or waits for its batch: another one may be
    /// received in the same pass.
    OneOfSeveral,
    /// Something else, which the engine holds or has dealt with.
    Item,
}

impl Engine {
    /// Receives one item, if there is room for another event, and further ones after events that are
    /// done at once or wait for their batch. Each of those takes one of the `steps`.
    pub(super) fn poll_receive(&mut self, cx: &mut Context<'_>, steps: &mut usize) -> bool {
        let mut moved = false;
        loop {
            match self.receive_one(cx) {
                Received::Nothing => return moved,
                Received::Item => return true,
                Received::OneOfSeveral if *steps == 0 => return true,
                Received::OneOfSeveral => *steps -= 1,
            }
            moved = true;
        }
    }

    fn receive_one(&mut self, cx: &mut Context<'_>) -> Received {
        if !self.has_room() {
            return Received::Nothing;
        }
        let Some(sources) = &mut self.sources else {
            return Received::Nothing;
        };
        let Poll::Ready(source) = sources.poll_next(cx) else {
            self.unreceived_since = None;
            return Received::Nothing;
        };
        match source {
            Source::Event(delivery) => {
                if let Some(chosen) = self.chosen_at_once(&delivery, cx) {
                    return self.handle_at_once(delivery, chosen, cx);
                }
                self.receive(delivery, None);
                if self.handlers.batch().is_some() {
                    return Received::OneOfSeveral;
                }
            }
            Source::Redriven(delivery) => self.receive_redriven(delivery),
            Source::Notice => {}
            Source::Unreadable { info, settler } => self.is_unreadable(&info, settler),
            Source::End(error) => {
                self.failed = error;
                self.begin_drain();
            }
        }
        Received::Item
    }

    /// Takes an event.
    pub(super) fn receive(&mut self, delivery: Delivery<Untyped>, redriven: Option<Box<Redriven>>) {
        if self.is_of_other_partition(&delivery) {
            return self.leave_to_other_owner(&delivery);
        }
        let chosen = self.handlers.choose(&delivery, &self.set);
        let held = Held::new(delivery, redriven, Arc::clone(&self.shared));
        let is_ordered = chosen.is_some() && self.options.ordered;
        let key = is_ordered.then(|| keys::key_of(&held, &self.set)).flatten();
        let id = self.hold(held, key.clone());
        if let Some(entry) = self.held.get_mut(id) {
            entry.chosen = chosen;
        }
        if self.passes_gate(id) {
            self.admit_as(id, chosen.is_some(), key);
        }
    }

    /// Lets an event that was held back wait for its handler.
    pub(super) fn admit(&mut self, id: usize) {
        if let Some(entry) = self.held.get(id) {
            let known = entry.chosen.is_some();
            self.admit_as(id, known, entry.key.clone());
        }
    }

    /// Lets an event wait for its handler, in the order of its key.
    fn admit_as(&mut self, id: usize, known: bool, key: Option<Key>) {
        if !known {
            self.refuse_unknown(id);
            return;
        }
        if self.is_left_out(id) {
            return;
        }
        let Some(key) = key else {
            return self.ready.push_back(id);
        };
        if self.joins_line(id, &key) {
            return;
        }
        match self.keys.admit(&key, self.place(id)) {
            Admission::Ready => self.ready.push_back(id),
            Admission::Waits => {}
            Admission::Behind(others) => self.limit_key(&key, others + 1),
        }
    }

    /// Takes an event that was a dead letter, under its original subject.
    fn receive_redriven(&mut self, mut delivery: Delivery<Untyped>) {
        let redriven = Redriven::from_headers(delivery.headers());
        let subject = redriven
            .as_ref()
            .map(|redriven| Subject::parse(redriven.origin.subject.clone()));
        if let (Some(redriven), Some(Ok(subject))) = (redriven, subject) {
            delivery.set_subject(subject);
            self.receive(delivery, Some(Box::new(redriven)));
        } else if self.is_of_other_partition(&delivery) {
            self.leave_to_other_owner(&delivery);
        } else {
            let held = Held::new(delivery, None, Arc::clone(&self.shared));
            let id = self.hold(held, None);
            if !self.passes_gate(id) {
                return;
            }
            let text = "a message of the retry stream without the headers of a redrive".to_owned();
            let failure = Failure::described(FailureClass::Reject, text);
            self.give_up(id, &failure, DeadLetterClass::Unreadable);
        }
    }
}
