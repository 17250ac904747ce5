//! `cargo xtask schemas`: the `schemas` command line over the examples' events.
//!
//! It runs their binary instead of having the command line itself: everyone waits for
//! xtask to be built, and few need that.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::process::{cargo, exit_code, status};

/// What `cargo xtask schemas` is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A command and what it is told; `--help` has them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the command, whose output and exit code are ours: both are for programs too.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let status = status(&mut command(&args.args))?;
    Ok(exit_code(status).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn command(args: &[OsString]) -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "event-sdk-examples"]);
    command.args(["--features", "schemas", "--bin", "schemas", "--"]);
    command.args(args);
    // Where they are committed, unless another folder is named.
    let named = |arg: &OsString| arg == "--dir" || arg.as_encoded_bytes().starts_with(b"--dir=");
    if !args.iter().any(named) {
        command.args(["--dir", "examples/contracts"]);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(args: &[&str]) -> String {
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        let command = command(&args);
        let words = command.get_args().filter_map(|word| word.to_str());
        words
            .skip_while(|word| *word != "--")
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn the_folder_is_that_of_the_examples_unless_it_is_named() {
        assert_eq!(words(&["list"]), "-- list --dir examples/contracts");
        assert_eq!(words(&["list", "--dir", "x"]), "-- list --dir x");
        assert_eq!(words(&["list", "--dir=x"]), "-- list --dir=x");
    }
}
