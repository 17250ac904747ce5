//! `cargo xtask events`: the operations command line over the examples' events.
//!
//! It runs their binary instead of having the command line itself, as `schemas` does.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::process::{cargo, exit_code, root};

/// The exit code of a command that could not do its work.
const FAILED: u8 = 2;

/// What `cargo xtask events` is told.
#[derive(clap::Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// A command and what it is told; `--help` has them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Runs the command, whose input, output and exit code are ours: they are for programs too.
pub(crate) fn run(args: &Args) -> ExitCode {
    ExitCode::from(ended(&mut command(&args.args)).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        FAILED
    }))
}

fn ended(command: &mut Command) -> Result<u8> {
    let status = command.status();
    let status =
        status.with_context(|| format!("could not start `{}`", command.get_program().display()))?;
    Ok(exit_code(status).unwrap_or(FAILED))
}

/// In the folder where it is called, by which files are named.
fn command(args: &[OsString]) -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--manifest-path"]);
    command.arg(root().join("Cargo.toml"));
    command.args([
        "--package",
        "event-sdk-examples",
        "--features",
        "operations",
    ]);
    command.args(["--bin", "operations", "--"]);
    command.args(args);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn the_exit_code_is_that_of_the_command_also_if_a_signal_ends_it() {
        for (script, code) in [
            ("exit 0", 0),
            ("exit 1", 1),
            ("exit 2", 2),
            ("kill -TERM $$", 143),
            ("kill -KILL $$", 137),
        ] {
            let ended = ended(Command::new("sh").args(["-c", script]));
            assert_eq!(ended.unwrap(), code, "{script}");
        }
        let error = ended(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(
            error.to_string().contains("no-such-program-here"),
            "{error}"
        );
    }

    #[test]
    fn what_it_is_told_is_passed_on() {
        let command = command(&["dlq".into(), "--help".into()]);
        let words: Vec<_> = command
            .get_args()
            .filter_map(|word| word.to_str())
            .collect();
        assert!(words.ends_with(&["--", "dlq", "--help"]), "{words:?}");
        assert_eq!(command.get_current_dir(), None);
    }
}
