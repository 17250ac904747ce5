//! Finds Chromium for the test of the catalogue page.

use std::path::{Path, PathBuf};

use crate::installed::{self, INSTALL_SERVICE, fnv_1a};
use crate::search::Wanted;
use crate::{Error, Program, Version};

/// Names the program of the browser. `cargo xtask test` sets it.
pub const VARIABLE: &str = "EVENT_SDK_CHROMIUM";

/// The Chromium to test with: the one that [`VARIABLE`] names, else a fit one of the system, else
/// the one that `cargo xtask services` has installed.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none, and what is wrong with the one that the variable names.
pub fn program() -> Result<Program, Error> {
    find(&installed::services(installed_path))
}

/// Like [`program`], with the folder of installed services, `target/services`, given.
///
/// # Errors
///
/// As [`program`].
pub fn program_with(services: &Path) -> Result<Program, Error> {
    find(&[installed_path(services)])
}

fn find(installed: &[PathBuf]) -> Result<Program, Error> {
    for file in FILES {
        let wanted = wanted(file);
        if let Some(program) = wanted.find(wanted.places(Vec::new()))? {
            return Ok(program);
        }
    }
    let wanted = wanted(FILES[0]);
    let found = wanted.find(wanted.places(installed.to_vec()))?;
    found.ok_or(Error::NotFound {
        program: "Chromium",
        needed: NEEDED,
        advice: INSTALL_SERVICE,
    })
}

/// As systems call it.
const FILES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

const NEEDED: &str = "120 or newer";

fn wanted(file: &'static str) -> Wanted {
    Wanted {
        file,
        says: &["Chromium", "Google Chrome"],
        variable: VARIABLE,
        needed: NEEDED,
        fit: |version| version >= Version::new(120, 0, 0),
    }
}

/// The folder that `cargo xtask services` installs the package of Chromium into, under
/// `target/services`. Its name is made of the lock file and of the script that unpacks it, so
/// that a new one of either is a new installation.
pub fn installation(services: &Path) -> PathBuf {
    const LOCK: &[u8] = include_bytes!("../../contracts/chromium/package-lock.json");
    const UNPACK: &[u8] = include_bytes!("../../contracts/chromium/unpack.mjs");
    let (lock, unpack) = (fnv_1a(LOCK), fnv_1a(UNPACK));
    services.join(format!("chromium-{:016x}", lock ^ unpack.rotate_left(1)))
}

/// The program, from that folder: starts the browser with the libraries and the arguments that
/// its package gives.
pub const INSTALLED_FILE: &str = "chromium.sh";

fn installed_path(services: &Path) -> PathBuf {
    installation(services).join(INSTALLED_FILE)
}
