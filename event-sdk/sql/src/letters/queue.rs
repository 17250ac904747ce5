//! `SqlDeadLetterQueue`: counts, lists, groups, shows, archives and purges the letters of a table.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use event_sdk::EventBus;
use event_sdk::dead_letters::{
    Audit, CauseGroup, DeadLetterStream, LetterFilter, LetterState, LetterStatus, LetterSummary,
    Page, QueuedLetter, RedriveOutcome,
};
use event_sdk::text::Text;
use event_sdk::transport::{Error, ErrorKind, Operation, TransportExt as _};
use jiff::Timestamp;

use crate::inbox::database::{Sql, WhichLetters};
use crate::inbox::{InboxDatabase, Inner, statement_failed};
use crate::letter_row::LetterRow;

/// The dead letters of a table. [`SqlDeadLetters::queue`](super::SqlDeadLetters::queue) returns it.
/// It has the same operations as [`DeadLetterQueue`](event_sdk::dead_letters::DeadLetterQueue),
/// which is for letters in a stream.
///
/// Lists, groups and `Debug` show no data of events; [`show`](Self::show) returns the data.
///
/// All operations fail with [`Disconnected`](ErrorKind::Disconnected) if the database is busy or
/// unavailable, and with [`Other`](ErrorKind::Other) for other errors of the database. The source
/// is the error of the database.
pub struct SqlDeadLetterQueue<DB: InboxDatabase> {
    pub(super) inner: Arc<Inner<DB>>,
    pub(super) bus: EventBus,
    pub(super) place: DeadLetterStream,
}

/// How many letters are read by one statement.
const PAGE: i64 = 500;

impl<DB: InboxDatabase> SqlDeadLetterQueue<DB> {
    pub(super) fn new(inner: Arc<Inner<DB>>, bus: &EventBus, place: DeadLetterStream) -> Self {
        Self {
            inner,
            bus: bus.clone(),
            place,
        }
    }

