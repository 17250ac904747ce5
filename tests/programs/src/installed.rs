//! Where `cargo xtask services` has put packages for other languages.

use std::env;
use std::path::{Path, PathBuf};

/// What to do where they are missing.
pub(crate) const INSTALL: &str =
    "run `cargo xtask services`, which installs it into target/clients";

/// The folder of packages, if it is there, for the folder `target/clients` that it is to be found
/// in. A test that runs from `target/<profile>/…` finds that one above itself.
pub(crate) fn installed(packages: impl Fn(&Path) -> PathBuf) -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    program
        .ancestors()
        .skip(1)
        .map(|folder| packages(&folder.join("clients")))
        .find(|packages| packages.is_dir())
}

/// FNV-1a: enough to tell lock files apart, which nobody makes alike on purpose.
pub(crate) fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
