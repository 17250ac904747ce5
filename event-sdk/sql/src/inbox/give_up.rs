//! Giving events up: the record `dead`, alone or together with the letter.

use event_sdk::consumer::OwnerEpoch;
use event_sdk::dead_letters::{DeadLetter, GivenUp};
use event_sdk::transport::{Completion, Error, ErrorKind, Operation};
use std::sync::Arc;
use uuid::Uuid;

use super::Inner;
use super::begin::as_sequence;
use super::check::unusable;
use super::database::{InboxDatabase, NewRecord, Sql};
use super::owner::OwnerError;
use super::reason::{Reason, dead_before};
use crate::letter_row::LetterRow;

impl<DB: InboxDatabase> event_sdk::consumer::Inbox for Inner<DB> {
    fn give_up(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>> {
        let (inner, letter) = (self.me(), letter.clone());
        Completion::later(async move {
            let Some(inner) = inner else {
                return Err(dropped());
            };
            inner.bury(&letter, owner, false).await
        })
    }

    fn id(&self) -> Option<Uuid> {
        Some(self.id)
    }

    fn verify(&self, consumer: &str) -> Completion<Result<(), Error>> {
        let (inner, consumer) = (self.me(), consumer.to_owned());
        Completion::later(async move {
            let Some(inner) = inner else {
                return Err(dropped());
            };
            match inner.check_tables().await {
                Ok(_) => Ok(()),
                Err(error) => Err(unusable(error).at_consumer(consumer)),
            }
        })
    }
}

impl<DB: InboxDatabase> Inner<DB> {
    /// Records that an event is dead, and stores its letter in the same transaction if it is to; does
    /// neither if the event is done, or its owner was replaced.
    pub(crate) async fn bury(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
        with_letter: bool,
    ) -> Result<GivenUp, Error> {
        let consumer = &letter.consumer;
        if let Some(owner) = owner {
            self.take_over(consumer, owner).await.map_err(unstored)?;
        }
        let mut transaction = DB::begin_write(&self.pool).await.map_err(unstored)?;
        if let Some(owner) = owner {
            let locked = self.lock_owner(&mut transaction, consumer, owner);
            locked.await.map_err(refused)?;
        }
        let given_up = self.write_dead(&mut transaction, letter, with_letter);
        let given_up = given_up.await.map_err(unstored)?;
        if given_up == GivenUp::Done {
            let _ = transaction.rollback().await;
        } else {
            transaction.commit().await.map_err(unstored)?;
        }
        Ok(given_up)
    }

    async fn write_dead(
        &self,
        connection: &mut DB::Connection,
        letter: &DeadLetter,
        with_letter: bool,
    ) -> Sql<GivenUp> {
        let given_up = self.record_dead(connection, letter).await?;
        if with_letter && given_up != GivenUp::Done {
            let stored = match &given_up {
                GivenUp::DeadBefore(earlier) => earlier,
                _ => letter,
            };
            let row = LetterRow::of(stored);
            DB::put_letter(connection, &self.sql, &row).await?;
        }
        Ok(given_up)
    }

    /// Stores a letter of a consumer without an inbox.
    pub(crate) async fn put_letter(&self, letter: &DeadLetter) -> Sql<()> {
        let mut transaction = DB::begin_write(&self.pool).await?;
        let row = LetterRow::of(letter);
        DB::put_letter(&mut transaction, &self.sql, &row).await?;
        transaction.commit().await
    }

    async fn record_dead(
        &self,
        connection: &mut DB::Connection,
        letter: &DeadLetter,
    ) -> Sql<GivenUp> {
        let Some(event) = letter.event_id else {
            return Ok(GivenUp::Dead);
        };
        let origin = &letter.origin;
        let record = NewRecord {
            consumer: letter.consumer.to_string(),
            event,
            redrive: i64::from(letter.redrive),
            stream: origin.stream.to_string(),
            sequence: as_sequence(origin.sequence),
            now: letter.last_failure.as_microsecond(),
        };
        let sql = &self.sql;
        let reason = Reason::of(letter).to_json();
        if DB::record_dead(connection, sql, &record, &reason).await? {
            let (consumer, stream) = (&record.consumer, &record.stream);
            DB::register_source(connection, sql, consumer, stream).await?;
            return Ok(GivenUp::Dead);
        }
        let found = DB::find(connection, sql, &record.consumer, &[event]).await?;
        Ok(match found.first() {
            Some(found) if !found.is_dead => GivenUp::Done,
            Some(found) if found.redrive == record.redrive => match dead_before(found) {
                Some(reason) => GivenUp::DeadBefore(Box::new(reason.into_letter(letter))),
                None => GivenUp::Dead,
            },
            // A later redrive died, too: this letter is an earlier one.
            Some(_) => GivenUp::Dead,
            None => {
                let reason = "the record was changed by another transaction at the same time";
                return Err(sqlx::Error::Protocol(reason.to_owned()));
            }
        })
    }
}

/// A letter that could not be stored, or an event that could not be recorded.
pub(crate) fn unstored(error: sqlx::Error) -> Error {
    let reason = "the database did not record that the event is given up; it is repeated";
    statement_failed(error, Operation::Publish, reason).with_unknown_outcome()
}

/// An owner that was replaced gives nothing up.
fn refused(why: OwnerError) -> Error {
    match why {
        OwnerError::Database(error) => unstored(error),
        OwnerError::Replaced(why) => {
            let reason = "another instance owns the consumer now, and decides about the event";
            Error::new(ErrorKind::Other, Operation::Publish, reason).with_source(why)
        }
        OwnerError::Vanished => {
            let reason = "the epoch of the owner was reset at the same time; it is repeated";
            Error::new(ErrorKind::Other, Operation::Publish, reason)
        }
    }
}

/// An error of a statement, with what to do about it, and without data.
pub(crate) fn statement_failed(error: sqlx::Error, operation: Operation, reason: &str) -> Error {
    let kind = match crate::class_of(&error) {
        Some(_) => ErrorKind::Disconnected,
        None => ErrorKind::Other,
    };
    let reason = format!("{reason}: {}", crate::error::classify(&error).1);
    Error::new(kind, operation, reason).with_source(crate::DatabaseError::new(error))
}

/// The inbox was dropped before its consumer, which holds it.
fn dropped() -> Error {
    let reason = "the inbox was dropped";
    Error::new(ErrorKind::Other, Operation::Publish, reason)
}

/// The inner part as a shared value.
impl<DB: InboxDatabase> Inner<DB> {
    fn me(&self) -> Option<Arc<Self>> {
        self.me.upgrade()
    }
}
