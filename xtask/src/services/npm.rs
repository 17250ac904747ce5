//! Installs npm packages by a lock file with hashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::installation;
use crate::process::{output, root, run};

/// An npm that can be run.
pub(super) enum Npm {
    /// A script, and the Node that runs it.
    Of { node: PathBuf, script: PathBuf },
    /// The one of the `PATH`.
    System,
}

impl Npm {
    /// The npm that came with this Node, else the one of the `PATH`; `None` where there is none.
    pub(super) fn of(node: &Path) -> Option<Self> {
        // A link on the `PATH` may lead into its folder.
        let node = fs::canonicalize(node).ok()?;
        let script = node
            .parent()
            .and_then(Path::parent)?
            .join("lib/node_modules/npm/bin/npm-cli.js");
        [Self::Of { node, script }, Self::System]
            .into_iter()
            .find(|npm| output(npm.command().arg("--version")).is_ok())
    }

    /// Installs the packages of `project`, a folder from the root, into the folder `into`, unless
    /// they are there. They are held to the hashes of its lock file, and nothing of them is run.
    pub(super) fn install(&self, project: &str, into: &Path) -> Result<()> {
        if into.join(INSTALLED).is_file() {
            return Ok(());
        }
        let outcome = installation::make(into, INSTALLED, |folder| self.ci(project, folder));
        outcome.with_context(|| {
            format!(
                "could not install the packages of {project}/package-lock.json at {}",
                into.display()
            )
        })
    }

    /// The same into a folder that is there, and whatever is in it.
    pub(super) fn ci(&self, project: &str, folder: &Path) -> Result<()> {
        for file in ["package.json", "package-lock.json", ".npmrc"] {
            fs::copy(root().join(project).join(file), folder.join(file))
                .with_context(|| format!("could not copy {project}/{file}"))?;
        }
        let mut command = self.command();
        // Errors alone: it warns of a package that asks for a newer Node than it needs.
        command.args(["ci", "--ignore-scripts", "--loglevel=error", "--prefix"]);
        run(command.arg(folder))
    }

    fn command(&self) -> Command {
        match self {
            Self::Of { node, script } => {
                let mut command = Command::new(node);
                command.arg(script);
                command
            }
            Self::System => Command::new("npm"),
        }
    }
}

/// npm writes it last.
const INSTALLED: &str = "node_modules/.package-lock.json";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::{chromium, clients, contracts};
    use serde_json::Value;

    #[test]
    fn packages_are_pinned_by_hash_and_name_no_registry() {
        for project in [clients::NODE_CLIENT, contracts::NODE, chromium::PROJECT] {
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
