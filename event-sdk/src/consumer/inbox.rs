//! `Inbox`: records in a database which events are done and which are dead. With it, no effect
//! happens twice.

use std::fmt;

use event_sdk_core::transport::{Completion, Error};
use uuid::Uuid;

use crate::dead_letters::{DeadLetter, GivenUp};
use crate::partition::OwnerEpoch;

/// Records which events a consumer has handled and which it has given up. The records are in the
/// database in which the handlers of the consumer write.
///
/// A handler with an inbox ([`Handle::inbox`](super::Handle::inbox)) records that its event is
/// *done*, in the transaction of its effect. Before the consumer stores the dead letter of an
/// event, it records that the event is *dead*. So an event is never both done and dead.
/// `event-sdk-sql` implements this trait for SQLite and PostgreSQL.
pub trait Inbox: fmt::Debug + Send + Sync + 'static {
    /// Records that the consumer gives up the event of this letter, unless the event is done.
    ///
    /// A record has the id of the event and the number of its redrives. It replaces the record of
    /// an earlier redrive of the event. For a letter without an event id, nothing is recorded, and
    /// the result is [`Dead`](GivenUp::Dead).
    ///
    /// The consumer calls this method before it stores the letter. If the letter could not be
    /// stored, or the consumer crashed before that, it calls the method again. So the call must be
    /// idempotent. The consumer does not call this method if the [store of the
    /// letters](super::Consumer::dead_letters) makes the same record in the transaction of the
    /// letter ([`inbox_id`](crate::dead_letters::DeadLetterStore::inbox_id)).
    ///
    /// `owner` is the ownership in which the event was handled, if the consumer has [one
    /// owner](super::Consumer::single_active). If this owner was replaced, nothing is recorded: the
    /// new owner decides about the event.
    ///
    /// Not cancel-safe: after dropping the future, the event may be recorded or not. Calling the
    /// method again is safe.
    ///
    /// # Errors
    ///
    /// Errors of the store, and an error if the owner was replaced. The consumer then holds the
    /// event, and calls this method again.
    fn give_up(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>>;

    /// The id of this inbox. A store of dead letters that records in this inbox returns the same id
    /// as its [`inbox_id`](crate::dead_letters::DeadLetterStore::inbox_id). `None` if no store does
    /// so. Default: `None`.
    fn id(&self) -> Option<Uuid> {
        None
    }

    /// Checks that the events of a consumer can be recorded. The consumer calls this method before
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
