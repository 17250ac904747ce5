//! Outboxes on SQLite and PostgreSQL for the tests of stores: directly, and behind a pooler that gives
//! each transaction another connection; and a service whose processes tests kill.
//!
//! - `outboxes`: the databases of the tests, as harnesses of the conformance suite;
//! - `service`: the service with outbox and inbox, and the steps at which it can be killed.

mod outboxes;

pub mod service;

pub use outboxes::{OnPostgres, OnSqlite, SqlOutbox, sqlite_pool};
