//! `cargo xtask bench peers`: the benchmarks beside other libraries.
//!
//! Their package is no member of the workspace (its `Cargo.toml` says why).

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::Args;
use crate::metadata::Metadata;
use crate::process::{cargo, run as run_command};

const NAME: &str = "peers";

/// Whether they are what is to run; they run alone.
pub(super) fn are_named(names: &[String]) -> Result<bool> {
    match names {
        [name] if name == NAME => Ok(true),
        names if names.iter().any(|name| name == NAME) => {
            bail!("`{NAME}` is a package of its own: name it alone")
        }
        _ => Ok(false),
    }
}

pub(super) fn run(workspace: &Metadata, args: &Args) -> Result<()> {
    if args.against.is_some() {
        bail!("`{NAME}` cannot be compared with another revision");
    }
    let folder = workspace.target_directory.join(NAME);
    run_command(&mut command(folder, args))
}

fn command(folder: PathBuf, args: &Args) -> Command {
    let mut command = cargo();
    command.args(["run", "--release", "--locked"]);
    command.args(["--manifest-path", "tests/peers/Cargo.toml"]);
    command.arg("--target-dir").arg(folder);
    command.arg("--").args(&args.harness);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Result<bool> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        are_named(&names)
    }

    #[test]
    fn they_run_if_they_are_named_alone() {
        assert!(named(&["peers"]).unwrap());
        assert!(!named(&[]).unwrap());
        assert!(!named(&["speed"]).unwrap());
        assert!(named(&["speed", "peers"]).is_err());
    }
}
