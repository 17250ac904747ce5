//! What the test clients in Python and Node need: their languages, and NATS's packages for them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use event_sdk_test_programs::{Program, clients};

use super::installation;
use super::pip::{self, Pin};
use crate::process::{output, root, run};

/// What the clients run with, all of it there.
pub(super) struct Clients {
    pub(super) python: Program,
    /// `None` where Node or its npm is missing.
    pub(super) node: Option<Program>,
}

/// For the tests of the Node client.
pub(super) const NO_NODE: &str = "no Node 18 or newer with npm was found, so no client in Node was held against the wire \
     contract: install them (Debian: `apt-get install nodejs npm`), or name a Node with \
     EVENT_SDK_NODE";

/// Finds the languages, and installs the packages into `folder` where they are not there yet.
pub(super) fn ready(folder: &Path) -> Result<Clients> {
    let python = clients::python_program()?;
    let packages = clients::python_packages(folder);
    if !packages.join(NATS_PY.file).is_file() {
        pip::install(&NATS_PY, &packages)?;
    }
    let node = clients::node_program()?.filter(|_| has_npm());
    let into = clients::node_installation(folder);
    if node.is_some() && !into.join(INSTALLED).is_file() {
        installation::make(&into, INSTALLED, npm_ci).with_context(|| {
            format!(
                "could not install the packages of {NODE_CLIENT}/package-lock.json at {}",
                into.display()
            )
        })?;
    }
    Ok(Clients { python, node })
}

const NATS_PY: Pin = Pin {
    requirements: "tests/clients/python/requirements.txt",
    file: "nats/__init__.py",
};

const NODE_CLIENT: &str = "tests/clients/node";

/// npm writes it last.
const INSTALLED: &str = "node_modules/.package-lock.json";

fn has_npm() -> bool {
    output(Command::new("npm").arg("--version")).is_ok()
}

/// Installs what the lock file of the Node client names, by its hashes, and runs none of it.
fn npm_ci(folder: &Path) -> Result<()> {
    let client = root().join(NODE_CLIENT);
    for file in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(client.join(file), folder.join(file))
            .with_context(|| format!("could not copy {NODE_CLIENT}/{file}"))?;
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

    fn text(path: &str) -> String {
        fs::read_to_string(root().join(path)).unwrap()
    }

    #[test]
    fn the_pin_of_python_is_the_version_that_tests_look_for() {
        let pinned = format!("nats-py=={} \\\n", clients::NATS_PY);
        let requirements = text(NATS_PY.requirements);
        assert!(requirements.contains(&pinned), "{requirements}");
    }

    #[test]
    fn node_packages_are_pinned_by_hash_and_name_no_registry() {
        let lock: Value =
            serde_json::from_str(&text("tests/clients/node/package-lock.json")).unwrap();
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
