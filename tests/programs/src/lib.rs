//! Finds the programs of real servers, for the tests and for `cargo xtask services`.
//!
//! One place knows where a program may be and which version it must have, so that a
//! test that is run alone starts the same server as `cargo xtask test`. Nothing is
//! installed and nothing is started here.

pub mod nats;

mod version;

pub use version::{InvalidVersion, Version};

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fmt, io};

/// A server's program that was found and asked for its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    version: Version,
    origin: Origin,
}

impl Program {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says that it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How it was found.
    pub fn origin(&self) -> Origin {
        self.origin
    }
}

/// How a program was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An environment variable names it.
    Environment(&'static str),
    /// It is in a folder of the `PATH`, or where systems keep servers.
    System,
    /// `cargo xtask services` has installed it.
    Installed,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "named by {name}"),
            Self::System => f.write_str("found on the system"),
            Self::Installed => f.write_str("installed by `cargo xtask services`"),
        }
    }
}

/// Why there is no program to start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None of the places has one that is fit.
    #[error("no {program} was found: {advice}")]
    NotFound {
        /// What was looked for, with the version it must have.
        program: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// An environment variable names a program that is not fit.
    #[error("{variable} names {}, which is {version}: it must be {needed}", path.display())]
    WrongVersion {
        /// The variable.
        variable: &'static str,
        /// What it names.
        path: PathBuf,
        /// What that is.
        version: Version,
        /// What is needed.
        needed: &'static str,
    },
    /// An environment variable names something that does not tell its version.
    #[error("{variable} names {}, which does not tell its version", path.display())]
    Unusable {
        /// The variable.
        variable: &'static str,
        /// What it names.
        path: PathBuf,
        /// What happened when it was asked.
        source: io::Error,
    },
}

/// Runs `program --version` and reads the version in its answer.
fn ask(path: &Path) -> io::Result<Version> {
    let output = Command::new(path)
        .arg("--version")
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        let text = format!("`{} --version` failed ({})", path.display(), output.status);
        return Err(io::Error::other(text));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Version::first_in(&text).map_err(io::Error::other)
}

/// The files called `name` in the folders of the `PATH`, and in those that systems keep servers
/// in and leave out of the `PATH` of a user who is not root.
fn on_system(name: &str) -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found = Vec::new();
    for folder in env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]) {
        let file = folder.join(name);
        if file.is_file() && !found.contains(&file) {
            found.push(file);
        }
    }
    found
}
