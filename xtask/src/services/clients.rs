//! What the test clients in Python and Node need: their languages, and NATS's packages for them.

use std::path::Path;

use anyhow::Result;
use event_sdk_test_programs::{Program, clients};

use super::npm;
use super::pip::{self, Pin};

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
    let node = clients::node_program()?.filter(|_| npm::is_there());
    let into = clients::node_installation(folder);
    if node.is_some() {
        npm::install(NODE_CLIENT, &into)?;
    }
    Ok(Clients { python, node })
}

const NATS_PY: Pin = Pin {
    requirements: "tests/clients/python/requirements.txt",
    file: "nats/__init__.py",
};

const NODE_CLIENT: &str = "tests/clients/node";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;
    use std::fs;

    #[test]
    fn the_pin_of_python_is_the_version_that_tests_look_for() {
        let pinned = format!("nats-py=={} \\\n", clients::NATS_PY);
        let requirements = fs::read_to_string(root().join(NATS_PY.requirements)).unwrap();
        assert!(requirements.contains(&pinned), "{requirements}");
    }
}
