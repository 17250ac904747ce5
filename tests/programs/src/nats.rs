//! Where `nats-server` may be: the current one that the tests use, and an old one.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::{Error, Origin, Program, Version, ask, on_system};

/// The version that `cargo xtask services` installs where the system has none.
pub const PINNED: Version = Version::new(2, 15, 1);

/// Names the program of the current server. `cargo xtask test` sets it.
pub const CURRENT_VARIABLE: &str = "EVENT_SDK_NATS_SERVER";

/// Names the program of an old server. `cargo xtask test` sets it where there is one.
pub const OLD_VARIABLE: &str = "EVENT_SDK_NATS_SERVER_OLD";

/// What the tests of the newest features need: the expected sequence of an entity is of 2.11.
const CURRENT_FROM: Version = Version::new(2, 11, 0);

/// Several filters and much else came with 2.10: what is older must be told so.
const OLD_BEFORE: Version = Version::new(2, 10, 0);

/// The server that tests use: the one that [`CURRENT_VARIABLE`] names, else one of the system
/// that is 2.11 or newer, else the one that `cargo xtask services` has installed.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none, and what is wrong with the one that the variable names.
pub fn current() -> Result<Program, Error> {
    current_in(&installations())
}

/// Like [`current`], with the folder of installed services, `target/services`, given.
///
/// # Errors
///
/// As [`current`].
pub fn current_with(services: &Path) -> Result<Program, Error> {
    current_in(&[installed_path(services)])
}

fn current_in(installed: &[PathBuf]) -> Result<Program, Error> {
    let fit = |version| version >= CURRENT_FROM;
    if let Some(program) = named(CURRENT_VARIABLE, "2.11 or newer", fit)? {
        return Ok(program);
    }
    let system = on_system(NAME)
        .into_iter()
        .map(|path| (path, Origin::System));
    let installed = installed
        .iter()
        .map(|path| (path.clone(), Origin::Installed));
    first(system.chain(installed), fit).ok_or(Error::NotFound {
        program: "nats-server, 2.11 or newer,",
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
    let fit = |version| version < OLD_BEFORE;
    let named = named(OLD_VARIABLE, "older than 2.10", fit)?;
    let system = on_system(NAME)
        .into_iter()
        .map(|path| (path, Origin::System));
    Ok(named.or_else(|| first(system, fit)))
}

/// Where `cargo xtask services` puts the pinned server, in the folder `target/services`. The
/// version is in the path: a new pin is a new installation.
pub fn installed_path(services: &Path) -> PathBuf {
    services
        .join(format!("{NAME}-{PINNED}"))
        .join("bin")
        .join(NAME)
}

const NAME: &str = "nats-server";

/// A program that runs from `target/<profile>/…` finds `target/services` above itself, whatever
/// the name of the target folder is.
fn installations() -> Vec<PathBuf> {
    let program = env::current_exe().unwrap_or_default();
    program
        .ancestors()
        .skip(1)
        .map(|folder| installed_path(&folder.join("services")))
        .filter(|path| path.is_file())
        .collect()
}

/// The program that a variable names: it was chosen on purpose, so it must be fit.
fn named(
    variable: &'static str,
    needed: &'static str,
    fit: impl Fn(Version) -> bool,
) -> Result<Option<Program>, Error> {
    match env::var_os(variable) {
        Some(path) if !path.is_empty() => check_named(variable, path, needed, fit).map(Some),
        _ => Ok(None),
    }
}

fn check_named(
    variable: &'static str,
    path: OsString,
    needed: &'static str,
    fit: impl Fn(Version) -> bool,
) -> Result<Program, Error> {
    let path = PathBuf::from(path);
    let version = match ask(&path) {
        Ok(version) => version,
        Err(source) => {
            return Err(Error::Unusable {
                variable,
                path,
                source,
            });
        }
    };
    if !fit(version) {
        return Err(Error::WrongVersion {
            variable,
            path,
            version,
            needed,
        });
    }
    Ok(Program {
        path,
        version,
        origin: Origin::Environment(variable),
    })
}

/// The first that answers with a fit version. What does not answer is passed over: it may be
/// anything that happens to have the name.
fn first(
    mut candidates: impl Iterator<Item = (PathBuf, Origin)>,
    fit: impl Fn(Version) -> bool,
) -> Option<Program> {
    candidates.find_map(|(path, origin)| {
        let version = ask(&path).ok().filter(|version| fit(*version))?;
        Some(Program {
            path,
            version,
            origin,
        })
    })
}
