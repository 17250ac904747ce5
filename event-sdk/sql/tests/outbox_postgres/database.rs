//! PostgreSQL for the tests: a database of its own on the server of the test program.

use std::time::Duration;

use event_sdk_sql::StoreErrorKind;
use event_sdk_test_servers::postgres::{Database, Postgres};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::rig::PATIENCE;

pub(crate) type Db = sqlx::Postgres;

/// Keeps the database.
pub(crate) type Home = Database;

/// A database without tables.
pub(crate) async fn open() -> (Home, PgPool) {
    open_pool(5, PATIENCE).await
}

/// A database without tables, and a pool that is as small and as impatient as this.
pub(crate) async fn open_pool(connections: u32, acquire: Duration) -> (Home, PgPool) {
    let server = Postgres::shared().await.expect("a server");
    let database = server.database().await.expect("a database");
    let pool = connect_with(&database.url(), connections, acquire).await;
    (database, pool)
}

pub(crate) async fn connect(url: &str) -> PgPool {
    connect_with(url, 5, PATIENCE).await
}

async fn connect_with(url: &str, connections: u32, acquire: Duration) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(acquire)
        .connect(url)
        .await
        .expect("a connection")
}

/// The next ids begin at 1,000.
pub(crate) const IDS_FROM_1000: &str = "alter table event_outbox alter column id restart with 1000";

/// Inserts a copy of row 1,000 with another id, key, message id and data.
pub(crate) const LATE_ROW: &str = r#"
    insert into event_outbox (id, key, subject, message_id, body) overriding system value
    select $1, $2, subject, $3,
        convert_to(replace(convert_from(body, 'UTF8'), '"order":"a","n":0', $4), 'UTF8')
    from event_outbox where id = 1000"#;

/// The trigger calls a function that this statement begins; the body follows.
macro_rules! refuse {
    ($body:literal) => {
        concat!(
            "create function refuse() returns trigger language plpgsql as $$ begin ",
            $body,
            " end $$; create trigger refuses before insert on event_outbox
                for each row execute function refuse()"
        )
    };
}

/// Triggers that refuse rows, and show their keys in errors of these kinds: PL/pgSQL chooses text, code
/// and names freely.
pub(crate) const REFUSE_ROWS: &[(&str, StoreErrorKind)] = &[
    (
        refuse!("raise exception 'no %', new.key;"),
        StoreErrorKind::Other,
    ),
    (
        refuse!("raise exception 'no %', new.key using errcode = '42501';"),
        StoreErrorKind::PermissionDenied,
    ),
    (
        refuse!(
            "raise exception 'no' using errcode = '23514', table = new.key, constraint = new.key;"
        ),
        StoreErrorKind::Other,
    ),
    // Dynamic SQL: a syntax error, and a table that does not exist.
    (refuse!("execute new.key;"), StoreErrorKind::Other),
    (
        refuse!("execute format('select 1 from %I', new.key);"),
        StoreErrorKind::SchemaMissing,
    ),
];

/// Inserts `$1` rows that were published at `$2`, with the sequences after `$3`.
pub(crate) const PUBLISHED_ROWS: &str = "
    insert into event_outbox (subject, message_id, body, state, published_at, stream, sequence)
    select 'events.orders.order.placed', 'published ' || n, '', 2, $2 + n, 'ALL', $3 + n
    from generate_series(1, $1::bigint) n";

/// What a program in another language does.
pub(crate) const FOREIGN_INSERT: &str = r#"
    select event_outbox_enqueue('events.orders.order.placed',
        '0193e3c8-2a7e-7e3c-9d2a-5c1f6d1b2a01',
        convert_to('{"event_id":"0193e3c8-2a7e-7e3c-9d2a-5c1f6d1b2a01",
            "event_type":"order.placed","timestamp":"2026-11-30T12:00:00Z",
            "data":{"order":"a","n":1}}', 'UTF8'), 'a')"#;
