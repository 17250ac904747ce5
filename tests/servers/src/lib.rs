//! Real NATS servers and PostgreSQL for tests, on free loopback ports.
//!
//! A [`Server`] has JetStream on, its store in a temporary folder, and ports that no other
//! test has. It can be stopped, killed, paused and restarted where it was. When it is dropped,
//! also by a panic, the process ends and the folder is removed; when the test program itself
//! is killed, a guard beside the server does both.
//!
//! ```no_run
//! # async fn example() -> Result<(), event_sdk_test_servers::Error> {
//! use event_sdk_test_servers::Server;
//!
//! let mut server = Server::start().await?;
//! let url = server.url(); // nats://127.0.0.1:<a free port>
//! server.kill().await?; // as if the machine had lost power
//! server.restart().await?; // the same port, the same store
//! # Ok(())
//! # }
//! ```
//!
//! [`Server::options`] gives it [`Tls`], [`User`]s with [`Permissions`], an [`Operator`], limits,
//! and what else its configuration knows. A [`Cluster`] of three replicates streams, and says
//! which of its servers leads one.
//!
//! [`postgres`] has the same for PostgreSQL: one server for a test program, and a database for each
//! test.
//!
//! `event-sdk-test-programs` finds the servers' programs; `cargo xtask services` installs what the
//! system lacks. This package does not depend on event-sdk.
//!
//! # Modules
//!
//! - `options`: what a test requests of a server: `auth`, `permissions`, `tls`;
//! - `config`: what its configuration file says of them;
//! - `server`, `cluster`: starts one or several; leaders and replicas;
//! - `postgres`: PostgreSQL, and a pooler by transaction;
//! - `secured`: TLS and a user, and the variables of a program that connects so;
//! - `planted`: finds planted secrets and personal data in what a program writes;
//! - `error`: failures.
//!
//! The process of a server, its ports and its folder are those of `event-sdk-nats-server`, which
//! users' tests have too.

pub mod planted;
pub mod postgres;

mod auth;
mod cluster;
mod error;
mod options;
mod permissions;
mod secured;
mod server;
mod tls;

mod config;

pub use auth::{Credentials, NKey, Operator, User};
pub use cluster::Cluster;
pub use error::Error;
pub use event_sdk_nats_server as server_process;
pub use event_sdk_test_programs as programs;
pub use options::Options;
pub use permissions::Permissions;
pub use postgres::Postgres;
pub use secured::Secured;
pub use server::Server;
pub use tls::{Authority, Identity, Tls};
