//! `cargo xtask differential`: compares event-schemas-subset with jsoncompat.
//!
//! The package is no member of the workspace (its `Cargo.toml` says why), so that `cargo xtask
//! test` does not have it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::metadata::Metadata;
use crate::process::{cargo, run as run_command};

const MANIFEST: &str = "event-schemas/subset/differential/Cargo.toml";

/// What `cargo xtask differential` is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// How many random pairs there are beside the hand-written ones; some hundreds without it
    #[arg(long)]
    pairs: Option<u64>,
}

/// Runs it, and prints how many pairs fall into which class.
pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = Metadata::workspace()?.target_directory.join("differential");
    run_command(&mut test(folder, args.pairs))
}

/// In a folder of its own: what it shares with the workspace is built with other features.
fn test(folder: PathBuf, pairs: Option<u64>) -> Command {
    let mut command = cargo();
    command.args(["test", "--locked", "--manifest-path", MANIFEST]);
    command.arg("--target-dir").arg(folder);
    command.args(["--", "--nocapture"]);
    if let Some(pairs) = pairs {
        command.env("DIFFERENTIAL_PAIRS", pairs.to_string());
    }
    command
}
