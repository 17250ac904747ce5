//! `cargo xtask bench`: runs the benchmarks, headed by the machine's description.

mod against;
mod machine;
mod peers;

use std::collections::BTreeMap;
use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::metadata::Metadata;
use crate::process::{cargo, run as run_command};

/// Prints the machine's line, then runs the benchmarks that were named, or all: alone, or in turn
/// with those of another revision.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Metadata::workspace()?;
    if peers::are_named(&args.names)? {
        println!("{}", machine::line()?);
        return peers::run(&workspace, args);
    }
    let chosen = choose(&benches(&workspace), &args.names)?;
    println!("{}", machine::line()?);
    if let Some(rev) = &args.against {
        return against::run(&workspace, rev, &chosen, args);
    }
    for profile in &args.profile {
        for (package, names) in by_package(&chosen) {
            let mut command = cargo();
            command.args(["bench", "--profile", profile, "--package", package]);
            for name in names {
                command.args(["--bench", name]);
            }
            if !args.harness.is_empty() {
                command.arg("--").args(&args.harness);
            }
            run_command(&mut command)?;
        }
    }
    Ok(())
}

/// What `cargo xtask bench` is told.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The bench targets to run; all of the workspace when none is named. `peers` runs those beside
    /// other libraries
    names: Vec<String>,
    /// Run them in turn with those of this revision, and compare
    #[arg(long, value_name = "REV")]
    against: Option<String>,
    /// How often each side runs
    #[arg(long, default_value_t = 5, requires = "against", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Build with this profile: `bench`, or `release` for Cargo's default; may be given twice
    #[arg(long, default_value = "bench")]
    profile: Vec<String>,
    /// For the benchmark programs themselves
    #[arg(last = true)]
    harness: Vec<OsString>,
}

/// A bench target: its package and its name.
type Bench<'a> = (&'a str, &'a str);

fn benches(workspace: &Metadata) -> Vec<Bench<'_>> {
    workspace
        .members()
        .flat_map(|package| {
            package
                .targets("bench")
                .map(|target| (package.name.as_str(), target.name.as_str()))
        })
        .collect()
}

/// The benches that were named, in the order of the workspace; a name that is none is an error.
fn choose<'a>(benches: &[Bench<'a>], names: &[String]) -> Result<Vec<Bench<'a>>> {
    let known = || benches.iter().map(|(_, name)| *name).collect::<Vec<_>>();
    if benches.is_empty() {
        bail!("the workspace has no bench targets");
    }
    if let Some(unknown) = names.iter().find(|name| !known().contains(&name.as_str())) {
        bail!(
            "there is no bench `{unknown}`; there are: {}",
            known().join(", ")
        );
    }
    Ok(benches
        .iter()
        .copied()
        .filter(|(_, bench)| names.is_empty() || names.iter().any(|name| name == bench))
        .collect())
}

/// One cargo call a package, so that its benches are built together.
fn by_package<'a>(benches: &[Bench<'a>]) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut packages = BTreeMap::<_, Vec<_>>::new();
    for (package, name) in benches {
        packages.entry(*package).or_default().push(*name);
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    const BENCHES: [Bench<'_>; 3] = [("core", "encode"), ("tests", "fanout"), ("core", "decode")];

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn no_name_means_all() {
        assert_eq!(choose(&BENCHES, &[]).unwrap(), BENCHES);
    }

    #[test]
    fn names_choose_and_keep_the_order_of_the_workspace() {
        let chosen = choose(&BENCHES, &names(&["decode", "encode"])).unwrap();
        assert_eq!(chosen, [("core", "encode"), ("core", "decode")]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = choose(&BENCHES, &names(&["encode", "encdoe"])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no bench `encdoe`; there are: encode, fanout, decode"
        );
    }

    #[test]
    fn a_workspace_without_benches_says_so_instead_of_succeeding() {
        assert!(choose(&[], &[]).is_err());
    }

    #[test]
    fn benches_of_a_package_run_together() {
        let packages = by_package(&BENCHES);
        assert_eq!(packages["core"], ["encode", "decode"]);
        assert_eq!(packages["tests"], ["fanout"]);
    }
}
