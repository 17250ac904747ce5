//! Installs the NATS packages for Python and Node.

use std::path::Path;

use anyhow::Result;
use event_sdk_test_programs::clients;

use super::npm::Npm;
use super::pip::{self, Pin};

/// Installs the packages into `folder` where they are not there yet.
pub(super) fn ready(folder: &Path, npm: &Npm) -> Result<()> {
    pip::install(&NATS_PY, &clients::python_packages(folder))?;
    npm.install(NODE_CLIENT, &clients::node_installation(folder))
}

const NATS_PY: Pin = Pin {
    requirements: "tests/clients/python/requirements.txt",
    file: "nats/__init__.py",
    wheel: None,
};

pub(super) const NODE_CLIENT: &str = "tests/clients/node";

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
