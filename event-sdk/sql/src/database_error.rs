//! `DatabaseError`: an error of sqlx as the source of other errors, without the data that the text of a
//! database may have.

use std::error::Error as StdError;
use std::fmt;

/// An error of sqlx, as the source of a [`StoreError`](crate::StoreError) or of an error of a
/// consumer.
///
/// **Personal data.** The text of a database may contain data of an event: the value that cannot be
/// converted, the row that violates a constraint, the text of a trigger. `Display` and `Debug` show
/// the text only where it names nothing but tables, columns, users and other parts of the database,
/// and otherwise the code of the error, with the table and the constraint if they are known. On
/// PostgreSQL, a function or a trigger chooses the text, the code, the table and the constraint of the
/// errors that it raises. Of an error that comes from a function or a trigger, only the code is shown.
/// [`expose`](Self::expose) returns the error itself.
pub struct DatabaseError(sqlx::Error);

impl DatabaseError {
    pub(crate) fn new(error: sqlx::Error) -> Self {
        Self(error)
    }

    /// The error of sqlx, **whose text may contain data of an event**. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &sqlx::Error {
        &self.0
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                let by_server = is_written_by_server(error.as_ref());
                if by_server && names_parts_only(&code, error.message()) {
                    return self.0.fmt(f);
                }
                write!(f, "error returned from database: code {code:?}")?;
                if !by_server {
                    return Ok(());
                }
                if let Some(table) = error.table() {
                    write!(f, ", table {table:?}")?;
                }
                match error.constraint() {
                    Some(constraint) => write!(f, ", constraint {constraint:?}"),
                    None => Ok(()),
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::RowNotFound
            | sqlx::Error::TypeNotFound { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. }
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => self.0.fmt(f),
            sqlx::Error::Encode(_) => f.write_str("a value cannot be encoded"),
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
                f.write_str("a value cannot be decoded")
            }
            sqlx::Error::Protocol(_) => f.write_str("the server sent what was not expected"),
            _ => f.write_str("an error of sqlx"),
        }
    }
}

impl fmt::Debug for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DatabaseError")
            .field(&self.to_string())
            .finish()
    }
}

impl StdError for DatabaseError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0 {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) => self.0.source(),
            _ => None,
        }
    }
}

/// Whether the database itself wrote the text and the names of an error, so that its code says what
/// they contain. On PostgreSQL, an error from a function or a trigger has a context (`where`).
#[cfg(feature = "postgres")]
fn is_written_by_server(error: &(dyn sqlx::error::DatabaseError + 'static)) -> bool {
    error
        .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
        .is_none_or(|error| error.r#where().is_none() && error.routine() != Some("exec_stmt_raise"))
}

/// On SQLite, the code of an error that a trigger raises is one whose text is not shown.
#[cfg(not(feature = "postgres"))]
fn is_written_by_server(_: &(dyn sqlx::error::DatabaseError + 'static)) -> bool {
    true
}

/// Whether the texts of this code have names of tables, users and the like, and no values.
fn names_parts_only(code: &str, message: &str) -> bool {
    const CLASSES: [&str; 11] = [
        "08", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58",
    ];
    match code.parse::<u32>() {
        // The codes of SQLite are numbers up to four digits; the lowest byte is the primary code.
        Ok(number) if code.len() < 5 => match number & 0xff {
            3 | 5 | 6 | 8 | 10 | 11 | 13 | 14 | 23 | 26 => true,
            1 => message.starts_with("no such table") || message.starts_with("no such column"),
            _ => false,
        },
        _ => code.get(..2).is_some_and(|class| CLASSES.contains(&class)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_may_have_values_are_not_shown() {
        for (code, message, shown) in [
            ("28P01", "password authentication failed for user", true),
            ("42P01", "relation \"event_outbox\" does not exist", true),
            ("22P02", "invalid input syntax for type integer", false),
            ("23514", "new row violates a check", false),
            ("P0001", "raised by a trigger", false),
            ("XX000", "an internal error", false),
            ("", "", false),
            ("5", "database is locked", true),
            ("1", "no such table: event_outbox", true),
            ("1", "a text of a function", false),
            ("1811", "raised by a trigger", false),
        ] {
            assert_eq!(names_parts_only(code, message), shown, "{code} {message}");
        }
        let text = "Ada";
        for error in [
            sqlx::Error::Protocol(text.to_owned()),
            sqlx::Error::Encode(text.into()),
            sqlx::Error::Decode(text.into()),
            sqlx::Error::Configuration(text.into()),
            sqlx::Error::ColumnDecode {
                index: "0".to_owned(),
                source: text.into(),
            },
        ] {
            let error = DatabaseError::new(error);
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(text), "{shown}");
            assert!(error.source().is_none());
            assert!(error.expose().to_string().contains(text));
        }
    }

    #[test]
    fn a_connection_that_failed_is_in_the_chain() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let error = DatabaseError::new(sqlx::Error::Io(refused));
        assert!(error.to_string().contains("connection refused"), "{error}");
        let source = error.source().expect("a source");
        assert!(source.is::<std::io::Error>(), "{source:?}");
    }
}
