//! `DeadLetterStore`: the trait of stores of dead letters. `GivenUp`: the outcome for an event that
//! a consumer was about to give up.

use std::fmt;
use std::sync::Arc;

use event_sdk_core::transport::{Completion, Error};
use uuid::Uuid;

use super::letter::DeadLetter;
use crate::partition::OwnerEpoch;

/// A store of dead letters: a JetStream stream, a database table, memory, or a closure.
///
/// The consumer acknowledges the event after [`put`](Self::put) has succeeded. If a letter cannot
/// be stored, the consumer keeps the event, and tries again. It waits for the future of `put` for
/// at most 30 seconds. Then it drops the future, and tries again as after an error. A panic of
/// `put` or of its future counts as an error too.
pub trait DeadLetterStore: fmt::Debug + Send + Sync + 'static {
    /// Stores the letter.
    ///
    /// The call is idempotent: if a letter with the same consumer, event and redrive number is
    /// already stored, the letter is not stored again, and the result is `Ok`. The future completes
    /// when the letter is stored durably.
    ///
    /// Not cancel-safe: after dropping the future, the letter may be stored or not. Storing it again
    /// is safe.
    ///
    /// # Errors
    ///
    /// Errors of the store. [`Error::outcome`] says whether the letter may have been stored.
    fn put(&self, letter: &DeadLetter) -> Completion<Result<(), Error>>;

    /// Stores the letter, unless the store knows that the event was handled after all.
    ///
    /// If a database has both the letters and the [inbox](crate::consumer::Inbox) of a consumer, it
    /// stores the letter and records the event as dead in one transaction. It does neither if
    /// `owner` was replaced, as [`Inbox::give_up`](crate::consumer::Inbox::give_up) says. The
    /// default [stores](Self::put) the letter.
    ///
    /// Not cancel-safe, like [`put`](Self::put).
    ///
    /// # Errors
    ///
    /// The errors of [`put`](Self::put), and an error if the owner was replaced.
    fn put_unless_done(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>> {
        let _ = owner;
        let put = self.put(letter);
        match put.try_into_ready() {
            Ok(stored) => Completion::ready(stored.map(|()| GivenUp::Dead)),
            Err(put) => Completion::later(async move { put.await.map(|()| GivenUp::Dead) }),
        }
    }

    /// The [id](crate::consumer::Inbox::id) of the inbox in which
    /// [`put_unless_done`](Self::put_unless_done) records that the event is dead. Default: `None`.
    /// If the handlers of a consumer have another inbox, the consumer asks that inbox before it
    /// stores the letter.
    fn inbox_id(&self) -> Option<Uuid> {
        None
    }

    /// Checks that the letters of a consumer can be stored. The consumer calls this method before
    /// it starts. The default accepts every consumer.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The error says what is missing, and how to provide it.
    fn verify(&self, consumer: &str) -> Completion<Result<(), Error>> {
        let _ = consumer;
        Completion::ready(Ok(()))
    }
}

impl<T: DeadLetterStore + ?Sized> DeadLetterStore for Arc<T> {
    fn put(&self, letter: &DeadLetter) -> Completion<Result<(), Error>> {
        (**self).put(letter)
    }

    fn put_unless_done(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>> {
        (**self).put_unless_done(letter, owner)
    }

    fn inbox_id(&self) -> Option<Uuid> {
        (**self).inbox_id()
    }

    fn verify(&self, consumer: &str) -> Completion<Result<(), Error>> {
        (**self).verify(consumer)
    }
}

/// The outcome for an event that a consumer was about to give up.
#[derive(Debug, Clone, PartialEq)]
pub enum GivenUp {
    /// The event is dead.
    Dead,
    /// The event was already recorded as dead, and its letter may not have been stored. This is the
    /// letter of that record, with the earlier reason.
    DeadBefore(Box<DeadLetter>),
    /// The effect of the event is already done: no letter is stored, and the event is acknowledged.
    Done,
}
