//! Folders of programs and packages that `cargo xtask services` installs.

use std::env;
use std::path::{Path, PathBuf};

use crate::search::Places;

/// What to do where packages are missing.
pub(crate) const INSTALL_PACKAGES: &str =
    "run `cargo xtask services`, which installs it into target/clients";

/// What to do where a program is missing.
pub(crate) const INSTALL_SERVICE: &str =
    "run `cargo xtask services`, which installs one into target/services";

/// The places of an installed program, for the folder `target/services` that it is to be found in.
/// A program that runs from `target/<profile>/…` finds that one above itself, whatever the name
/// of the target folder is.
pub(crate) fn services(program: impl Fn(&Path) -> PathBuf) -> Vec<PathBuf> {
    above("services").map(|folder| program(&folder)).collect()
}

/// The folder of packages, if it is there, for the folder `target/clients` that it is to be found
/// in, which is looked for in the same way.
pub(crate) fn packages(packages: impl Fn(&Path) -> PathBuf) -> Option<PathBuf> {
    above("clients")
        .map(|folder| packages(&folder))
        .find(|packages| packages.is_dir())
}

/// No other place than this one.
pub(crate) fn only(path: PathBuf) -> Places {
    Places {
        installed: vec![path],
        ..Places::default()
    }
}

fn above(name: &str) -> impl Iterator<Item = PathBuf> {
    let program = env::current_exe().unwrap_or_default();
    let folders: Vec<_> = program
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(name))
        .collect();
    folders.into_iter()
}

/// FNV-1a: enough to tell lock files apart, which nobody makes alike on purpose.
pub(crate) fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_finds_the_services_of_the_target_folder_it_was_built_into() {
        let target = env::current_exe()
            .unwrap()
            .ancestors()
            .find(|folder| folder.join("CACHEDIR.TAG").is_file())
            .map(Path::to_path_buf)
            .unwrap();
        let places = services(|folder| folder.join("server"));
        assert!(places.contains(&target.join("services").join("server")));
    }
}
