//! The test clients in other languages: what runs them, and the packages that they are given.

use std::env;
use std::path::{Path, PathBuf};

use crate::installed::{INSTALL, fnv_1a, installed};
use crate::search::Wanted;
use crate::{Error, Program, Version};

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

/// Names the Node that runs the Node client.
pub const NODE_VARIABLE: &str = "EVENT_SDK_NODE";

/// Set by `cargo xtask test` where there is no Node: it says so itself, and the tests need not
/// fail. Whoever runs a test without it is to hear that nothing was tested.
pub const WITHOUT_NODE_VARIABLE: &str = "EVENT_SDK_WITHOUT_NODE";

/// The version of nats-py that `cargo xtask services` installs.
pub const NATS_PY: Version = Version::new(2, 16, 0);

const PYTHON: Wanted = Wanted {
    file: "python3",
    says: &["Python"],
    variable: PYTHON_VARIABLE,
    needed: "3.10 or newer",
    fit: |version| version >= Version::new(3, 10, 0),
};

const NODE: Wanted = Wanted {
    file: "node",
    says: &["v"],
    variable: NODE_VARIABLE,
    needed: "18 or newer",
    fit: |version| version >= Version::new(18, 0, 0),
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
        packages: installed(python_packages).ok_or(Error::NotFound {
            program: "nats-py",
            needed: "for the Python client",
            advice: INSTALL,
        })?,
    })
}

/// What the Node client runs with; `None` if `cargo xtask test` has already said that there is
/// no Node.
///
/// # Errors
///
/// As [`python`].
pub fn node() -> Result<Option<Runtime>, Error> {
    if env::var_os(WITHOUT_NODE_VARIABLE).is_some() {
        return Ok(None);
    }
    Ok(Some(Runtime {
        program: node_program()?.ok_or(Error::NotFound {
            program: NODE.file,
            needed: NODE.needed,
            advice: "install it, or run the tests with `cargo xtask test`, which leaves those \
                     that need it out and says so",
        })?,
        packages: installed(node_packages).ok_or(Error::NotFound {
            program: "@nats-io/jetstream",
            needed: "for the Node client",
            advice: INSTALL,
        })?,
    }))
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

/// The Node that [`NODE_VARIABLE`] names, else a fit one of the system; `None` if there is none.
///
/// # Errors
///
/// What is wrong with the one that the variable names.
pub fn node_program() -> Result<Option<Program>, Error> {
    NODE.find(NODE.places(Vec::new()))
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
