//! The epoch of the owner of a consumer: a takeover raises it, and what an owner writes locks it.

use std::fmt;

use event_sdk::consumer::{Failure, OwnerEpoch};
use sqlx::Transaction;

use super::Inner;
use super::database::{InboxDatabase, Sql};
use crate::classify::outage;

impl<DB: InboxDatabase> Inner<DB> {
    /// Raises the epoch of the owner, when it writes for the first time. What the owner before has
    /// begun has ended then, and what it begins later is refused.
    pub(super) async fn take_over(&self, consumer: &str, owner: OwnerEpoch) -> Sql<()> {
        let place = (consumer.to_owned(), owner.partition);
        let known = self.known().epochs.get(&place).copied();
        if known.is_some_and(|known| known >= owner.number) {
            return Ok(());
        }
        let (partition, epoch) = as_row(owner);
        let mut transaction = DB::begin_take_over(&self.pool).await?;
        DB::take_over(&mut transaction, &self.sql, consumer, partition, epoch).await?;
        transaction.commit().await?;
        self.known().epochs.insert(place, owner.number);
        Ok(())
    }

    /// Locks the epoch of the owner until the end of the transaction.
    pub(super) async fn lock_owner(
        &self,
        transaction: &mut Transaction<'static, DB>,
        consumer: &str,
        owner: OwnerEpoch,
    ) -> Result<(), OwnerError> {
        let (partition, epoch) = as_row(owner);
        let locked = DB::lock_epoch(transaction, &self.sql, consumer, partition).await;
        match locked.map_err(OwnerError::Database)? {
            Some(locked) if locked == epoch => Ok(()),
            Some(locked) if locked > epoch => Err(OwnerError::Replaced(Replaced { epoch, locked })),
            _ => {
                // It was reset since then.
                self.known().epochs.clear();
                Err(OwnerError::Vanished)
            }
        }
    }
}

/// Why an owner may not write.
#[derive(Debug)]
pub(super) enum OwnerError {
    Database(sqlx::Error),
    Replaced(Replaced),
    /// The row of the epoch is not what this process has written.
    Vanished,
}

impl OwnerError {
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Database(error) => outage(error),
            Self::Replaced(why) => {
                Failure::outage(why).because("another instance owns the consumer now")
            }
            Self::Vanished => Failure::outage(Vanished),
        }
    }
}

fn as_row(owner: OwnerEpoch) -> (i32, i64) {
    (
        i32::try_from(owner.partition).unwrap_or(i32::MAX),
        i64::try_from(owner.number).unwrap_or(i64::MAX),
    )
}

/// Another owner has taken over.
#[derive(Debug)]
pub(super) struct Replaced {
    epoch: i64,
    locked: i64,
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, locked } = self;
        write!(
            f,
            "this owner has epoch {epoch}, and the database {locked}; if the coordination bucket was \
             deleted and created again, call `Inbox::forget_owners`"
        )
    }
}

impl std::error::Error for Replaced {}

/// A row disappeared between two statements.
#[derive(Debug)]
pub(super) struct Vanished;

impl fmt::Display for Vanished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the record was changed by another transaction at the same time")
    }
}

impl std::error::Error for Vanished {}
