//! `cargo xtask ci`: runs all checks that a change must pass.
//!
//! The steps run from the cheap to the dear ones and share what they compile: no step sets
//! `RUSTFLAGS`, which would build every dependency anew. `cargo clippy`, `cargo doc` and
//! `cargo check` need only the dependencies' metadata, tests and examples their code.

mod deny;
mod feature_sets;
mod msrv;
mod steps;

use std::env;

use anyhow::Result;

use crate::metadata::Metadata;
use crate::process::{cargo, run as run_command};
use crate::services::Services;
use crate::{outside, package_check, test, tidy, toolchain};
use feature_sets::FeatureSet;
use steps::{Status, Step};

/// Runs every step, then prints what each took and what deserves a second look.
pub(crate) fn run(args: &Args) -> Result<()> {
    let metadata = Metadata::with_dependencies()?;
    steps::run(plan(&metadata, args), args.keep_going)
}

/// What `cargo xtask ci` is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Run all steps, also after one has failed
    #[arg(long)]
    keep_going: bool,
    /// Install the pinned cargo-deny into `target/tools` when there is none (some minutes)
    #[arg(long)]
    install_tools: bool,
}

fn plan<'a>(metadata: &'a Metadata, args: &'a Args) -> Vec<Step<'a>> {
    let mut plan = vec![
        Step::new("feature sets", |_| {
            feature_sets::check(feature_sets::TABLE, metadata)?;
            Ok(Status::Passed)
        }),
        Step::new("tidy", |_| {
            tidy::check(metadata)?;
            Ok(Status::Passed)
        }),
        Step::new("fmt", |_| {
            run_command(cargo().args(["fmt", "--all", "--check"]))?;
            outside::check_format()?;
            Ok(Status::Passed)
        }),
    ];
    for set in feature_sets::TABLE {
        plan.push(clippy(set));
    }
    plan.push(Step::new("clippy workspace", |_| {
        lint(&["--workspace", "--all-targets", "--all-features"])
    }));
    plan.extend([
        Step::new("doc", |_| doc()),
        Step::new("msrv", |notices| msrv::check(metadata, notices)),
        Step::new("deny", |notices| {
            deny::check(metadata, args.install_tools, notices)
        }),
        Step::new("publish", |_| {
            package_check::publish_dry_run()?;
            Ok(Status::Passed)
        }),
        Step::new("package-check", |_| {
            package_check::run(metadata)?;
            Ok(Status::Passed)
        }),
        Step::new("services", |_| {
            Services::ready(metadata)?;
            Ok(Status::Passed)
        }),
        Step::new("test", |notices| {
            notices.extend(toolchain::pin_notice()?);
            let services = Services::ready(metadata)?;
            test::all(
                metadata,
                &services,
                &test::Args::unfiltered(args.keep_going),
            )?;
            Ok(Status::Passed)
        }),
        Step::new("quickstart", |_| {
            run_command(cargo().args(["run", "--example", "quickstart"]))?;
            Ok(Status::Passed)
        }),
    ]);
    plan
}

/// Lints one feature set.
fn clippy(set: &'static FeatureSet) -> Step<'static> {
    Step::new(format!("clippy {}", set.name()), move |_| {
        println!("({})", set.reason);
        lint(&set.arguments())
    })
}

/// `incompatible_msrv` is named because the MSRV step relies on it.
fn lint(what: &[&str]) -> Result<Status> {
    let mut command = cargo();
    command.arg("clippy").args(what);
    command.args(["--", "-D", "warnings", "-D", "clippy::incompatible_msrv"]);
    run_command(&mut command)?;
    Ok(Status::Passed)
}

fn doc() -> Result<Status> {
    let mut command = cargo();
    command.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    // Added to the caller's own flags, not instead of them.
    let mut flags = env::var("RUSTDOCFLAGS").unwrap_or_default();
    flags.push_str(" -D warnings");
    run_command(command.env("RUSTDOCFLAGS", flags.trim_start()))?;
    Ok(Status::Passed)
}
