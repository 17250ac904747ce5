//! Outboxes and inboxes on SQLite and PostgreSQL for the tests of stores: directly, and behind a pooler
//! that gives each transaction another connection; and a service whose processes tests kill.
//!
//! - `outboxes`: the databases of the tests, as harnesses of the conformance suite;
//! - `troubles`: statements that fail because a database is busy or away;
//! - `inboxes`: the databases as harnesses of the suite of inboxes;
//! - `service`: the service with outbox and inbox, and the steps at which it can be killed.

mod outboxes;

mod troubles;

mod inboxes;

pub mod service;

pub use outboxes::{OnPostgres, OnSqlite, SqlOutbox, sqlite_pool};
