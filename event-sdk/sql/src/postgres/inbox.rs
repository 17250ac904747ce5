//! The inbox and the dead letters on PostgreSQL.
//!
//! No statement is prepared by name, every one is in an explicit transaction, and no setting or lock
//! outlives it, so that all of this works behind a proxy that gives each transaction another connection.

use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Pool, Postgres, Row as _, Transaction};
use uuid::Uuid;

use super::begin::{begin, begin_with};
use crate::inbox::database::{FoundRecord, InboxSql, NewRecord, PlacedRecord, Sql, WhichLetters};
use crate::inbox::on_database::{inbox_rows_of, inbox_statements_on};
use crate::inbox::statements::{Dialect, InboxStatements, InboxTables};
use crate::letter_row::LetterRow;

const DIALECT: Dialect = Dialect {
    // In one order, so that two batches with the same events do not wait for each other.
    batch: "(SELECT * FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::bigint[]) \
            AS events (event_id, redrive, stream, sequence) ORDER BY event_id) AS batch",
    is_listed: "event_id = ANY($2::uuid[])",
    // A statement that failed has ended the transaction, and its COMMIT would roll back without an
    // error; here it fails. `xmin` has the lower half of the number of the transaction.
    is_own: "xmin::text = (txid_current() % 4294967296)::text",
    for_share: "FOR SHARE",
    skip_locked: "FOR UPDATE OF old SKIP LOCKED",
};

/// A takeover waits for effects of the owner before, for 5 seconds at most.
const BEGIN_TAKE_OVER: &str = "BEGIN; SET LOCAL lock_timeout = '5s'";

impl InboxSql for Postgres {
    fn inbox_statements(tables: &InboxTables) -> InboxStatements {
        InboxStatements::new(tables, DIALECT)
    }

    async fn begin_write(pool: &Pool<Self>) -> Sql<Transaction<'static, Self>> {
        begin(pool).await
    }

    async fn begin_effect(
        pool: &Pool<Self>,
        idle: Option<Duration>,
    ) -> Sql<Transaction<'static, Self>> {
        let Some(idle) = idle else {
            // That of the server stays.
            return begin(pool).await;
        };
        let millis = idle.as_millis().clamp(1, 2_147_483_647);
        // One message, so that the limit costs no round trip.
        let statement = format!("BEGIN; SET LOCAL idle_in_transaction_session_timeout = {millis}");
        begin_with(pool, AssertSqlSafe(statement)).await
    }

    async fn begin_take_over(pool: &Pool<Self>) -> Sql<Transaction<'static, Self>> {
        begin_with(pool, BEGIN_TAKE_OVER).await
    }

    async fn begin_read(pool: &Pool<Self>) -> Sql<Transaction<'static, Self>> {
        begin_with(pool, "BEGIN READ ONLY").await
    }

    async fn record_all(
        conn: &mut PgConnection,
        sql: &InboxStatements,
        records: &[NewRecord],
    ) -> Sql<Vec<Uuid>> {
        let Some(first) = records.first() else {
            return Ok(Vec::new());
        };
        let ids: Vec<_> = records.iter().map(|record| record.event).collect();
        let redrives: Vec<_> = records.iter().map(|record| record.redrive).collect();
        let streams: Vec<_> = records.iter().map(|record| &*record.stream).collect();
        let sequences: Vec<_> = records.iter().map(|record| record.sequence).collect();
        let new = query(sql.record_all.sql())
            .bind(&first.consumer)
            .bind(first.now)
            .bind(ids)
            .bind(redrives)
            .bind(streams)
            .bind(sequences)
            .fetch_all(conn);
        new.await?.iter().map(|row| row.try_get(0)).collect()
    }

    async fn find(
        conn: &mut PgConnection,
        sql: &InboxStatements,
        consumer: &str,
        ids: &[Uuid],
    ) -> Sql<Vec<FoundRecord>> {
        let found = query(sql.find.sql())
            .bind(consumer)
            .bind(ids)
            .fetch_all(conn);
        found.await?.iter().map(found_record).collect()
    }

    inbox_statements_on!(PgConnection, PgRow, query);
}

inbox_rows_of!(PgRow);

/// A statement without a name, which a proxy may send over another connection each time.
fn query<'q>(sql: impl sqlx::SqlSafeStr) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(sql).persistent(false)
}
