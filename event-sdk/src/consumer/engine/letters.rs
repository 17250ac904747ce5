//! Dead letters: an event that is given up is recorded in the inbox of its handlers, if they have
//! one, written to the store, and acknowledged after that.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::transport::{Error, ErrorKind, Operation, Settlement};
use futures_util::future::{Either, select};

use super::Engine;
use super::entry::{Entry, State};
use crate::consumer::{Failure, Inbox};
use crate::dead_letters::{DeadLetter, DeadLetterClass, DeadLetterStore, GivenUp, Origin};

/// How long the consumer waits before it writes a letter again; doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long the store may take for a letter.
const LONGEST_PUT: Duration = Duration::from_secs(30);

impl Engine {
    /// Gives an event up: it becomes a dead letter, or is terminated where the consumer keeps none.
    pub(super) fn give_up(&mut self, id: usize, failure: &Failure, class: DeadLetterClass) {
        if class != DeadLetterClass::RetryExhausted {
            self.note_failure(id, failure);
        }
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        let delivery = entry.held.delivery();
        tracing::error!(
            target: crate::TRACING_TARGET,
            consumer = %self.shared.name,
            subject = %delivery.subject(),
            sequence = delivery.sequence(),
            attempts = entry.starts,
            class = %class,
            dead_letter = self.letters.is_some(),
            "event given up: {failure}"
        );
        if self.letters.is_none() && self.handlers.inbox().is_none() {
            self.report.terminated += 1;
            self.settle(id, Settlement::Term(failure.to_string()));
            return;
        }
        let letter = letter_of(entry, failure, class);
        entry.letter = Some(Arc::new(letter));
        self.write_letter(id);
    }

    /// Writes the letter of an event, at first or once more.
    pub(super) fn write_letter(&mut self, id: usize) {
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        let Some(letter) = &entry.letter else {
            return;
        };
        entry.state = State::WritingLetter;
        let letter = Arc::clone(letter);
        let (inbox, store) = (self.handlers.inbox().cloned(), self.letters.clone());
        let clock = Arc::clone(entry.held.shared().bus.clock());
        self.settling.push_letter(id, async move {
            let late = clock.sleep_until(clock.monotonic().saturating_add(LONGEST_PUT));
            let given_up = pin!(keep(inbox, store, &letter));
            match select(given_up, late).await {
                Either::Left((written, _)) => written,
                Either::Right(_) => Err(not_answered()),
            }
        });
    }

    /// The letter is stored, or could not be: then the event is kept, and the letter written again.
    pub(super) fn letter_written(&mut self, id: usize, answer: Result<GivenUp, Error>) {
        let now = self.read_clock();
        let Some(entry) = self.held.get_mut(id) else {
            return;
        };
        match answer {
            Ok(GivenUp::Done) => {
                tracing::warn!(
                    target: crate::TRACING_TARGET,
                    consumer = %self.shared.name,
                    subject = %entry.held.delivery().subject(),
                    sequence = entry.held.delivery().sequence(),
                    "the event is not given up: its inbox has it as done"
                );
                self.report.repeated += 1;
                self.settle(id, Settlement::Ack);
            }
            Ok(GivenUp::Dead | GivenUp::DeadBefore(_)) if self.letters.is_some() => {
                self.report.dead_lettered += 1;
                self.settle(id, Settlement::Ack);
            }
            Ok(GivenUp::Dead | GivenUp::DeadBefore(_)) => {
                let letter = entry.letter.as_ref();
                let reason = letter.and_then(|letter| letter.errors.first().cloned());
                self.report.terminated += 1;
                self.settle(id, Settlement::Term(reason.unwrap_or_default()));
            }
            Err(_) if self.drain_until.is_some() => self.give_back(id, Duration::ZERO),
            Err(error) => {
                let doubled = 1_u32 << entry.letter_failures.min(5);
                let pause = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
                entry.letter_failures = entry.letter_failures.saturating_add(1);
                let until = now.saturating_add(pause);
                entry.state = State::Waiting(until);
                tracing::error!(
                    target: crate::TRACING_TARGET,
                    consumer = %self.shared.name,
                    subject = %entry.held.delivery().subject(),
                    sequence = entry.held.delivery().sequence(),
                    "the dead letter is written again in {pause:?}: {error}"
                );
                self.wake_by(until);
            }
        }
    }
}

/// Records that the event is dead, and stores its letter; neither if the event is done.
async fn keep(
    inbox: Option<Arc<dyn Inbox>>,
    store: Option<Arc<dyn DeadLetterStore>>,
    letter: &DeadLetter,
) -> Result<GivenUp, Error> {
    let inbox = inbox.filter(|_| !store.as_ref().is_some_and(|store| store.has_inbox()));
    let mut earlier = None;
    if let Some(inbox) = inbox {
        match inbox.give_up(letter).await? {
            GivenUp::Dead => {}
            GivenUp::DeadBefore(before) => earlier = Some(before),
            GivenUp::Done => return Ok(GivenUp::Done),
        }
    }
    match store {
        Some(store) => {
            store
                .put_unless_done(earlier.as_deref().unwrap_or(letter))
                .await
        }
        None => Ok(GivenUp::Dead),
    }
}

fn not_answered() -> Error {
    let reason = format!("the store of dead letters did not answer within {LONGEST_PUT:?}");
    Error::new(ErrorKind::Timeout, Operation::Publish, reason).with_unknown_outcome()
}

fn letter_of(entry: &Entry, failure: &Failure, class: DeadLetterClass) -> DeadLetter {
    let held = &entry.held;
    let (delivery, shared) = (held.delivery(), held.shared());
    let now = shared.bus.clock().now();
    let origin = match held.redriven() {
        Some(redriven) => redriven.origin.clone(),
        None => Origin::new(
            delivery.stream().unwrap_or_default().to_owned(),
            delivery.sequence().unwrap_or_default(),
            delivery.subject().as_str().to_owned(),
            shared.bus.prefix(),
        ),
    };
    // A handed-over value that cannot be encoded has no bytes to keep.
    let body = delivery.body().unwrap_or_default();
    let mut letter = DeadLetter::new(
        shared.name.clone(),
        origin,
        class,
        entry.failures.last.unwrap_or(now),
        body,
    );
    if let Ok(head) = delivery.head() {
        letter.event_id = Some(head.event_id);
        letter.event_type = Some(head.event_type.clone());
    }
    letter.key = entry.key.as_ref().map(|key| key.text().to_string());
    letter.errors = vec![failure.summary()];
    letter.attempts = entry.starts;
    letter.first_failure = entry.failures.first.unwrap_or(now);
    letter.redrive = held.redriven().map_or(0, |redriven| redriven.redrive);
    letter.headers = delivery.headers().clone();
    letter
}
