//! Commands for people and programs that operate services on event-sdk.
//!
//! Your own program provides these commands, with its events and topology. So the commands decode
//! your events and know what is declared:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use event_sdk::stream::StreamSpec;
//! use event_sdk_ops::Operations;
//! use event_sdk_topology::Topology;
//!
//! const SHOP: Topology = Topology::new(const { &[StreamSpec::constant("ORDERS", &["orders.>"])] });
//!
//! #[tokio::main]
//! async fn main() -> ExitCode {
//!     event_sdk_ops::run(&Operations::new("shop").topology(SHOP)).await
//! }
//! ```
//!
//! The commands connect to the server that [`event_sdk::config`] names: in the environment, or in
//! the file of `--config`.
//!
//! [docs/commands.md](https://github.com/event-sdk/event-sdk/blob/main/docs/commands.md) describes
//! each command with an example.
//!
//! # Exit codes
//!
//! | code | means |
//! |---|---|
//! | 0 | the command did its work, and found nothing wrong |
//! | 1 | something was found that needs attention, or a change was refused; it is on the standard output |
//! | 2 | the command could not do its work (a wrong argument, a server that is away, a missing permission); why is on the standard error |
//! | 3 | the command did its work, and there is more than it was told to show (`trace` with `--limit`); the standard error says so |
//!
//! # Changes
//!
//! A command that changes something has the option `--dry-run`: it says what it would do and
//! changes nothing. After a change, an *audit line* says who (`--by`, or `USER` of the environment)
//! changed what, and why (`--because`). The audit line is written to the standard error, and as an
//! event of `tracing` with the target `event_sdk_ops::audit`. On a terminal, a command that
//! destroys data asks first; in a pipe, it does nothing without `--yes`.
//!
//! # Personal data
//!
//! Bodies, keys, header values and reasons written by other clients can hold personal data. No
//! command shows them without `--show-personal-data`. Names of fields, and subjects, are always
//! shown.
//!
//! # Features
//!
//! - `backup`: the commands `streams backup` and `streams restore`;
//! - `nats`: the commands `streams export` and `streams import`, for files of the `nats` command line;
//! - `outbox`: the commands `outbox` and `recover`, over the stores of `event-sdk-store`.
//!
//! # Output
//!
//! Times are written as RFC 3339. In JSON, sizes and durations are numbers, in fields that end with
//! `_bytes` and `_seconds`. A value that is unknown or unlimited is left out or `null`. On a
//! terminal, the progress of long work is written to the standard error.
//!
//! Colours are used only on a terminal, and only if `NO_COLOR` is not set; `--color` overrides
//! this. With `--json`, the standard output is one JSON document. A command that runs until it is
//! stopped writes one JSON document per line.
//!
//! # Modules
//!
//! - `operations`: [`Operations`], what the commands know of a program;
//! - `run`: reads the arguments, and runs a command on a [`Screen`];
//! - `command`: the commands, each in the file of its name;
//! - `context`: what a command works with;
//! - `change`: dry runs, the audit line, and the question before data is destroyed;
//! - `output`: tables for people, JSON for programs;
//! - `units`: sizes, durations and times as people read them;
//! - `view`: an event as it is shown, with its personal data hidden;
//! - `error`: why a command could not do its work.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod operations;

mod run;

mod command;

mod context;

mod change;

mod output;

mod units;

mod view;

mod error;

pub use operations::{Collect, Operations};
pub use run::{Screen, commands, run, run_on, run_with};

/// For our own tests; not public API.
#[doc(hidden)]
pub mod __private {
    pub use crate::run::check;
}

/// The examples of the page on commands have to compile.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/commands.md")]
struct Page;

/// So has that of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