    /// Counts letters.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn count(&self, filter: &LetterFilter) -> Result<u64, Error> {
        Ok(self.matching(filter).await?.len() as u64)
    }

    /// Lists letters, oldest first, without their bodies.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn list(
        &self,
        filter: &LetterFilter,
        page: Page,
    ) -> Result<Vec<LetterSummary>, Error> {
        let letters = self.matching(filter).await?.into_iter();
        Ok(letters.skip(page.offset).take(page.limit).collect())
    }

    /// Groups letters by [cause](event_sdk::dead_letters::Cause), the largest group first.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn groups(&self, filter: &LetterFilter) -> Result<Vec<CauseGroup>, Error> {
        Ok(CauseGroup::of(self.matching(filter).await?))
    }

    /// Returns a letter with its original headers and body; `None` if there is no letter with this
    /// id.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn show(&self, id: u64) -> Result<Option<QueuedLetter>, Error> {
        let Ok(id) = i64::try_from(id) else {
            return Ok(None);
        };
        let which = WhichLetters {
            consumer: None,
            status: None,
            after: id - 1,
            limit: 1,
            whole: true,
        };
        let letters = self.read(&which).await.map_err(read_failed)?;
        let letter = letters.first().filter(|letter| letter.id == id);
        Ok(letter.map(LetterRow::queued))
    }

    /// Puts open letters aside: they are not listed as open, and not redriven, until they are
    /// [taken back](Self::reopen). Returns their ids.
    ///
    /// Not cancel-safe: if the future is dropped, some letters may be put aside. Repeating the call
    /// puts the rest aside.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn archive(&self, filter: &LetterFilter, audit: &Audit) -> Result<Vec<u64>, Error> {
        let change = (LetterStatus::Open, LetterStatus::Archived);
        self.change(filter, change, audit).await
    }

    /// Opens archived letters again. Returns their ids.
    ///
    /// Not cancel-safe: as [`archive`](Self::archive).
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn reopen(&self, filter: &LetterFilter, audit: &Audit) -> Result<Vec<u64>, Error> {
        let change = (LetterStatus::Archived, LetterStatus::Open);
        self.change(filter, change, audit).await
    }

    /// Deletes letters. Returns their ids.
    ///
    /// The inbox keeps the record that their events are dead until its retention is over.
    ///
    /// Not cancel-safe: if the future is dropped, some letters may be deleted. Repeating the call
    /// deletes the rest.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn purge(&self, filter: &LetterFilter) -> Result<Vec<u64>, Error> {
        let mut purged = Vec::new();
        for letter in self.matching(filter).await? {
            let id = i64::try_from(letter.id).unwrap_or(i64::MAX);
            if self.delete(id).await.map_err(write_failed)? {
                purged.push(letter.id);
            }
        }
        Ok(purged)
    }

    /// Deletes letters whose events failed before this time. Returns their ids.
    ///
    /// Not cancel-safe: as [`purge`](Self::purge).
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self).
    pub async fn expire(&self, before: Timestamp) -> Result<Vec<u64>, Error> {
        self.purge(&LetterFilter::all().failed_before(before)).await
    }

    /// Reads what became of redriven letters, by id. Other letters are left out.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The [errors of every operation](Self), and the errors of the transport.
    pub async fn outcomes(
        &self,
        filter: &LetterFilter,
    ) -> Result<BTreeMap<u64, RedriveOutcome>, Error> {
        let redriven = |letter: &LetterSummary| letter.state.status == LetterStatus::Redriven;
        let letters = self.matching(filter).await?;
        let letters: Vec<_> = letters.into_iter().filter(redriven).collect();
        let mut settled: HashMap<Text, Option<u64>> = HashMap::new();
        for letter in &letters {
            if !settled.contains_key(&letter.consumer) {
                let until = self.settled(&letter.consumer).await?;
                settled.insert(letter.consumer.clone(), until);
            }
        }
        // A letter is put before its event is settled: read after that, none is missing.
        let all = self.matching(&LetterFilter::all()).await?;
        let identity = |letter: &LetterSummary, redrive: u32| {
            let origin = &letter.origin;
            let place = (origin.stream.clone(), origin.sequence, letter.event_id);
            (letter.consumer.clone(), place, redrive)
        };
        let all: HashMap<_, _> = all
            .iter()
            .map(|it| (identity(it, it.redrive), it.id))
            .collect();
        let outcome = |letter: &LetterSummary| {
            let next = identity(letter, letter.redrive.saturating_add(1));
            if let Some(letter) = all.get(&next) {
                return RedriveOutcome::FailedAgain { letter: *letter };
            }
            let settled = settled.get(&letter.consumer).copied().flatten();
            match (settled, letter.state.retry_sequence) {
                (Some(settled), Some(sequence)) if sequence <= settled => RedriveOutcome::Handled,
                (Some(_), Some(_)) => RedriveOutcome::Waiting,
                _ => RedriveOutcome::Unknown,
            }
        };
        Ok(letters
            .iter()
            .map(|letter| (letter.id, outcome(letter)))
            .collect())
    }

    /// Up to which sequence a consumer has settled its redriven events; `None` if that cannot be known.
    async fn settled(&self, consumer: &str) -> Result<Option<u64>, Error> {
        let transport = self.bus.transport();
        match transport
            .consumer_info(self.place.retry_name(), consumer)
            .await
        {
            Ok(info) => Ok(Some(info.acknowledged)),
            Err(error) => match error.kind() {
                ErrorKind::ConsumerNotFound => Ok(Some(0)),
                ErrorKind::Unsupported(_) | ErrorKind::PermissionDenied => Ok(None),
                _ => Err(error),
            },
        }
    }

    async fn change(
        &self,
        filter: &LetterFilter,
        (from, to): (LetterStatus, LetterStatus),
        audit: &Audit,
    ) -> Result<Vec<u64>, Error> {
        let mut changed = Vec::new();
        for letter in self.matching(filter).await? {
            if letter.state.status != from {
                continue;
            }
            let now = self.bus.clock().now();
            let state = LetterState::since(to.clone(), now, audit);
            // Otherwise another command was faster.
            if self.set_state(letter.id, &from, &state).await? {
                changed.push(letter.id);
            }
        }
        Ok(changed)
    }

    /// Changes the status of a letter, if it is still this one.
    pub(super) async fn set_state(
        &self,
        id: u64,
        from: &LetterStatus,
        state: &LetterState,
    ) -> Result<bool, Error> {
        let set = async {
            let inner = &self.inner;
            let row = LetterRow::with_state(state);
            let id = i64::try_from(id).unwrap_or(i64::MAX);
            let mut transaction = DB::begin_write(&inner.pool).await?;
            let from = from.as_str();
            let set = DB::set_letter_state(&mut transaction, &inner.sql, id, from, &row).await?;
            transaction.commit().await?;
            Ok(set)
        };
        set.await.map_err(write_failed)
    }

    async fn delete(&self, id: i64) -> Sql<bool> {
        let mut transaction = DB::begin_write(&self.inner.pool).await?;
        let deleted = DB::delete_letter(&mut transaction, &self.inner.sql, id).await?;
        transaction.commit().await?;
        Ok(deleted)
    }

    /// The letters that a filter selects, oldest first.
    pub(super) async fn matching(
        &self,
        filter: &LetterFilter,
    ) -> Result<Vec<LetterSummary>, Error> {
        let mut matching = Vec::new();
        let mut after = 0;
        loop {
            let which = WhichLetters {
                consumer: filter.consumer_name(),
                status: filter.wanted_status().map(LetterStatus::as_str),
                after,
                limit: PAGE,
                whole: false,
            };
            let letters = self.read(&which).await.map_err(read_failed)?;
            let Some(last) = letters.last() else {
                return Ok(matching);
            };
            after = last.id;
            let letters = letters.iter().map(LetterRow::summary);
            matching.extend(letters.filter(|letter| filter.matches(letter)));
        }
    }

    async fn read(&self, which: &WhichLetters<'_>) -> Sql<Vec<LetterRow>> {
        let mut transaction = DB::begin_read(&self.inner.pool).await?;
        let letters = DB::letters(&mut transaction, &self.inner.sql, which).await?;
        transaction.rollback().await?;
        Ok(letters)
    }
}

fn read_failed(error: sqlx::Error) -> Error {
    statement_failed(error, Operation::Read, "the dead letters cannot be read")
}

fn write_failed(error: sqlx::Error) -> Error {
    let reason = "the dead letter cannot be changed; repeat it";
    statement_failed(error, Operation::Publish, reason).with_unknown_outcome()
}

impl<DB: InboxDatabase> Clone for SqlDeadLetterQueue<DB> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.inner), &self.bus, self.place.clone())
    }
}

impl<DB: InboxDatabase> fmt::Debug for SqlDeadLetterQueue<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlDeadLetterQueue")
            .field("inner", &self.inner)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}
