//! `InboxDatabase`: what the inbox and the dead letters need of a database; the rows that it reads and
//! writes.

use std::future::Future;
use std::time::Duration;

use sqlx::{Pool, Transaction};
use uuid::Uuid;

use super::statements::{InboxStatements, InboxTables};
use crate::Store;
use crate::letter_row::LetterRow;

/// A database that has an inbox: SQLite or PostgreSQL. It is implemented here only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no inbox",
    label = "expected `Sqlite` or `Postgres`",
    note = "PostgreSQL needs the feature `postgres` of event-sdk-sql, SQLite the feature `sqlite`"
)]
pub trait InboxDatabase: Store + InboxSql {}

#[cfg(feature = "sqlite")]
impl InboxDatabase for sqlx::Sqlite {}

#[cfg(feature = "postgres")]
impl InboxDatabase for sqlx::Postgres {}

/// The result of a statement.
pub(crate) type Sql<T> = Result<T, sqlx::Error>;

/// The statements of the inbox on one database. Not public: users name [`InboxDatabase`].
///
/// Each of them is run in a transaction, since a proxy may give every transaction another connection.
#[doc(hidden)]
pub trait InboxSql: sqlx::Database {
    /// The statements, with the names of the tables.
    fn inbox_statements(tables: &InboxTables) -> InboxStatements;

    /// Begins a transaction that will write.
    fn begin_write(
        pool: &Pool<Self>,
    ) -> impl Future<Output = Sql<Transaction<'static, Self>>> + Send;

    /// Begins the transaction of an effect. `idle` is the longest time without a statement before the
    /// database may end it, where the database can do that.
    fn begin_effect(
        pool: &Pool<Self>,
        idle: Option<Duration>,
    ) -> impl Future<Output = Sql<Transaction<'static, Self>>> + Send;

    /// Begins a transaction that waits for locks for a limited time only.
    fn begin_take_over(
        pool: &Pool<Self>,
    ) -> impl Future<Output = Sql<Transaction<'static, Self>>> + Send;

    /// Begins a transaction that only reads.
    fn begin_read(
        pool: &Pool<Self>,
    ) -> impl Future<Output = Sql<Transaction<'static, Self>>> + Send;

    /// Records that an event is done. Returns whether that is new.
    fn record(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        record: &NewRecord,
    ) -> impl Future<Output = Sql<bool>> + Send;

    /// Records that events of one consumer are done, in one statement. Returns the ids of those of
    /// which that is new. No two have the same id.
    fn record_all(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        records: &[NewRecord],
    ) -> impl Future<Output = Sql<Vec<Uuid>>> + Send;

    /// Records that an event is dead. Returns whether that is new.
    fn record_dead(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        record: &NewRecord,
        reason: &str,
    ) -> impl Future<Output = Sql<bool>> + Send;

    /// The records of these events.
    fn find(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        consumer: &str,
        ids: &[Uuid],
    ) -> impl Future<Output = Sql<Vec<FoundRecord>>> + Send;

    /// Whether this transaction still has the record of an event that it has written.
    fn has_own_record(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        consumer: &str,
        id: Uuid,
    ) -> impl Future<Output = Sql<bool>> + Send;

    /// Registers a consumer and stream, if they are new.
    fn register_source(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        consumer: &str,
        stream: &str,
    ) -> impl Future<Output = Sql<()>> + Send;

    /// The floor of a consumer in a stream.
    fn floor(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        consumer: &str,
        stream: &str,
    ) -> impl Future<Output = Sql<Option<i64>>> + Send;

    /// Locks the epoch of the owner against a takeover until the end of the transaction, and returns
    /// it.
    fn lock_epoch(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        consumer: &str,
        partition: i32,
    ) -> impl Future<Output = Sql<Option<i64>>> + Send;

    /// Raises the epoch of the owner, if it is lower.
    fn take_over(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        consumer: &str,
        partition: i32,
        epoch: i64,
    ) -> impl Future<Output = Sql<()>> + Send;

