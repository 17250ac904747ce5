//! Compares the lock files of the packages outside the workspace with the manifests of our packages,
//! which those build by their paths: a dependency that was added to one of ours is missing there until
//! cargo may write the file again, and `--locked` fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::metadata::{Metadata, Package};
use crate::outside::MANIFESTS;

/// Every dependency of ours that such a lock file does not have.
pub(super) fn check(metadata: &Metadata, root: &Path) -> Result<Vec<String>> {
    let members: Vec<_> = metadata.members().collect();
    let mut faults = Vec::new();
    for manifest in MANIFESTS {
        let path = manifest.replace("Cargo.toml", "Cargo.lock");
        let lock = fs::read_to_string(root.join(&path));
        let lock = lock.with_context(|| format!("cannot read {path}"))?;
        faults.extend(missing(&members, &lock).into_iter().map(|(package, name)| {
            format!(
                "{path}: `{package}` depends on `{name}` here, and not in the lock file. Run `cargo metadata --manifest-path {manifest}`, which brings it up to date."
            )
        }));
    }
    Ok(faults)
}

/// Our packages in the lock file, each with a dependency that it lacks there. Which optional
/// dependencies it needs depends on the features, so they are left out.
fn missing<'a>(members: &[&'a Package], lock: &str) -> Vec<(&'a str, &'a str)> {
    let mut missing = BTreeSet::new();
    for block in lock.split("[[package]]") {
        let Some(package) = members.iter().find(|it| is_of(block, &it.name)) else {
            continue;
        };
        let listed: BTreeSet<_> = block.lines().filter_map(dependency).collect();
        let needed = package.requirements.iter();
        let needed = needed.filter(|it| !it.is_dev() && !it.optional);
        let absent = needed.filter(|it| !listed.contains(it.name.as_str()));
        missing.extend(absent.map(|it| (package.name.as_str(), it.name.as_str())));
    }
    missing.into_iter().collect()
}

/// Whether the block is that of our package: one with a source is another of the same name.
fn is_of(block: &str, name: &str) -> bool {
    let mut lines = block.lines();
    lines.any(|line| line == format!("name = \"{name}\"")) && !block.contains("\nsource = ")
}

/// The name in a line of the list, which may have the version after it.
fn dependency(line: &str) -> Option<&str> {
    let item = line.strip_prefix(" \"")?.strip_suffix("\",")?;
    item.split(' ').next()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LOCK: &str = r#"
[[package]]
name = "core"
version = "0.1.0"
dependencies = [
 "serde",
 "syn 2.0.119",
]

[[package]]
name = "facade"
version = "0.1.0"
source = "registry"
"#;

    fn metadata() -> Metadata {
        let requirement = |name: &str, kind: Option<&str>, optional: bool| json!({ "name": name, "req": "*", "kind": kind, "optional": optional });
        let package = |name: &str, requirements: serde_json::Value| {
            json!({
                "id": name, "name": name, "version": "0.1.0", "features": {}, "targets": [],
                "dependencies": requirements,
            })
        };
        let json = json!({
            "packages": [
                package("core", json!([
                    requirement("serde", None, false),
                    requirement("syn", None, false),
                    requirement("slab", None, false),
                    requirement("cc", Some("build"), false),
                    requirement("proptest", Some("dev"), false),
                    requirement("toml", None, true),
                ])),
                package("facade", json!([requirement("core", None, false)])),
            ],
            "workspace_members": ["core", "facade"],
            "target_directory": "target",
        });
        Metadata::parse(&json.to_string()).unwrap()
    }

    #[test]
    fn a_dependency_that_the_lock_file_lacks_is_named() {
        let metadata = metadata();
        let members: Vec<_> = metadata.members().collect();
        assert_eq!(missing(&members, LOCK), [("core", "cc"), ("core", "slab")]);
    }
}
