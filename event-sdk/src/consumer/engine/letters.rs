//! Dead letters: an event that is given up is recorded in the inbox of its handlers, if they have
//! one, written to the store, and acknowledged after that.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use event_sdk_core::transport::{Error, ErrorKind, Operation, Settlement};
use futures_util::FutureExt as _;
use futures_util::future::{Either, select};

use super::entry::{Entry, State};
use super::outcome::ParkEnd;
use super::{Boxed, Engine};
use crate::consumer::{Failure, Inbox};
use crate::dead_letters::{DeadLetter, DeadLetterClass, DeadLetterStore, GivenUp, Origin};
use crate::observer::EventEnd;
use crate::partition::OwnerEpoch;

/// How long the consumer waits before it writes a letter again; doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How long the store may take for a letter.
const LONGEST_PUT: Duration = Duration::from_secs(30);
/// The acknowledgement of an event that the dead letters or the park have now. It is confirmed: if it
/// were lost, the event would be delivered again after its record was deleted, and its handler would
/// run beside its letter, and after later events of its key.
pub(super) const ELSEWHERE: Settlement = Settlement::AckConfirmed;

/// The end of an event that is given up and kept nowhere. It is confirmed for the same reason.
fn nowhere(reason: String) -> Settlement {
    Settlement::TermConfirmed(reason)
}

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
            self.count(id, EventEnd::Terminated);
            self.settle(id, nowhere(failure.to_string()));
            return;
        }
        // Later events of the key went on while it was delayed for a newer version, or was a letter
        // that did not hold its key.
        let in_order = entry.key.is_some()
            && class != DeadLetterClass::UnknownEvent
            && entry.position().is_some();
        let mut letter = letter_of(entry, failure, class);
        letter.sequenced = in_order && self.parking.is_sequenced();
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
        let owner = entry.held.shared().owner;
        let park = self
            .parking
            .park()
            .filter(|_| entry.parks())
            .map(Arc::clone);
        let clock = Arc::clone(entry.held.shared().bus.clock());
        let put: Boxed<_> = match park {
            Some(park) => {
                Box::pin(async move { park.append(&letter).await.map(|()| GivenUp::Dead) })
            }
            None => Box::pin(async move { keep(inbox, store, &letter, owner).await }),
        };
        // A panic of the store would end the consumer with all its events.
        let put = AssertUnwindSafe(put).catch_unwind();
        self.settling.push_letter(id, async move {
            let late = clock.sleep_until(clock.monotonic().saturating_add(LONGEST_PUT));
            match select(put, late).await {
                Either::Left((Ok(written), _)) => written,
                Either::Left((Err(_), _)) => Err(failed(ErrorKind::Other, "panicked")),
                Either::Right(_) => {
                    let how = format!("did not answer within {LONGEST_PUT:?}");
                    Err(failed(ErrorKind::Timeout, &how))
                }
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
                let parked = entry.held.parked().is_some();
                self.count(id, EventEnd::DoneBefore);
                if parked {
                    self.finish_parked(id, ParkEnd::Handled);
                } else {
                    self.settle(id, Settlement::Ack);
                }
            }
            Ok(_) if entry.parks() => self.has_parked(id),
            Ok(_) if self.letters.is_none() => {
                let letter = entry.letter.as_ref();
                let reason = letter.and_then(|letter| letter.errors.first().cloned());
                self.count(id, EventEnd::Terminated);
                self.settle(id, nowhere(reason.unwrap_or_default()));
            }
            Ok(_) => {
                let parked = entry.held.parked().is_some();
                let sequenced = entry.letter.as_ref().is_some_and(|letter| letter.sequenced);
                self.count(id, EventEnd::DeadLettered);
                match (parked, sequenced) {
                    (true, true) => self.finish_parked(id, ParkEnd::Dead),
                    (true, false) => self.finish_parked(id, ParkEnd::Replaced),
                    (false, true) => {
                        self.key_died(id);
                        self.settle(id, ELSEWHERE);
                    }
                    (false, false) => self.settle(id, ELSEWHERE),
                }
            }
            Err(_) if self.drain_until.is_some() => {
                self.is_not_parked(id);
                self.give_back(id, Duration::ZERO);
            }
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
                    parks = entry.parks(),
                    "the dead letter, or the event that waits for its key, is written again in \
                     {pause:?}: {error}"
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
    owner: Option<OwnerEpoch>,
) -> Result<GivenUp, Error> {
    // The store may record in the same inbox, and in one transaction.
    let of_store = store.as_ref().and_then(DeadLetterStore::inbox_id);
    let inbox = inbox.filter(|inbox| of_store.is_none() || inbox.id() != of_store);
    let mut earlier = None;
    if let Some(inbox) = inbox {
        match inbox.give_up(letter, owner).await? {
            GivenUp::Dead => {}
            GivenUp::DeadBefore(before) => earlier = Some(before),
            GivenUp::Done => return Ok(GivenUp::Done),
        }
    }
    match store {
        Some(store) => {
            let letter = earlier.as_deref().unwrap_or(letter);
            store.put_unless_done(letter, owner).await
        }
        None => Ok(GivenUp::Dead),
    }
}

/// Without the text of a panic, which may hold data of the event.
fn failed(kind: ErrorKind, how: &str) -> Error {
    let reason = format!("the store of dead letters {how}");
    Error::new(kind, Operation::Publish, reason).with_unknown_outcome()
}

fn letter_of(entry: &Entry, failure: &Failure, class: DeadLetterClass) -> DeadLetter {
    let mut letter = copy_of(entry, class);
    letter.errors = vec![failure.summary()];
    letter.attempts = entry.starts;
    letter
}

/// An event for the park of its key.
pub(super) fn to_park(entry: &Entry) -> DeadLetter {
    copy_of(entry, DeadLetterClass::Parked)
}

fn copy_of(entry: &Entry, class: DeadLetterClass) -> DeadLetter {
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
    letter.first_failure = entry.failures.first.unwrap_or(now);
    letter.redrive = held.redriven().map_or(0, |redriven| redriven.redrive);
    letter.headers = delivery.headers().clone();
    letter
}
