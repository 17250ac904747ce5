//! The tools of other teams that the tests hold contracts against, and the browser that they open
//! the catalogue page in.

use std::path::Path;

use anyhow::Result;
use event_sdk_test_programs::{Program, contracts};

use super::pip::{self, Pin};
use super::{chromium, npm};

/// What the tests of contracts run with.
pub(super) struct Contracts {
    /// `None` where Node is missing or too old.
    pub(super) node: Option<Program>,
    /// `None` where there is no Chromium.
    pub(super) chromium: Option<Program>,
}

/// For the tests in which the tools in Node are needed.
pub(super) const NO_TOOLS: &str = "no Node 20.17 or newer with npm was found, so AsyncAPI documents were not held against \
     their official parser, schemas not against TypeScript, and the catalogue page was opened in \
     no browser: install them, or name a Node with EVENT_SDK_NODE";

/// Installs the packages into `folder` where they are not there yet, and finds the browser.
pub(super) fn ready(folder: &Path, python: &Program) -> Result<Contracts> {
    let packages = contracts::python_packages(folder, python);
    if !packages.join(PYTHON.file).is_file() {
        pip::install_for(python.path(), &PYTHON, &packages)?;
    }
    let node = contracts::node_program()?.filter(|_| npm::is_there());
    if node.is_some() {
        npm::install(NODE, &contracts::node_installation(folder))?;
    }
    let chromium = chromium::ready()?;
    Ok(Contracts { node, chromium })
}

const PYTHON: Pin = Pin {
    requirements: "tests/contracts/python/requirements.txt",
    file: "datamodel_code_generator/__main__.py",
};

const NODE: &str = "tests/contracts/node";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;
    use std::fs;

    #[test]
    fn python_packages_are_pinned_by_hash_and_name_no_index() {
        let text = fs::read_to_string(root().join(PYTHON.requirements)).unwrap();
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
