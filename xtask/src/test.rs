//! `cargo xtask test`: runs every test of the workspace.

mod programs;
mod quick;

use std::env;
use std::ffi::{OsStr, OsString};
use std::num::NonZero;
use std::process::Command;
use std::thread;

use anyhow::Result;

use crate::metadata::Metadata;
use crate::process::{cargo, root};
use crate::services::Services;
use crate::toolchain;
use programs::Program;

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
    /// Start further test programs after one has failed
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
    let mut programs = programs::build(cargo_test(&["--no-run"]))?;
    let examples = untested_examples(workspace);
    if !examples.is_empty() {
        let examples = examples.iter().flat_map(|example| ["--example", example]);
        let examples: Vec<_> = ["--no-run"].into_iter().chain(examples).collect();
        programs.extend(programs::build(cargo_test(&examples))?);
    }
    for program in &mut programs {
        program.command().args(words(args));
    }
    let mut docs = cargo_test(&["--doc"]);
    docs.args(args.keep_going.then_some("--no-fail-fast"));
    docs.arg("--").args(words(args)).current_dir(root());
    programs.insert(0, Program::new("examples in docs", docs));
    for program in &mut programs {
        let command = program.command();
        services.tell(command);
        command.env(TEST_THREADS, test_threads());
    }
    programs::run(programs, args.keep_going)
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

fn cargo_test(what: &[&str]) -> Command {
    let mut command = cargo();
    command.args(["test", "--workspace", "--all-features"]);
    command.args(what);
    command
}

/// The arguments of the test programs.
fn words(args: &Args) -> impl Iterator<Item = &OsStr> {
    let skips = args.quick.then(quick::skips).into_iter().flatten();
    let skips = skips.map(|word| -> &OsStr { word.as_ref() });
    args.filter.iter().map(OsString::as_os_str).chain(skips)
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

    #[test]
    fn quick_adds_what_is_left_out_to_the_filter() {
        let mut args = Args {
            filter: vec!["envelope".into(), "--nocapture".into()],
            ..Args::unfiltered(true)
        };
        assert_eq!(
            words(&args).collect::<Vec<_>>(),
            ["envelope", "--nocapture"]
        );
        args.quick = true;
        let words: Vec<_> = words(&args).take(4).collect();
        assert_eq!(words, ["envelope", "--nocapture", "--skip", "cluster::"]);
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
