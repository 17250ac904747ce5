//! Developer commands of this workspace: `cargo xtask <command>`.
//!
//! Each command has a file of its own; this one parses the command line.
//!
//! - `test`, `ci`, `long`, `tidy`, `package_check`, `bench`, `schemas`, `events`, `differential`, `services`:
//!   the commands of these names;
//! - `metadata`, `outside`, `process`, `toolchain`, `version`: shared by them.

mod bench;
mod ci;
mod differential;
mod events;
mod long;
mod package_check;
mod schemas;
mod services;
mod test;
mod tidy;

mod metadata;
mod outside;
mod process;
mod toolchain;
mod version;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use metadata::Metadata;

/// The developer commands of this workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The commands, each in the file of its name.
#[derive(Subcommand)]
enum Command {
    /// Run all tests of the workspace
    Test(test::Args),
    /// Run everything that must hold before a change is merged
    Ci(ci::Args),
    /// Run in full the tests of which the CI runs a small part
    Long(long::Args),
    /// Check the rules for packages, modules and files, or print a map of them
    Tidy(tidy::Args),
    /// Pack the crates as for a registry, and build and run a service on the packages
    PackageCheck,
    /// Run the benchmarks, headed by a line that describes the machine
    Bench(bench::Args),
    /// Run the command line `schemas` over the events of the examples
    Schemas(schemas::Args),
    /// Run the operations command line over the events of the examples
    Events(events::Args),
    /// Hold the engine of schema compatibility against another checker, jsoncompat
    Differential(differential::Args),
    /// Find the servers and clients that tests use, install what is missing, or run a server
    Services(services::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Test(args) => test::run(&args),
        Command::Ci(args) => ci::run(&args),
        Command::Long(args) => long::run(&args),
        Command::Tidy(args) => tidy::run(&args),
        Command::PackageCheck => Metadata::workspace().and_then(|all| package_check::run(&all)),
        Command::Bench(args) => bench::run(&args),
        Command::Schemas(args) => return ended(schemas::run(&args)),
        Command::Events(args) => return events::run(&args),
        Command::Differential(args) => differential::run(&args),
        Command::Services(args) => services::run(&args),
    };
    ended(outcome.map(|()| ExitCode::SUCCESS))
}

fn ended(outcome: Result<ExitCode>) -> ExitCode {
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
