//! Outboxes and inboxes on SQLite and PostgreSQL for the tests of stores: directly, and behind a pooler
//! that gives each transaction another connection.
//!
//! - `outboxes`: the databases of the tests, as harnesses of the conformance suite;
//! - `troubles`: statements that fail because a database is busy or away;
//! - `inboxes`: the databases as harnesses of the suite of inboxes.

mod outboxes;

mod troubles;

mod inboxes;

pub use outboxes::{OnPostgres, OnSqlite, SqlOutbox, sqlite_pool};
