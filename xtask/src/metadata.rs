//! Typed part of `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::{cargo, output};

/// What cargo knows of the workspace and, if asked for, of all its dependencies.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: PathBuf,
    workspace_members: BTreeSet<PackageId>,
    resolve: Option<Resolve>,
}

impl Metadata {
    /// The packages of the workspace only, without asking for their dependencies.
    pub(crate) fn workspace() -> Result<Self> {
        Self::load("--no-deps")
    }

    /// The workspace and every dependency of every feature, on every platform.
    pub(crate) fn with_dependencies() -> Result<Self> {
        Self::load("--all-features")
    }

    fn load(extent: &str) -> Result<Self> {
        let json = output(cargo().args(["metadata", "--format-version", "1", extent]))?;
        Self::parse(&json)
    }

    /// Reads the JSON that `cargo metadata --format-version 1` prints.
    pub(crate) fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).context("`cargo metadata` printed what is not understood here")
    }

    /// The packages of the workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Everything that is compiled for a dependent of `package`: its normal and build
    /// dependencies and theirs, without dev-dependencies and without itself, by name.
    pub(crate) fn dependencies(&self, package: &Package) -> Result<Vec<&Package>> {
        let resolve = self
            .resolve
            .as_ref()
            .context("no dependencies were asked for")?;
        let nodes: HashMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
        let mut found = BTreeSet::new();
        let mut open = vec![&package.id];
        while let Some(id) = open.pop() {
            let node = nodes
                .get(id)
                .with_context(|| format!("{id:?} is not resolved"))?;
            for dependency in node.deps.iter().filter(|dependency| dependency.is_built()) {
                if found.insert(&dependency.pkg) {
                    open.push(&dependency.pkg);
                }
            }
        }
        let mut packages: Vec<_> = self
            .packages
            .iter()
            .filter(|package| found.contains(&package.id))
            .collect();
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(packages)
    }
}

/// One package, ours or a dependency.
#[derive(Deserialize)]
pub(crate) struct Package {
    id: PackageId,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rust_version: Option<String>,
    /// The registries it may go to: `None` is any, an empty list is `publish = false`.
    publish: Option<Vec<String>>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) manifest_path: PathBuf,
    /// What its manifest asks for, of every kind.
    #[serde(rename = "dependencies", default)]
    pub(crate) requirements: Vec<Requirement>,
}

impl Package {
    /// Whether others may depend on it, from a registry.
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|to| !to.is_empty())
    }

    /// Its targets of one kind, as cargo names kinds: `bench`, `example`, `test`.
    pub(crate) fn targets(&self, kind: &str) -> impl Iterator<Item = &Target> {
        self.targets
            .iter()
            .filter(move |target| target.kind.iter().any(|own| own == kind))
    }
}

/// One thing that cargo builds from a package.
#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    kind: Vec<String>,
    /// The file of its root module.
    #[serde(default)]
    pub(crate) src_path: PathBuf,
    /// Whether a plain `cargo test` runs the tests inside it.
    pub(crate) test: bool,
}

impl Target {
    /// What cargo builds it as: `lib`, `proc-macro`, `bin`, `bench`, `example`, `test`.
    pub(crate) fn kind(&self) -> &str {
        self.kind.first().map_or("", String::as_str)
    }
}

/// One dependency as a manifest declares it.
#[derive(Deserialize)]
pub(crate) struct Requirement {
    pub(crate) name: String,
    /// The versions it accepts; `*` where the manifest gives a path and no version.
    pub(crate) req: String,
    /// `None` is a normal dependency; otherwise `build` or `dev`.
    kind: Option<String>,
    #[serde(default)]
    pub(crate) optional: bool,
}

impl Requirement {
    /// Whether only tests, examples and benchmarks use it.
    pub(crate) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct PackageId(String);

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: PackageId,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: PackageId,
    dep_kinds: Vec<DependencyKind>,
}

impl Dependency {
    fn is_built(&self) -> bool {
        self.dep_kinds
            .iter()
            .any(|kind| kind.kind.as_deref() != Some("dev"))
    }
}

#[derive(Deserialize)]
struct DependencyKind {
    /// `None` is a normal dependency; otherwise `build` or `dev`.
    kind: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn package(name: &str, publish: &Value) -> Value {
        json!({
            "id": name, "name": name, "version": "1.0.0", "rust_version": null,
            "publish": publish, "features": {}, "targets": [],
        })
    }

    fn node(name: &str, deps: &[(&str, Option<&str>)]) -> Value {
        let deps: Vec<_> = deps
            .iter()
            .map(|(to, kind)| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] }))
            .collect();
        json!({ "id": name, "deps": deps })
    }

    fn metadata() -> Metadata {
        let json = json!({
            "packages": [
                package("ours", &Value::Null), package("tests", &json!([])),
                package("zero", &Value::Null), package("built", &Value::Null),
                package("deep", &Value::Null), package("harness", &Value::Null),
            ],
            "target_directory": "target",
            "workspace_members": ["ours", "tests"],
            "resolve": { "nodes": [
                node("ours", &[("zero", None), ("built", Some("build")), ("harness", Some("dev"))]),
                node("tests", &[("ours", Some("dev"))]),
                node("zero", &[("deep", None)]),
                node("built", &[("deep", None)]),
                node("deep", &[("zero", None)]),
                node("harness", &[]),
            ]},
        });
        Metadata::parse(&json.to_string()).unwrap()
    }

    #[test]
    fn dependencies_are_transitive_and_without_dev_dependencies() {
        let metadata = metadata();
        let ours = metadata.members().next().unwrap();
        let names: Vec<_> = metadata
            .dependencies(ours)
            .unwrap()
            .iter()
            .map(|package| package.name.as_str())
            .collect();
        assert_eq!(names, ["built", "deep", "zero"]);
    }

    #[test]
    fn members_are_the_workspace_only_and_know_whether_they_are_published() {
        let metadata = metadata();
        let members: Vec<_> = metadata
            .members()
            .map(|package| (package.name.as_str(), package.is_published()))
            .collect();
        assert_eq!(members, [("ours", true), ("tests", false)]);
    }

    #[test]
    fn the_real_workspace_can_be_read() {
        let metadata = Metadata::workspace().unwrap();
        let xtask = metadata.members().find(|package| package.name == "xtask");
        assert_eq!(xtask.unwrap().targets("bin").count(), 1);
        assert!(metadata.dependencies(xtask.unwrap()).is_err());
    }
}
