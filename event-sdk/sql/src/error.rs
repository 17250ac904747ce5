//! `store_error`: the kind of an error of sqlx, which says whether the database is unavailable for
//! now.

use event_sdk_store::{StoreError, StoreErrorKind};

/// Classifies an error of sqlx.
///
/// - [`Busy`](StoreErrorKind::Busy): SQLite's `busy` and `locked`, PostgreSQL's lock timeout (55P03);
/// - [`Conflict`](StoreErrorKind::Conflict): deadlock (40P01), serialization failure (40001) and the
///   rest of class 40;
/// - [`Unavailable`](StoreErrorKind::Unavailable): no connection from the pool in time, a closed
///   pool, errors of the socket, SQLite's `cantopen` and `ioerr`, PostgreSQL's classes 08 and 57P
///   (shutdown, crash, starting), a statement that was cancelled (57014), and a server that is
///   read-only (25006), which happens for a while after a failover;
/// - [`Full`](StoreErrorKind::Full): SQLite's `full`, PostgreSQL's class 53;
/// - [`SchemaMissing`](StoreErrorKind::SchemaMissing): a table or column does not exist;
/// - [`PermissionDenied`](StoreErrorKind::PermissionDenied): SQLite's `readonly`, `auth` and `perm`,
///   PostgreSQL's 42501;
/// - [`InvalidText`](StoreErrorKind::InvalidText): a text with U+0000 on PostgreSQL (22021, 22P05);
/// - [`Other`](StoreErrorKind::Other) otherwise.
///
/// The error itself is the source. `Display` of the result contains neither values nor SQL.
pub fn store_error(error: sqlx::Error) -> StoreError {
    let (kind, reason) = classify(&error);
    StoreError::new(kind, reason).with_source(error)
}

/// The kind of an error of sqlx, for those who keep the error.
pub(crate) fn classify(error: &sqlx::Error) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind as Kind;
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            match code.parse::<u32>() {
                // SQLSTATE has five characters; the codes of SQLite are numbers up to four digits.
                Ok(code) if error.code().is_some_and(|text| text.len() < 5) => {
                    of_sqlite(code, error.message())
                }
                _ => of_postgres(&code),
            }
        }
        sqlx::Error::PoolTimedOut => (
            Kind::Unavailable,
            "the pool has no free connection in time; see the formula for the size of the pool",
        ),
        sqlx::Error::PoolClosed => (Kind::Unavailable, "the pool was closed"),
        sqlx::Error::Io(_) => (Kind::Unavailable, "the connection to the database failed"),
        sqlx::Error::Tls(_) => (
            Kind::Unavailable,
            "no TLS connection to the database can be made",
        ),
        sqlx::Error::WorkerCrashed => (
            Kind::Unavailable,
            "the thread of the SQLite connection has ended",
        ),
        sqlx::Error::BeginFailed => (Kind::Unavailable, "the transaction could not begin"),
        _ => (Kind::Other, "the database operation failed"),
    }
}

fn of_sqlite(code: u32, message: &str) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind as Kind;
    // The lowest byte is the primary code.
    match code & 0xff {
        5 | 6 => (
            Kind::Busy,
            "another transaction holds the SQLite database for too long",
        ),
        10 => (Kind::Unavailable, "SQLite cannot read or write its file"),
        13 => (Kind::Full, "the disk of the SQLite database is full"),
        14 => (Kind::Unavailable, "SQLite cannot open its file"),
        3 | 8 | 23 => (
            Kind::PermissionDenied,
            "the SQLite database does not allow this",
        ),
        11 | 26 => (
            Kind::Damaged,
            "the file is no SQLite database, or is damaged",
        ),
        1 if message.starts_with("no such table") || message.starts_with("no such column") => {
            (Kind::SchemaMissing, MISSING)
        }
        _ => (Kind::Other, "the database operation failed"),
    }
}

fn of_postgres(code: &str) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind as Kind;
    match (code.get(..2), code) {
        (_, "55P03") => (Kind::Busy, "another transaction holds a lock for too long"),
        (Some("40"), _) => (
            Kind::Conflict,
            "the database ended the transaction because of another one",
        ),
        (_, "57014") => (
            Kind::Unavailable,
            "the statement was cancelled, or took longer than its timeout",
        ),
        (Some("08"), _) => (Kind::Unavailable, "the connection to the database failed"),
        (Some("57"), _) => (Kind::Unavailable, "the database is stopping or starting"),
        (Some("53"), _) => (
            Kind::Full,
            "the database has no room: disk, memory or connections",
        ),
        (_, "25P03" | "25P04") => (
            Kind::Unavailable,
            "the transaction took longer than the database allows",
        ),
        (_, "42P01" | "42703" | "3F000") => (Kind::SchemaMissing, MISSING),
        (_, "25006") => (
            Kind::Unavailable,
            "PostgreSQL only reads, as for a while after a failover; if it lasts, connect to the primary",
        ),
        (_, "22021" | "22P05") => (
            Kind::InvalidText,
            "a text contains U+0000 or another character that PostgreSQL cannot store",
        ),
        (_, "42501") => (
            Kind::PermissionDenied,
            "the database user may not do this; docs/outbox.md lists the privileges",
        ),
        _ => (Kind::Other, "the database operation failed"),
    }
}

const MISSING: &str = "a table or column does not exist: run `migrate` in a deployment step, or correct the names in `Tables`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstates_have_the_documented_kinds() {
        use StoreErrorKind as Kind;
        for (code, kind) in [
            ("55P03", Kind::Busy),
            ("40001", Kind::Conflict),
            ("40P01", Kind::Conflict),
            ("57P01", Kind::Unavailable),
            ("57014", Kind::Unavailable),
            ("08006", Kind::Unavailable),
            ("53100", Kind::Full),
            ("53300", Kind::Full),
            ("42P01", Kind::SchemaMissing),
            ("42501", Kind::PermissionDenied),
            ("22021", Kind::InvalidText),
            ("23505", Kind::Other),
            ("", Kind::Other),
        ] {
            assert_eq!(of_postgres(code).0, kind, "{code}");
        }
    }

    #[test]
    fn codes_of_sqlite_have_the_documented_kinds() {
        use StoreErrorKind as Kind;
        for (code, message, kind) in [
            (5, "database is locked", Kind::Busy),
            (517, "database is locked", Kind::Busy),
            (262, "database table is locked", Kind::Busy),
            (13, "database or disk is full", Kind::Full),
            (14, "unable to open database file", Kind::Unavailable),
            (
                8,
                "attempt to write a readonly database",
                Kind::PermissionDenied,
            ),
            (1, "no such table: event_outbox", Kind::SchemaMissing),
            (1, "near \"x\": syntax error", Kind::Other),
            (2067, "UNIQUE constraint failed", Kind::Other),
        ] {
            assert_eq!(of_sqlite(code, message).0, kind, "{code}");
        }
    }
}
