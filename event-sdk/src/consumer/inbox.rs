//! `Inbox`: the record of a database about which events are done and which are dead, so that no
//! effect happens twice.

use std::fmt;

use event_sdk_core::transport::{Completion, Error};
use uuid::Uuid;

use crate::dead_letters::{DeadLetter, GivenUp};
use crate::partition::OwnerEpoch;

/// Records which events a consumer has handled, and which it has given up, in the database that has
/// their effects.
///
/// A handler with an inbox ([`Handle::inbox`](super::Handle::inbox)) records that its event is done
/// in the transaction of the effect. The consumer records that an event is dead before its letter
/// is stored. So an event is never both done and dead. Stores implement this trait; `event-sdk-sql`
/// does so for SQLite and PostgreSQL.
pub trait Inbox: fmt::Debug + Send + Sync + 'static {
    /// Records that the consumer gives up the event of this letter, unless the event is done.
    ///
    /// A record has the id of the event and the number of its redrives, and replaces a record of an
    /// earlier redrive. For a letter without an event id, nothing is recorded, and the result is
    /// [`Dead`](GivenUp::Dead).
    ///
    /// The consumer calls it before it stores the letter, and once more after each crash in
    /// between. So the call is idempotent. It is left out if the [store of the
    /// letters](super::Consumer::dead_letters) does the same in the transaction of the letter
    /// ([`inbox_id`](crate::dead_letters::DeadLetterStore::inbox_id)).
    ///
    /// `owner` is the ownership in which the event was handled, if the consumer has
    /// [one owner](super::Consumer::single_active). An owner that was replaced records nothing: its
    /// successor decides about the event.
    ///
    /// Not cancel-safe: after dropping the future, the event may be recorded or not. Calling it again
    /// is safe.
    ///
    /// # Errors
    ///
    /// Errors of the store, and an error if the owner was replaced. The consumer then holds the
    /// event, and calls it again.
    fn give_up(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>>;

    /// The id by which a store of dead letters knows this inbox; `None` if no store does. Default:
    /// `None`.
    fn id(&self) -> Option<Uuid> {
        None
    }

    /// Checks, before a consumer starts, that its events can be recorded. The default accepts every
    /// consumer.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The error says what is missing, and what to do about it.
    fn verify(&self, consumer: &str) -> Completion<Result<(), Error>> {
        let _ = consumer;
        Completion::ready(Ok(()))
    }
}
