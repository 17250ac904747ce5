//! Installs what a lock file of npm names, into a folder of ours and nowhere else.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::installation;
use crate::process::{output, root, run};

/// Whether there is an npm to install with.
pub(super) fn is_there() -> bool {
    output(Command::new("npm").arg("--version")).is_ok()
}

/// Installs the packages of `project`, a folder from the root, into the folder `into`, unless
/// they are there. They are held to the hashes of its lock file, and nothing of them is run.
pub(super) fn install(project: &str, into: &Path) -> Result<()> {
    if into.join(INSTALLED).is_file() {
        return Ok(());
    }
    installation::make(into, INSTALLED, |folder| ci(project, folder)).with_context(|| {
        format!(
            "could not install the packages of {project}/package-lock.json at {}",
            into.display()
        )
    })
}

/// npm writes it last.
const INSTALLED: &str = "node_modules/.package-lock.json";

fn ci(project: &str, folder: &Path) -> Result<()> {
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(root().join(project).join(file), folder.join(file))
            .with_context(|| format!("could not copy {project}/{file}"))?;
    }
    let mut command = Command::new("npm");
    // Errors alone: it warns of a package that asks for a newer Node than it needs.
    command.args(["ci", "--ignore-scripts", "--loglevel=error", "--prefix"]);
    run(command.arg(folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn packages_are_pinned_by_hash_and_name_no_registry() {
        for project in ["tests/clients/node", "tests/contracts/node"] {
            let path = root().join(project).join("package-lock.json");
            let lock: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            let packages = lock["packages"].as_object().unwrap();
            assert!(packages.len() > 3);
            for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
                assert!(package["integrity"].is_string(), "{name}");
                assert!(package.get("resolved").is_none(), "{name}");
            }
            for (name, version) in packages[""]["dependencies"].as_object().unwrap() {
                let exact = version.as_str().unwrap();
                assert!(
                    exact.starts_with(|first: char| first.is_ascii_digit()),
                    "{name} {exact}"
                );
            }
        }
    }
}
