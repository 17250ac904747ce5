//! Outbox and inbox of services that use [`event_sdk`], without a database.
//!
//! A service uses `event-sdk-sql`, which implements the traits for SQLite and PostgreSQL, and
//! re-exports what a service needs from here.
//!
//! - [`outbox`]: rows of an outbox, and [`OutboxStore`](outbox::OutboxStore), which a database
//!   implements;
//! - [`inbox`]: batches of effects that are divided after a failure, and the retention of records;
//! - [`relay`]: [`Relay`] publishes the rows, those of each key in order, and deletes old ones;
//! - [`StreamReader`]: reads which message a stream has at a sequence, and searches for ids;
//! - [`recover`]: [`Recover`](recover::Recover) compares databases and streams after one of them was
//!   restored from a backup, and repairs the divergences;
//! - [`Wake`]: tells the relays of this process that there are new rows, or will be soon;
//! - [`StoreError`]: the error of all operations.
//!
//! The relay publishes with the public raw publisher of the bus ([`event_sdk::EventBus::raw`]), and
//! reads streams if the transport has the abilities for it.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod error;

pub mod outbox;

pub mod inbox;

mod wake;

mod stream_reader;

pub mod relay;

pub mod recover;

pub use error::{StoreError, StoreErrorKind};
pub use relay::{Relay, RelayReport};
pub use stream_reader::{MessageAt, SearchRange, SearchResult, StreamReader};
pub use wake::Wake;

/// The target of everything that the crate logs with `tracing`.
const TRACING_TARGET: &str = "event_sdk::store";
