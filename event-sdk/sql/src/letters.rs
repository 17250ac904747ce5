//! `SqlDeadLetters`: dead letters in a table, and the workflow around them.

mod queue;
mod redrive;
mod workflow;

pub use queue::SqlDeadLetterQueue;
pub use redrive::SqlRedrive;

use std::fmt;
use std::sync::Arc;

use event_sdk::EventBus;
use event_sdk::consumer::OwnerEpoch;
use event_sdk::dead_letters::{
    DeadLetter, DeadLetterStore, DeadLetterStream, DeadLetters, GivenUp,
};
use event_sdk::transport::{Completion, Error};
use sqlx::Pool;
use uuid::Uuid;

use crate::Tables;
use crate::inbox::{Inbox, InboxDatabase, Inner, missing, unstored};

/// Keeps dead letters in a table. Clones share the table.
///
/// For consumers with effects, use [`Inbox::dead_letters`]: then one transaction writes the letter
/// and the record that its event is dead. For other consumers, use [`SqlDeadLetters::new`].
///
/// ```no_run
/// # use event_sdk::EventBus;
/// # use event_sdk::dead_letters::{Audit, LetterFilter};
/// # use event_sdk_sql::SqlDeadLetters;
/// # use sqlx::SqlitePool;
/// # async fn example(bus: EventBus, pool: SqlitePool) -> Result<(), event_sdk::Error> {
/// let letters = SqlDeadLetters::new(pool);
/// // For a consumer: `.dead_letters(letters.clone().retried_through("DLQ"))`
/// let queue = letters.queue(&bus, "DLQ");
/// queue.redrive(LetterFilter::open().consumer("billing")).audit(Audit::by("alice")).await?;
/// # Ok(())
/// # }
/// ```
///
/// Redriven events pass through the retry stream of a [`DeadLetterStream`], from which only their
/// own consumer reads them. Declare this stream with [`retry_spec`](DeadLetterStream::retry_spec).
///
/// Letters in a table do not block later events of their keys. If later events must wait (sequenced
/// mode), keep letters in a stream.
pub struct SqlDeadLetters<DB: InboxDatabase> {
    inner: Arc<Inner<DB>>,
    has_inbox: bool,
}

impl<DB: InboxDatabase> SqlDeadLetters<DB> {
    /// Letters in the table with the default name, for consumers without effects of an [`Inbox`].
    #[must_use]
    pub fn new(pool: Pool<DB>) -> Self {
        Self::in_tables(pool, Tables::new())
    }

    /// Letters in the table with this schema and prefix.
    #[must_use]
    pub fn in_tables(pool: Pool<DB>, tables: Tables) -> Self {
        Self {
            inner: Inbox::builder(pool).tables(tables).build().into_inner(),
            has_inbox: false,
        }
    }

    /// Returns the value to pass to
    /// [`Consumer::dead_letters`](event_sdk::consumer::Consumer::dead_letters). The consumer then
    /// also receives the events that are redriven through the retry stream of `place`.
    #[must_use]
    pub fn retried_through(self, place: impl Into<DeadLetterStream>) -> DeadLetters {
        DeadLetters::store(self).retried_through(place)
    }

    /// Returns the operations on the letters: list, redrive, archive, purge. `place` names the
    /// retry stream.
    #[must_use]
    pub fn queue(
        &self,
        bus: &EventBus,
        place: impl Into<DeadLetterStream>,
    ) -> SqlDeadLetterQueue<DB> {
        SqlDeadLetterQueue::new(Arc::clone(&self.inner), bus, place.into())
    }
}

impl<DB: InboxDatabase> Inbox<DB> {
    /// Returns a store of dead letters in the database of the inbox. One transaction writes a
    /// letter and the record that its event is dead.
    #[must_use]
    pub fn dead_letters(&self) -> SqlDeadLetters<DB> {
        SqlDeadLetters {
            inner: self.clone().into_inner(),
            has_inbox: true,
        }
    }
}

impl<DB: InboxDatabase> DeadLetterStore for SqlDeadLetters<DB> {
    fn put(&self, letter: &DeadLetter) -> Completion<Result<(), Error>> {
        let (inner, letter) = (Arc::clone(&self.inner), letter.clone());
        Completion::later(async move { inner.put_letter(&letter).await.map_err(unstored) })
    }

    fn put_unless_done(
        &self,
        letter: &DeadLetter,
        owner: Option<OwnerEpoch>,
    ) -> Completion<Result<GivenUp, Error>> {
        let (inner, letter, has_inbox) = (Arc::clone(&self.inner), letter.clone(), self.has_inbox);
        Completion::later(async move {
            if has_inbox {
                inner.bury(&letter, owner, true).await
            } else {
                inner.put_letter(&letter).await.map_err(unstored)?;
                Ok(GivenUp::Dead)
            }
        })
    }

    fn inbox_id(&self) -> Option<Uuid> {
        self.has_inbox.then_some(self.inner.id)
    }

    fn verify(&self, consumer: &str) -> Completion<Result<(), Error>> {
        let (inner, consumer) = (Arc::clone(&self.inner), consumer.to_owned());
        Completion::later(async move {
            let checked = inner.check_tables().await;
            checked.map_err(|error| missing(error).at_consumer(consumer))
        })
    }
}

impl<DB: InboxDatabase> From<SqlDeadLetters<DB>> for DeadLetters {
    fn from(letters: SqlDeadLetters<DB>) -> Self {
        Self::store(letters)
    }
}

impl<DB: InboxDatabase> Clone for SqlDeadLetters<DB> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            has_inbox: self.has_inbox,
        }
    }
}

impl<DB: InboxDatabase> fmt::Debug for SqlDeadLetters<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlDeadLetters")
            .field("inner", &self.inner)
            .field("has_inbox", &self.has_inbox)
            .finish()
    }
}
