//! Where `nats-server` may be: the current one that the tests use, and an old one.

use std::env;
use std::path::{Path, PathBuf};

use crate::search::Wanted;
use crate::{Error, Program, Version};

/// The version that `cargo xtask services` installs where the system has none.
pub const PINNED: Version = Version::new(2, 15, 1);

/// Names the program of the current server. `cargo xtask test` sets it.
pub const CURRENT_VARIABLE: &str = "EVENT_SDK_NATS_SERVER";

/// Names the program of an old server. `cargo xtask test` sets it where there is one.
pub const OLD_VARIABLE: &str = "EVENT_SDK_NATS_SERVER_OLD";

const NAME: &str = "nats-server";

/// The newest thing that tests need is the expected sequence of an entity, which is of 2.11.
const CURRENT: Wanted = Wanted {
    file: NAME,
    says: &[NAME],
    variable: CURRENT_VARIABLE,
    needed: "2.11 or newer",
    fit: |version| version >= Version::new(2, 11, 0),
};

/// Consumers with several filters and much else came with 2.10: before it, they are missed.
const OLD: Wanted = Wanted {
    file: NAME,
    says: &[NAME],
    variable: OLD_VARIABLE,
    needed: "older than 2.10",
    fit: |version| version < Version::new(2, 10, 0),
};

/// The server that tests use: the one that [`CURRENT_VARIABLE`] names, else one of the system
/// that is 2.11 or newer, else the one that `cargo xtask services` has installed.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none, and what is wrong with the one that the variable names.
pub fn current() -> Result<Program, Error> {
    current_in(installations())
}

/// Like [`current`], with the folder of installed services, `target/services`, given.
///
/// # Errors
///
/// As [`current`].
pub fn current_with(services: &Path) -> Result<Program, Error> {
    current_in(vec![installed_path(services)])
}

fn current_in(installed: Vec<PathBuf>) -> Result<Program, Error> {
    let found = CURRENT.find(CURRENT.places(installed))?;
    found.ok_or(Error::NotFound {
        program: NAME,
        needed: CURRENT.needed,
        advice: "run `cargo xtask services`, which installs one into target/services",
    })
}

/// A server older than 2.10, whose limits the tests look at: the one that [`OLD_VARIABLE`]
/// names, else one of the system (Debian 12 has 2.9.10); `None` where there is none.
///
/// # Errors
///
/// What is wrong with the one that the variable names.
pub fn old() -> Result<Option<Program>, Error> {
    OLD.find(OLD.places(Vec::new()))
}

/// The folder that `cargo xtask services` installs the pinned server into, under
/// `target/services`. The version is in its name: a new pin is a new installation.
pub fn installation(services: &Path) -> PathBuf {
    services.join(format!("{NAME}-{PINNED}"))
}

/// The program in that folder.
pub fn installed_path(services: &Path) -> PathBuf {
    installation(services).join("bin").join(NAME)
}

/// A program that runs from `target/<profile>/…` finds `target/services` above itself, whatever
/// the name of the target folder is.
fn installations() -> Vec<PathBuf> {
    let program = env::current_exe().unwrap_or_default();
    program
        .ancestors()
        .skip(1)
        .map(|folder| installed_path(&folder.join("services")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_version_is_fit_and_none_is_both() {
        assert!((CURRENT.fit)(PINNED));
        for version in [(2, 9), (2, 10), (2, 11), (3, 0)] {
            let version = Version::new(version.0, version.1, 0);
            assert!(!((CURRENT.fit)(version) && (OLD.fit)(version)));
        }
        assert!((OLD.fit)(Version::new(2, 9, 25)));
        assert!(!(OLD.fit)(Version::new(2, 10, 0)));
        assert!(!(CURRENT.fit)(Version::new(2, 10, 99)));
    }

    #[test]
    fn a_test_finds_the_services_of_the_target_folder_it_was_built_into() {
        let target = env::current_exe()
            .unwrap()
            .ancestors()
            .find(|folder| folder.join("CACHEDIR.TAG").is_file())
            .map(Path::to_path_buf)
            .unwrap();
        assert!(installations().contains(&installed_path(&target.join("services"))));
    }
}
