//! Finds `nats-server`: the current version, and the oldest supported one.

use std::path::{Path, PathBuf};

use crate::installed::{self, INSTALL_SERVICE};
use crate::search::Wanted;
use crate::{Error, Program, Version};

/// The version that `cargo xtask services` installs where the system has none.
pub const PINNED: Version = Version::new(2, 15, 1);

/// The oldest version that event-sdk supports, which `cargo xtask services` installs too.
pub const OLDEST: Version = Version::new(2, 10, 25);

/// Names the program of the current server. `cargo xtask test` sets it.
pub const CURRENT_VARIABLE: &str = "EVENT_SDK_NATS_SERVER";

/// Names the program of the oldest supported server. `cargo xtask test` sets it.
pub const OLDEST_VARIABLE: &str = "EVENT_SDK_NATS_SERVER_OLDEST";

const NAME: &str = "nats-server";

/// The newest thing that tests need is the expected sequence of an entity, which is of 2.11.
const CURRENT_WANTED: Wanted = Wanted {
    file: NAME,
    says: &[NAME],
    variable: CURRENT_VARIABLE,
    needed: "2.11 or newer",
    fit: |version| version >= Version::new(2, 11, 0),
};

/// That version and no other: a newer one shows nothing about it.
const OLDEST_WANTED: Wanted = Wanted {
    file: NAME,
    says: &[NAME],
    variable: OLDEST_VARIABLE,
    needed: "2.10.25",
    fit: |version| version == OLDEST,
};

/// The server that tests use: the one that [`CURRENT_VARIABLE`] names, else one of the system
/// that is 2.11 or newer, else the one that `cargo xtask services` has installed.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none, and what is wrong with the one that the variable names.
pub fn current() -> Result<Program, Error> {
    let installed = installed::services(|services| installed_path(services, PINNED));
    find(&CURRENT_WANTED, installed)
}

/// Like [`current`], with the folder of installed services, `target/services`, given.
///
/// # Errors
///
/// As [`current`].
pub fn current_with(services: &Path) -> Result<Program, Error> {
    find(&CURRENT_WANTED, vec![installed_path(services, PINNED)])
}

/// The oldest supported server: the one that [`OLDEST_VARIABLE`] names, else one of that version
/// of the system, else the one that `cargo xtask services` has installed.
///
/// # Errors
///
/// As [`current`].
pub fn oldest() -> Result<Program, Error> {
    let installed = installed::services(|services| installed_path(services, OLDEST));
    find(&OLDEST_WANTED, installed)
}

/// Like [`oldest`], with the folder of installed services, `target/services`, given.
///
/// # Errors
///
/// As [`current`].
pub fn oldest_with(services: &Path) -> Result<Program, Error> {
    find(&OLDEST_WANTED, vec![installed_path(services, OLDEST)])
}

fn find(wanted: &Wanted, installed: Vec<PathBuf>) -> Result<Program, Error> {
    let found = wanted.find(wanted.places(installed))?;
    found.ok_or(Error::NotFound {
        program: NAME,
        needed: wanted.needed,
        advice: INSTALL_SERVICE,
    })
}

/// The folder that `cargo xtask services` installs this version into, under `target/services`.
/// The version is in its name: a new pin is a new installation.
pub fn installation(services: &Path, version: Version) -> PathBuf {
    services.join(format!("{NAME}-{version}"))
}

/// The program, from that folder.
pub const INSTALLED_FILE: &str = "bin/nats-server";

fn installed_path(services: &Path, version: Version) -> PathBuf {
    installation(services, version).join(INSTALLED_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pinned_version_is_fit_for_one_purpose() {
        assert!((CURRENT_WANTED.fit)(PINNED) && !(OLDEST_WANTED.fit)(PINNED));
        assert!((OLDEST_WANTED.fit)(OLDEST) && !(CURRENT_WANTED.fit)(OLDEST));
        assert!(!(OLDEST_WANTED.fit)(Version::new(2, 10, 26)));
        assert!(!(CURRENT_WANTED.fit)(Version::new(2, 10, 99)));
        assert_eq!(OLDEST_WANTED.needed, OLDEST.to_string());
    }
}
