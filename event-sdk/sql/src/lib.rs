//! Outbox and inbox of [`event_sdk`] on SQLite and PostgreSQL, in the transaction of the service.
//!
//! ```
//! # #[cfg(feature = "sqlite")]
//! # mod shop {
//! use event_sdk::{Event, EventBus};
//! use event_sdk_sql::{Outbox, Sqlite};
//! use serde::{Deserialize, Serialize};
//!
//! /// An order was placed.
//! #[derive(Event, Serialize, Deserialize)]
//! #[event(domain = "orders")]
//! struct OrderPlaced { #[event(key)] id: i64 }
//!
//! # pub async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let bus = EventBus::memory();
//! let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
//! # sqlx::query("create table orders (id integer)").execute(&pool).await?;
//! let outbox = Outbox::<Sqlite>::new(pool, bus.clone());
//! outbox.migrate().await?; // a deployment step
//!
//! let mut tx = outbox.begin().await?;
//! sqlx::query("insert into orders (id) values (?)").bind(7).execute(&mut *tx).await?;
//! outbox.enqueue(&mut tx, OrderPlaced { id: 7 }).await?;
//! tx.commit().await?; // the order and its event, or neither
//!
//! let mut orders = bus.subscribe::<OrderPlaced>().deliver(event_sdk::transport::DeliverPolicy::All).await?;
//! let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
//! let relay = tokio::spawn(outbox.relay().run_until(async { drop(stopped.await) }));
//! let delivery = orders.next().await.ok_or("the bus was closed")??;
//! assert_eq!(delivery.decode()?.id, 7);
//! delivery.ack().await?;
//! drop(stop);
//! assert_eq!(relay.await??.published, 1);
//! # Ok(())
//! # }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     #[cfg(feature = "sqlite")]
//! #     shop::run().await?;
//! #     Ok(())
//! # }
//! ```
//!
//! - [`Outbox`] stores events in the caller's transaction; its [`relay`](Outbox::relay) publishes them.
//! - [`Tx`] is a transaction whose commit wakes the relay.
//! - [`Inbox`] makes each effect happen once ([`EffectOf`]), and keeps
//!   [dead letters](SqlDeadLetters) in the same database.
//! - [`recover`] compares databases and streams after one of them was restored from a backup, and
//!   repairs the divergences.
//! - [`Tables`] has the names of schema and tables; [`Outbox::migrate`] creates the tables.
//! - [`store_error`] classifies the errors of sqlx.
//!
//! # Features
//!
//! - `sqlite` (default): SQLite, bundled.
//! - `postgres`: PostgreSQL, from version 12.
//! - `tls`: TLS to PostgreSQL with rustls.
//!
//! # Modules
//!
//! - `tables`: names of schema and tables, and SQL with them;
//! - `error`: the class of an error of sqlx;
//! - `migrations`: creates and checks the tables;
//! - `database`: what SQLite and PostgreSQL have in common;
//! - `row`: rows of an outbox as they are read;
//! - `outbox`: the outbox of a service, with `enqueue`, `tx` and `operator`;
//! - `inbox`, `classify`: effects that happen once, and which errors are outages;
//! - `letter_row`, `letters`: dead letters in a table, and their workflow;
//! - `sqlite`, `postgres`: everything that is specific to one database, such as its statements.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(
        dead_code,
        unused_imports,
        unused_macros,
        reason = "without a database, nothing uses what the databases have in common"
    )
)]

mod tables;

mod error;

mod migrations;

mod row;

mod database;

mod outbox;

mod classify;

mod inbox;

mod letter_row;

mod letters;

#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "postgres")]
mod postgres;

pub use classify::class_of;
pub use database::{AsConnection, Store};
pub use error::store_error;
pub use event_sdk_store::inbox::{
    CleanReport, InboxCleaner, InboxSource, InboxStatus, InboxStore, KeptBecause,
};
pub use event_sdk_store::outbox::{
    Counted, OutboxMessage, OutboxStatus, OutboxStore, ParkReason, ParkedEntry, ParkedState,
    WhichParked,
};
pub use event_sdk_store::relay::{InvalidRelay, LossOutcome, StreamLoss};
pub use event_sdk_store::{Relay, RelayReport, StoreError, StoreErrorKind, Wake};
pub use inbox::{
    BatchEffects, Committed, Effect, EffectOf, EffectTx, Effects, Inbox, InboxBuilder,
    InboxDatabase, PublishInEffect,
};
pub use letters::{SqlDeadLetterQueue, SqlDeadLetters, SqlRedrive};
pub use migrations::{SchemaDifference, SchemaVersion};
pub use outbox::{Enqueue, Enqueued, NoEvent, Outbox, Tx};
#[cfg(feature = "postgres")]
pub use sqlx::Postgres;
#[cfg(feature = "sqlite")]
pub use sqlx::Sqlite;
pub use tables::{InvalidTables, Tables};

/// Compares outbox, inboxes and consumers with the streams after a database or a server was
/// restored from a backup, and repairs the divergences.
pub mod recover {
    pub use event_sdk_store::recover::*;
}

/// The examples of the page on outboxes have to compile.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../../docs/outbox.md")]
struct OutboxPage;

/// So have those of the page on inboxes.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../../docs/inbox.md")]
struct InboxPage;

/// So has that of the page on restores.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../../docs/recover.md")]
struct RecoverPage;
