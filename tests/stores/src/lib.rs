//! Outboxes on SQLite and PostgreSQL for the tests of stores: directly, and behind a pooler that gives
//! each transaction another connection.
//!
//! - `outboxes`: the databases of the tests, as harnesses of the conformance suite.

mod outboxes;

pub use outboxes::{OnPostgres, OnSqlite, SqlOutbox, sqlite_pool};
