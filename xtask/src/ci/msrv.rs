//! CI step MSRV: each published package builds with its oldest promised Rust.
//!
//! With that toolchain installed the library is built by it. Without it, what can be known is
//! checked: no dependency asks for a newer Rust, and clippy's `incompatible_msrv` (denied in the
//! clippy steps) refuses newer parts of the standard library. The output says which way it was.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::steps::{Notices, Status};
use crate::metadata::{Metadata, Package};
use crate::process::{output, run};
use crate::version::RustVersion;

/// Checks every published package.
pub(super) fn check(metadata: &Metadata, notices: &mut Notices) -> Result<Status> {
    let toolchains = installed();
    let mut status = Status::Passed;
    for package in metadata.members().filter(|package| package.is_published()) {
        let msrv = promise(package)?;
        if let Some(toolchain) = matching(&toolchains, msrv) {
            build(metadata, package, toolchain)?;
            println!("{} {msrv}: built with toolchain {toolchain}", package.name);
        } else {
            let undeclared = compare(package, msrv, &metadata.dependencies(package)?)?;
            println!(
                "{} {msrv}: by declaration, no dependency needs a newer Rust{}",
                package.name,
                remark(&undeclared)
            );
            let notice = not_built(msrv);
            if !notices.contains(&notice) {
                notices.push(notice);
            }
            status = Status::Incomplete;
        }
    }
    Ok(status)
}

fn promise(package: &Package) -> Result<RustVersion> {
    let name = &package.name;
    package
        .rust_version
        .as_deref()
        .with_context(|| format!("`{name}` is published and declares no rust-version"))?
        .parse()
        .with_context(|| format!("the rust-version of `{name}`"))
}

/// In a folder of its own: two compilers in one would drop each other's cached facts.
fn build(metadata: &Metadata, package: &Package, toolchain: &str) -> Result<()> {
    run(Command::new("rustup")
        .args([
            "run",
            toolchain,
            "cargo",
            "check",
            "--lib",
            "--all-features",
        ])
        .args(["--package", &package.name, "--target-dir"])
        .arg(metadata.target_directory.join("msrv")))
}

/// Refuses a dependency that asks for a newer Rust; returns those that declare nothing.
fn compare<'a>(
    package: &Package,
    msrv: RustVersion,
    dependencies: &[&'a Package],
) -> Result<Vec<&'a str>> {
    let mut undeclared = Vec::new();
    let mut newer = Vec::new();
    for dependency in dependencies {
        let Package { name, version, .. } = dependency;
        match &dependency.rust_version {
            None => undeclared.push(name.as_str()),
            Some(needed) => {
                let needed: RustVersion = needed
                    .parse()
                    .with_context(|| format!("the rust-version of `{name}` {version}"))?;
                if needed > msrv {
                    newer.push(format!("`{name}` {version} needs {needed}"));
                }
            }
        }
    }
    if !newer.is_empty() {
        bail!(
            "`{}` promises Rust {msrv}, but {}: use an older version of it, or raise the promise",
            package.name,
            newer.join(", ")
        );
    }
    Ok(undeclared)
}

fn remark(undeclared: &[&str]) -> String {
    if undeclared.is_empty() {
        String::new()
    } else {
        format!(" (these declare none: {})", undeclared.join(", "))
    }
}

fn not_built(msrv: RustVersion) -> String {
    format!(
        "Rust {msrv} is not installed, so nothing was built with it: the rust-version of each \
         dependency and clippy's incompatible_msrv were checked, newer language features and \
         undeclared dependencies were not. `rustup toolchain install {msrv} --profile minimal` \
         makes it a build."
    )
}

/// The toolchains that rustup has; none where there is no rustup.
fn installed() -> Vec<String> {
    let list = output(Command::new("rustup").args(["toolchain", "list"])).unwrap_or_default();
    list.lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// A toolchain of the promised release line. A later patch of it will do, since patches add
/// nothing to the language; an earlier one would be older than the promise.
fn matching(toolchains: &[String], msrv: RustVersion) -> Option<&str> {
    toolchains.iter().map(String::as_str).find(|name| {
        let version = name.split_once('-').map_or(*name, |(version, _)| version);
        let version = version.parse::<RustVersion>();
        version.is_ok_and(|version| version.same_minor(msrv) && version >= msrv)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn packages(rust_versions: &[(&str, Option<&str>)]) -> Metadata {
        let packages: Vec<_> = rust_versions
            .iter()
            .map(|(name, rust_version)| {
                json!({
                    "id": name, "name": name, "version": "1.0.0", "rust_version": rust_version,
                    "publish": null, "features": {}, "targets": [],
                })
            })
            .collect();
        let json = json!({
            "packages": packages, "target_directory": "target",
            "workspace_members": [], "resolve": null,
        });
        Metadata::parse(&json.to_string()).unwrap()
    }

    /// Compares the first package with the others.
    fn compared(rust_versions: &[(&str, Option<&str>)]) -> Result<Vec<String>> {
        let metadata = packages(rust_versions);
        let (ours, dependencies) = metadata.packages.split_first().unwrap();
        let dependencies: Vec<_> = dependencies.iter().collect();
        let undeclared = compare(ours, promise(ours)?, &dependencies)?;
        Ok(undeclared.into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn two_part_and_three_part_versions_compare() {
        let dependencies = [
            ("ours", Some("1.89")),
            ("a", Some("1.89.0")),
            ("b", Some("1.9")),
        ];
        assert!(compared(&dependencies).unwrap().is_empty());
    }

    #[test]
    fn every_dependency_that_needs_a_newer_rust_is_named() {
        let dependencies = [
            ("ours", Some("1.89")),
            ("patch", Some("1.89.1")),
            ("fine", Some("1.80")),
            ("minor", Some("1.94")),
        ];
        let error = compared(&dependencies).unwrap_err().to_string();
        assert!(error.contains("`ours` promises Rust 1.89,"), "{error}");
        assert!(error.contains("`patch` 1.0.0 needs 1.89.1"), "{error}");
        assert!(error.contains("`minor` 1.0.0 needs 1.94"), "{error}");
        assert!(!error.contains("fine"), "{error}");
    }

    #[test]
    fn a_dependency_that_declares_nothing_is_reported_not_refused() {
        let dependencies = [("ours", Some("1.89")), ("silent", None)];
        let undeclared = compared(&dependencies).unwrap();
        assert_eq!(undeclared, ["silent"]);
        assert!(remark(&["silent"]).contains("silent"));
    }

    #[test]
    fn a_published_package_must_promise_something() {
        let error = compared(&[("ours", None)]).unwrap_err().to_string();
        assert_eq!(error, "`ours` is published and declares no rust-version");
    }

    #[test]
    fn a_toolchain_matches_by_its_release_line() {
        let toolchains: Vec<_> = [
            "stable-x86_64-unknown-linux-gnu",
            "nightly-2026-01-01-x86_64-unknown-linux-gnu",
            "1.95.0-x86_64-unknown-linux-gnu",
            "1.94.1-x86_64-unknown-linux-gnu",
            "1.89",
        ]
        .map(str::to_owned)
        .into();
        let found = |msrv: &str| matching(&toolchains, msrv.parse().unwrap());
        assert_eq!(found("1.94"), Some("1.94.1-x86_64-unknown-linux-gnu"));
        assert_eq!(found("1.94.1"), Some("1.94.1-x86_64-unknown-linux-gnu"));
        assert_eq!(found("1.94.2"), None);
        assert_eq!(found("1.89"), Some("1.89"));
        assert_eq!(found("1.90"), None);
    }
}
