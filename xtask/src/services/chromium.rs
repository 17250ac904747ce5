//! Chromium: found on the system; a CI that runs as root on Debian installs it there.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use event_sdk_test_programs::{Program, chromium};

use crate::process::{output, run};

/// For the test of the catalogue page.
pub(super) const NO_CHROMIUM: &str = "no Chromium 120 or newer was found, so the catalogue page was opened in no browser: install \
     one (Debian: `apt-get install chromium`), or name one with EVENT_SDK_CHROMIUM";

/// Finds it. Where it is missing it is installed only into a system that is made for the CI: it
/// has a hundred packages, which nobody else wants as a side effect of a test.
pub(super) fn ready() -> Result<Option<Program>> {
    let found = chromium::program()?;
    if found.is_some() || !may_install() {
        return Ok(found);
    }
    install().context("could not install Chromium, which the test of the catalogue page needs")?;
    Ok(chromium::program()?)
}

fn may_install() -> bool {
    let ci = env::var_os("CI").is_some_and(|value| value == "true");
    ci && Path::new("/etc/debian_version").is_file() && is_root()
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn install() -> Result<()> {
    run(Command::new("apt-get").args(["--quiet", "update"]))?;
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args([
        "--quiet",
        "--yes",
        "--no-install-recommends",
    ]);
    run(command.args(["install", "chromium"]))
}
