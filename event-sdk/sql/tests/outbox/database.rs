//! SQLite for the tests: a file in a folder of its own.

use std::time::Duration;

use event_sdk_sql::StoreErrorKind;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

use crate::rig::PATIENCE;

pub(crate) type Db = sqlx::Sqlite;

/// Keeps the database.
pub(crate) type Home = tempfile::TempDir;

/// A database without tables.
pub(crate) async fn open() -> (Home, SqlitePool) {
    let home = tempfile::tempdir().expect("a folder");
    let pool = open_with(&home, 4, PATIENCE, PATIENCE).await;
    (home, pool)
}

/// A database without tables, and a pool that is as small and as impatient as this.
pub(crate) async fn open_pool(connections: u32, acquire: Duration) -> (Home, SqlitePool) {
    let home = tempfile::tempdir().expect("a folder");
    let pool = open_with(&home, connections, PATIENCE, acquire).await;
    (home, pool)
}

/// The next ids begin at 1,000, and lower ones may still come: the table loses its `autoincrement`. With
/// it, SQLite gives each transaction higher ids than all that were committed before.
pub(crate) const IDS_FROM_1000: &str = "
    pragma writable_schema = on;
    update sqlite_schema set sql = replace(sql, ' autoincrement', '') where name = 'event_outbox';
    pragma writable_schema = reset;
    delete from sqlite_sequence where name = 'event_outbox';
    -- Tells the other connections.
    create table changed (id integer);
    insert into event_outbox (id, subject, message_id, body, not_before)
    values (999, 'never', 'never', x'', 9000000000000000)";

/// Inserts a copy of row 1,000 with another id, key, message id and data.
pub(crate) const LATE_ROW: &str = r#"
    insert into event_outbox (id, key, subject, message_id, body)
    select ?1, ?2, subject, ?3,
        cast(replace(cast(body as text), '"order":"a","n":0', ?4) as blob)
    from event_outbox where id = 1000"#;

/// Triggers that refuse rows, with a text of their own, and the kinds of their errors.
pub(crate) const REFUSE_ROWS: &[(&str, StoreErrorKind)] = &[(
    "create trigger refuses before insert on event_outbox begin
        select raise(abort, 'no Ada');
    end",
    StoreErrorKind::Other,
)];

/// Inserts `$1` rows that were published at `$2`, with the sequences after `$3`.
pub(crate) const PUBLISHED_ROWS: &str = "
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < $1)
    insert into event_outbox (subject, message_id, body, state, published_at, stream, sequence)
    select 'events.orders.order.placed', 'published ' || n, x'', 2, $2 + n, 'ALL', $3 + n
    from numbers";

/// What a program in another language does.
pub(crate) const FOREIGN_INSERT: &str = r#"
    insert into event_outbox (key, subject, message_id, body) values ('a',
        'events.orders.order.placed', '0193e3c8-2a7e-7e3c-9d2a-5c1f6d1b2a01',
        cast('{"event_id":"0193e3c8-2a7e-7e3c-9d2a-5c1f6d1b2a01","event_type":"order.placed",
            "timestamp":"2026-11-30T12:00:00Z","data":{"order":"a","n":1}}' as blob))"#;

pub(crate) async fn open_with(
    folder: &Home,
    connections: u32,
    busy: Duration,
    acquire: Duration,
) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("shop.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(busy);
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(acquire)
        .connect_with(options)
        .await
        .expect("a database")
}
