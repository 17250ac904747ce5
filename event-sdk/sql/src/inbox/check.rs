//! Checks that this program can work with the tables of the inbox and the dead letters: their version,
//! and that they can be read.

use std::error::Error as _;

use event_sdk::transport::{Error, ErrorKind, Operation};
use event_sdk_store::{StoreError, StoreErrorKind};

use super::Inner;
use super::database::InboxDatabase;
use crate::error::store_error;
use crate::{DatabaseError, SchemaVersion};

impl<DB: InboxDatabase> Inner<DB> {
    /// The check at a start: the version of the tables, and that the user can read them.
    pub(crate) async fn check_tables(&self) -> Result<SchemaVersion, StoreError> {
        let version = DB::check(&self.pool, &self.tables).await?;
        self.known().version_fits = true;
        let read = async {
            let mut transaction = DB::begin_read(&self.pool).await?;
            DB::check_tables(&mut transaction, &self.sql).await?;
            transaction.rollback().await
        };
        read.await.map_err(store_error)?;
        Ok(version)
    }

    /// The check of the version, once for each process: for cleaners and operators, which have no
    /// start of their own.
    pub(crate) async fn check_version(&self) -> Result<(), StoreError> {
        if !self.known().version_fits {
            DB::check(&self.pool, &self.tables).await?;
            self.known().version_fits = true;
        }
        Ok(())
    }
}

/// The error that the tables cannot be used, with what to do about it. The error of the store is its
/// source.
pub(crate) fn unusable(error: StoreError) -> Error {
    let no_connection = error
        .source()
        .and_then(|source| source.downcast_ref::<DatabaseError>())
        .is_some_and(|source| matches!(source.expose(), sqlx::Error::PoolTimedOut));
    let (kind, reason) = match error.kind() {
        _ if no_connection => (
            ErrorKind::Disconnected,
            "the pool of the inbox has no free connection: give it more connections, or end transactions that stay open",
        ),
        kind if kind.is_outage() => (
            ErrorKind::Disconnected,
            "the database of the inbox is busy or unavailable",
        ),
        StoreErrorKind::SchemaNewer => (
            ErrorKind::InvalidOption,
            "the tables of the inbox are newer than this program can use: start a newer program",
        ),
        StoreErrorKind::SchemaOlder => (
            ErrorKind::InvalidOption,
            "the tables of the inbox are older than this program needs: run the migrations",
        ),
        _ => (
            ErrorKind::InvalidOption,
            "the tables of the inbox are missing or cannot be read; run the migrations, and check the privileges of the database user",
        ),
    };
    Error::new(kind, Operation::Configure, reason).with_source(error)
}
