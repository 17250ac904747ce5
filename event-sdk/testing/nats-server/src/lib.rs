//! A real `nats-server` for tests: on a free loopback port, with JetStream and a store of its own.
//!
//! A [`NatsServer`] ends with the test: when it is dropped, also by a panic, the process ends and
//! its folder is removed. If the test program itself is killed, a guard process ends the server and
//! removes the folder.
//!
//! # Modules
//!
//! - `options`, `config`: the options of a server, and its configuration file;
//! - `find`: finds the program;
//! - `folder`, `port`: the server's temporary folder and its ports;
//! - `process`: the server's process, which ends with the test; [`Launch`] starts other programs in
//!   the same way;
//! - `server`: [`NatsServer`]: start, stop, kill, pause, restart;
//! - `monitoring`, `wait`: polls until the server is ready;
//! - `error`: failures, with the end of the server's log.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod error;
mod options;

mod server;

mod config;
mod find;
mod folder;
mod monitoring;
mod port;
mod process;
mod wait;

pub use error::Error;
pub use find::PROGRAM_VARIABLE;
pub use options::Options;
pub use port::Port;
pub use process::{Launch, Process};
pub use server::NatsServer;
pub use wait::Patience;

#[cfg(not(unix))]
compile_error!("the test server needs a Unix: it is guarded by `sh` and paused by signals");

/// The README's example has to compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
