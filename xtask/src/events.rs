//! `cargo xtask events`: the operations command line over the examples' events.
//!
//! It runs their binary instead of having the command line itself, as `schemas` does.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::process::{cargo, status};

/// What `cargo xtask events` is told.
#[derive(clap::Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// A command and what it is told; `--help` has them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the command, whose output and exit code are ours: both are for programs too.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "event-sdk-examples"]);
    command.args(["--features", "operations", "--bin", "operations", "--"]);
    let status = status(command.args(&args.args))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