    /// Deletes the epochs of a consumer.
    fn forget_epochs(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        consumer: &str,
    ) -> impl Future<Output = Sql<u64>> + Send;

    /// The consumers and streams: consumer, stream, floor.
    fn sources(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
    ) -> impl Future<Output = Sql<Vec<(String, String, i64)>>> + Send;

    /// Claims the cleaning of a source until `until`, in microseconds since 1970, if it is free `now`.
    fn claim_cleaning(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        source: (&str, &str),
        cleaner: Uuid,
        now: i64,
        until: i64,
    ) -> impl Future<Output = Sql<bool>> + Send;

    /// Raises the floor of a source, and returns it.
    fn raise_floor(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        source: (&str, &str),
        acknowledged: i64,
        before: i64,
    ) -> impl Future<Output = Sql<i64>> + Send;

    /// Deletes records of a source that are older than `before`, up to the sequence `floor`.
    fn clean(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        source: (&str, &str),
        before_and_floor: (i64, i64),
        limit: i64,
    ) -> impl Future<Output = Sql<u64>> + Send;

    /// Records of a consumer with an event id above `after`, by id: event, stream, sequence.
    fn records(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        consumer: &str,
        after: Uuid,
        limit: i64,
    ) -> impl Future<Output = Sql<Vec<PlacedRecord>>> + Send;

    /// Sets the sequence of a record. Returns whether there is such a record.
    fn place_record(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        source: (&str, &str),
        event: Uuid,
        sequence: Option<i64>,
    ) -> impl Future<Output = Sql<bool>> + Send;

    /// Lowers the floor of a source. Returns whether it was higher.
    fn lower_floor(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        source: (&str, &str),
        floor: i64,
    ) -> impl Future<Output = Sql<bool>> + Send;

    /// Done, dead, and the time of the oldest record of a consumer.
    fn status(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        consumer: &str,
    ) -> impl Future<Output = Sql<(i64, i64, Option<i64>)>> + Send;

    /// Fails if a table or column of the inbox is missing.
    fn check_tables(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
    ) -> impl Future<Output = Sql<()>> + Send;

    /// Stores a letter, if it is new. Returns whether it is.
    fn put_letter(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        letter: &LetterRow,
    ) -> impl Future<Output = Sql<bool>> + Send;

    /// Letters with an id above `after`, by id, at most `limit`; of a consumer and with a status, if
    /// these are given; without their bodies unless `whole`.
    fn letters(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        which: &WhichLetters<'_>,
    ) -> impl Future<Output = Sql<Vec<LetterRow>>> + Send;

    /// Changes the status of a letter, if it is still `from` and the audit of that time.
    fn set_letter_state(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        id: i64,
        from: &str,
        to: &LetterRow,
    ) -> impl Future<Output = Sql<bool>> + Send;

    /// Deletes a letter.
    fn delete_letter(
        conn: &mut Self::Connection,
        sql: &InboxStatements,
        id: i64,
    ) -> impl Future<Output = Sql<bool>> + Send;
}

/// A record to be written.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    pub consumer: String,
    pub event: Uuid,
    pub redrive: i64,
    pub stream: String,
    pub sequence: Option<i64>,
    /// In microseconds since 1970.
    pub now: i64,
}

/// Event, stream and sequence of a record, whether the event is dead, and when it was recorded, in
/// microseconds since 1970.
pub(crate) type PlacedRecord = (Uuid, String, Option<i64>, bool, i64);

/// A record that was found.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRecord {
    pub event: Uuid,
    pub is_dead: bool,
    pub redrive: i64,
    /// Of a dead event: the reason, as JSON.
    pub reason: Option<String>,
}

/// Which letters are read.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct WhichLetters<'a> {
    pub consumer: Option<&'a str>,
    pub status: Option<&'a str>,
    pub after: i64,
    pub limit: i64,
    pub whole: bool,
}
