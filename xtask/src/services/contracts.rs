//! Installs the tools that check contracts.

use std::path::Path;

use anyhow::Result;
use event_sdk_test_programs::{Program, contracts};

use super::npm::Npm;
use super::pip::{self, Pin};

/// Installs the packages into `folder` where they are not there yet.
pub(super) fn ready(folder: &Path, python: &Program, npm: &Npm) -> Result<()> {
    let packages = contracts::python_packages(folder, python);
    pip::install_for(python.path(), &PYTHON, &packages)?;
    let packages = contracts::deployment_packages(folder, python);
    pip::install_for(python.path(), &DEPLOYMENT, &packages)?;
    npm.install(NODE, &contracts::node_installation(folder))
}

const PYTHON: Pin = Pin {
    requirements: "tests/contracts/python/requirements.txt",
    file: "datamodel_code_generator/__main__.py",
    wheel: None,
};

/// Schemas of Kubernetes and of compose files.
const DEPLOYMENT: Pin = Pin {
    requirements: "tests/contracts/deployment/requirements.txt",
    file: "kubernetes_validate/__init__.py",
    wheel: None,
};

pub(super) const NODE: &str = "tests/contracts/node";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;
    use std::fs;

    #[test]
    fn python_packages_are_pinned_by_hash_and_name_no_index() {
        for pin in [PYTHON, DEPLOYMENT] {
            let text = fs::read_to_string(root().join(pin.requirements)).unwrap();
            let unbroken = text.replace("\\\n", " ");
            let packages: Vec<&str> = unbroken
                .lines()
                .filter(|line| !line.starts_with('#'))
                .collect();
            assert!(packages.len() > 10);
            for package in packages {
                assert!(package.contains("=="), "{package}");
                assert!(package.contains("--hash=sha256:"), "{package}");
            }
        }
    }
}
