//! Compares package dependencies with the block in ARCHITECTURE.md.

use std::collections::BTreeMap;
use std::path::Path;

use super::block::Block;
use crate::metadata::{Metadata, Package, Requirement};

/// The prefix that names in the block may leave out.
const PREFIX: &str = "event-sdk-";

/// Every dependency that the block does not allow, and every name that stands on one side only.
pub(super) fn check(metadata: &Metadata, block: &Block, root: &Path) -> Vec<String> {
    let members: BTreeMap<_, _> = metadata
        .members()
        .map(|package| (package.name.as_str(), package))
        .collect();
    let mut faults = Vec::new();
    let mut written = BTreeMap::new();
    for (name, line) in block.names() {
        match whole(name, &members) {
            Some(package) => {
                written.insert(package, (name, line));
            }
            None => faults.push(format!(
                "ARCHITECTURE.md:{line}: the workspace has no package `{name}` or \
                 `{PREFIX}{name}`. Correct the name, or remove it."
            )),
        }
    }
    for package in members.values() {
        let manifest = manifest(package, root);
        match written.get(package.name.as_str()) {
            Some((name, line)) => {
                let allowed: Vec<_> = block.below(name).into_iter().collect();
                let allowed: Vec<_> = allowed.iter().filter_map(|n| whole(n, &members)).collect();
                for dependency in package.requirements.iter().filter(|d| !d.is_dev()) {
                    let name = dependency.name.as_str();
                    if members.contains_key(name) && !allowed.contains(&name) {
                        faults.push(upward(&manifest, &package.name, name, *line));
                    }
                }
            }
            None => faults.push(format!(
                "{manifest}: {} is not in the block at ARCHITECTURE.md:{}. Add it there, to the \
                 right of what it depends on.",
                package.name,
                block.first_line()
            )),
        }
        faults.extend(versions(package, &members, &manifest));
    }
    faults
}

/// The whole name of the member that `name` stands for.
fn whole<'a>(name: &str, members: &BTreeMap<&'a str, &Package>) -> Option<&'a str> {
    let member = |name: &str| members.get_key_value(name).map(|(name, _)| *name);
    member(name).or_else(|| member(&format!("{PREFIX}{name}")))
}

fn upward(manifest: &str, package: &str, dependency: &str, line: usize) -> String {
    format!(
        "{manifest}: {package} depends on {dependency}, which ARCHITECTURE.md:{line} does not \
         put below it. Remove the dependency, or move what is needed into a package that both \
         may use. Only if the order of the packages is meant to change, change the block, and \
         give the reason in the commit."
    )
}

/// Dev-dependencies on our own packages that have a version.
fn versions(package: &Package, members: &BTreeMap<&str, &Package>, manifest: &str) -> Vec<String> {
    let versioned = |dependency: &&Requirement| {
        dependency.is_dev()
            && members.contains_key(dependency.name.as_str())
            && dependency.req != "*"
    };
    let own = package.requirements.iter().filter(versioned);
    own.map(|dependency| {
        format!(
            "{manifest}: the dev-dependency {0} has a version ({1}). Write `{0} = {{ path = \
             \"…\" }}`: cargo leaves that out when it publishes, and with a version it would \
             look for a release of {0} that does not exist yet.",
            dependency.name, dependency.req
        )
    })
    .collect()
}

fn manifest(package: &Package, root: &Path) -> String {
    let path = &package.manifest_path;
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn dependency(name: &str, kind: Option<&str>, req: &str) -> Value {
        json!({ "name": name, "kind": kind, "req": req })
    }

    fn package(name: &str, dependencies: &[Value]) -> Value {
        json!({
            "id": name, "name": name, "version": "1.0.0", "rust_version": null, "publish": null,
            "features": {}, "targets": [], "description": null,
            "manifest_path": format!("/root/{name}/Cargo.toml"), "dependencies": dependencies,
        })
    }

    fn faults(packages: &[Value], lines: &str) -> Vec<String> {
        let names: Vec<_> = packages.iter().map(|package| &package["name"]).collect();
        let json = json!({
            "packages": packages, "target_directory": "target", "workspace_members": names,
            "resolve": null,
        });
        let metadata = Metadata::parse(&json.to_string()).unwrap();
        let block = Block::find(&format!("## Code map\n\n{lines}\n")).unwrap();
        check(&metadata, &block, Path::new("/root"))
    }

    #[test]
    fn dependencies_downwards_are_allowed_also_past_a_package() {
        let packages = [
            package("event-sdk-a", &[dependency("serde", None, "^1")]),
            package("event-sdk-b", &[dependency("event-sdk-a", None, "=1.0.0")]),
            package("c", &[dependency("event-sdk-a", Some("build"), "=1.0.0")]),
        ];
        assert_eq!(faults(&packages, "    a ← b ← c"), [""; 0]);
    }

    #[test]
    fn a_dependency_upwards_names_manifest_packages_and_line() {
        let packages = [
            package("event-sdk-a", &[dependency("event-sdk-b", None, "*")]),
            package("event-sdk-b", &[]),
            package(
                "event-sdk-c",
                &[dependency("event-sdk-b", Some("build"), "*")],
            ),
        ];
        let found = faults(&packages, "    a ← b\n    a ← c");
        assert_eq!(found.len(), 2, "{found:#?}");
        let start = "event-sdk-a/Cargo.toml: event-sdk-a depends on event-sdk-b, which \
                     ARCHITECTURE.md:3 does not put below it. Remove the dependency";
        assert!(found[0].starts_with(start), "{}", found[0]);
        let start = "event-sdk-c/Cargo.toml: event-sdk-c depends on event-sdk-b, which \
                     ARCHITECTURE.md:4";
        assert!(found[1].starts_with(start), "{}", found[1]);
    }

    #[test]
    fn names_on_one_side_only_are_faults() {
        let found = faults(&[package("x", &[]), package("y", &[])], "    x ← z");
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found[0].starts_with("ARCHITECTURE.md:3: the workspace has no package `z`"));
        assert!(found[1].starts_with("y/Cargo.toml: y is not in the block at ARCHITECTURE.md:3"));
    }

    #[test]
    fn dev_dependencies_may_point_upwards_but_have_no_version() {
        let dev = |req| dependency("b", Some("dev"), req);
        let b = package("b", &[]);
        let a = package("a", &[dev("*"), dependency("serde", Some("dev"), "^1")]);
        assert_eq!(faults(&[a, b.clone()], "    a ← b"), [""; 0]);
        let found = faults(&[package("a", &[dev("=1.0.0")]), b], "    a ← b");
        assert_eq!(found.len(), 1, "{found:#?}");
        let start = "a/Cargo.toml: the dev-dependency b has a version (=1.0.0). Write `b = { path";
        assert!(found[0].starts_with(start), "{}", found[0]);
    }
}
