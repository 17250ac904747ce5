//! `cargo xtask test`: runs every test of the workspace.

mod quick;

use std::env;
use std::ffi::OsString;
use std::num::NonZero;
use std::process::Command;
use std::thread;

use anyhow::Result;

use crate::metadata::Metadata;
use crate::process::{cargo, run as run_command};
use crate::services::Services;
use crate::toolchain;

/// Runs all tests, or those of `--quick`, and says at the end what was left out, and if another
/// rustc than the pinned one ran them.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Metadata::workspace()?;
    let services = if args.quick {
        Services::servers_only(&workspace)?
    } else {
        Services::ready(&workspace)?
    };
    let outcome = all(&workspace, &services, args);
    if args.quick {
        println!("\nnot run, because of --quick, the tests of:");
        for left_out in quick::TABLE {
            println!("- {left_out}");
        }
    }
    let notice = toolchain::pin_notice();
    if let Ok(Some(notice)) = &notice {
        println!("\nnotice: {notice}");
    }
    outcome.and(notice.map(drop))
}

/// What `cargo xtask test` is told.
#[derive(clap::Args, Debug, Default)]
pub(crate) struct Args {
    /// Leave out what takes long: clusters, other languages and their tools, the browser
    #[arg(long)]
    quick: bool,
    /// Go on to the other test programs when one fails
    #[arg(long)]
    keep_going: bool,
    /// For the test programs: a part of the tests' names, `--nocapture`, …
    #[arg(last = true)]
    filter: Vec<OsString>,
}

impl Args {
    /// All tests.
    pub(crate) fn unfiltered(keep_going: bool) -> Self {
        Self {
            keep_going,
            ..Self::default()
        }
    }
}

/// Runs all tests of the workspace: library, integration and doc tests, and those in examples.
pub(crate) fn all(workspace: &Metadata, services: &Services, args: &Args) -> Result<()> {
    let mut commands = vec![cargo_test(&[], args)];
    let examples = untested_examples(workspace);
    if !examples.is_empty() {
        commands.push(cargo_test(&examples, args));
    }
    let mut outcome = Ok(());
    for mut command in commands {
        services.tell(&mut command);
        command.env(TEST_THREADS, test_threads());
        outcome = outcome.and(run_command(&mut command));
        if outcome.is_err() && !args.keep_going {
            break;
        }
    }
    outcome
}

/// How many tests a program runs at a time; the test harness reads it.
const TEST_THREADS: &str = "RUST_TEST_THREADS";

/// What the caller has set, or two for each core: most tests wait for servers, and compute little.
fn test_threads() -> OsString {
    env::var_os(TEST_THREADS).unwrap_or_else(|| {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        (2 * cores).to_string().into()
    })
}

fn cargo_test(examples: &[&str], args: &Args) -> Command {
    let mut command = cargo();
    command.args(["test", "--workspace", "--all-features"]);
    for example in examples {
        command.args(["--example", example]);
    }
    if args.keep_going {
        command.arg("--no-fail-fast");
    }
    if args.quick || !args.filter.is_empty() {
        command.arg("--").args(&args.filter);
    }
    if args.quick {
        command.args(quick::skips());
    }
    command
}

/// A plain `cargo test` builds examples but leaves out the tests inside them, unless told to.
fn untested_examples(workspace: &Metadata) -> Vec<&str> {
    workspace
        .members()
        .flat_map(|package| package.targets("example"))
        .filter(|example| !example.test)
        .map(|example| example.name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn words(command: &Command) -> Vec<&str> {
        command
            .get_args()
            .filter_map(|word| word.to_str())
            .collect()
    }

    #[test]
    fn the_filter_goes_to_the_test_programs() {
        let args = Args {
            quick: false,
            keep_going: true,
            filter: vec!["envelope".into(), "--nocapture".into()],
        };
        assert_eq!(
            words(&cargo_test(&[], &args)),
            [
                "test",
                "--workspace",
                "--all-features",
                "--no-fail-fast",
                "--",
                "envelope",
                "--nocapture",
            ]
        );
    }

    #[test]
    fn quick_adds_what_is_left_out_to_the_filter() {
        let args = Args {
            quick: true,
            keep_going: false,
            filter: vec!["envelope".into()],
        };
        let command = cargo_test(&[], &args);
        assert_eq!(
            words(&command)[..7],
            [
                "test",
                "--workspace",
                "--all-features",
                "--",
                "envelope",
                "--skip",
                "cluster::"
            ]
        );
    }

    #[test]
    fn examples_are_tested_with_the_same_features() {
        assert_eq!(
            words(&cargo_test(&["quickstart"], &Args::default())),
            [
                "test",
                "--workspace",
                "--all-features",
                "--example",
                "quickstart"
            ]
        );
    }

    #[test]
    fn only_examples_that_cargo_leaves_out_are_added() {
        let target = |name: &str, kind: &str, test: bool| json!({ "name": name, "kind": [kind], "test": test });
        let json = json!({
            "packages": [{
                "id": "p", "name": "p", "version": "1.0.0", "rust_version": null,
                "publish": null, "features": {},
                "targets": [
                    target("p", "lib", true), target("left_out", "example", false),
                    target("declared", "example", true), target("speed", "bench", false),
                ],
            }],
            "target_directory": "target", "workspace_members": ["p"], "resolve": null,
        });
        let workspace = Metadata::parse(&json.to_string()).unwrap();
        assert_eq!(untested_examples(&workspace), ["left_out"]);
    }
}
