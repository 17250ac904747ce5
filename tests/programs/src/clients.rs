//! Finds interpreters and packages of the Python and Node clients.

use std::path::{Path, PathBuf};

use crate::installed::{self, INSTALL_PACKAGES, fnv_1a};
use crate::search::Wanted;
use crate::{Error, Program, Version, node};

/// What the Python client runs with, and what the Node client runs with.
#[derive(Clone, Debug)]
pub struct Runtime {
    pub(crate) program: Program,
    pub(crate) packages: PathBuf,
}

impl Runtime {
    /// The interpreter.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The folder in which the interpreter is to look for packages.
    pub fn packages(&self) -> &Path {
        &self.packages
    }
}

/// Names the Python that runs the Python client.
pub const PYTHON_VARIABLE: &str = "EVENT_SDK_PYTHON";

/// The version of nats-py that `cargo xtask services` installs.
pub const NATS_PY: Version = Version::new(2, 16, 0);

const PYTHON: Wanted = Wanted {
    file: "python3",
    says: &["Python"],
    variable: PYTHON_VARIABLE,
    needed: "3.10 or newer",
    fit: |version| version >= Version::new(3, 10, 0),
};

/// What the Python client runs with.
///
/// # Errors
///
/// [`Error::NotFound`] for the interpreter or its packages, and what is wrong with the
/// interpreter that [`PYTHON_VARIABLE`] names.
pub fn python() -> Result<Runtime, Error> {
    Ok(Runtime {
        program: python_program()?,
        packages: installed::packages(python_packages).ok_or(Error::NotFound {
            program: "nats-py",
            needed: "for the Python client",
            advice: INSTALL_PACKAGES,
        })?,
    })
}

/// What the Node client runs with.
///
/// # Errors
///
/// As [`python`], of Node and of [`node::VARIABLE`].
pub fn node() -> Result<Runtime, Error> {
    Ok(Runtime {
        program: node::program()?,
        packages: installed::packages(node_packages).ok_or(Error::NotFound {
            program: "@nats-io/jetstream",
            needed: "for the Node client",
            advice: INSTALL_PACKAGES,
        })?,
    })
}

/// The Python that [`PYTHON_VARIABLE`] names, else a fit one of the system.
///
/// # Errors
///
/// [`Error::NotFound`] if there is none, and what is wrong with the one that the variable names.
pub fn python_program() -> Result<Program, Error> {
    let found = PYTHON.find(PYTHON.places(Vec::new()))?;
    found.ok_or(Error::NotFound {
        program: PYTHON.file,
        needed: PYTHON.needed,
        advice: "install it (Debian: `apt-get install python3-pip`), or name one with \
                 EVENT_SDK_PYTHON",
    })
}

/// The folder of the Python client's packages, under `target/clients`. The version is in its
/// name: a new pin is a new installation.
pub fn python_packages(clients: &Path) -> PathBuf {
    clients.join(format!("nats-py-{NATS_PY}"))
}

/// The folder of the Node client's packages, under `target/clients`.
pub fn node_packages(clients: &Path) -> PathBuf {
    node_installation(clients).join("node_modules")
}

/// The folder that `npm` installs into, under `target/clients`. It has a name of its own for
/// each lock file, so that a new one is a new installation.
pub fn node_installation(clients: &Path) -> PathBuf {
    const LOCK: &[u8] = include_bytes!("../../clients/node/package-lock.json");
    clients.join(format!("node-{:016x}", fnv_1a(LOCK)))
}
