//! The tools of other teams that contracts are held against: the packages that are installed for
//! them, in Node and in Python.

use std::env;
use std::path::{Path, PathBuf};

use crate::clients::{self, Runtime, WITHOUT_NODE_VARIABLE};
use crate::installed::{INSTALL, fnv_1a, installed};
use crate::{Error, Program, Version};

/// Set by `cargo xtask test` where there is a Node, and it is too old for the tools.
pub const WITHOUT_TOOLS_VARIABLE: &str = "EVENT_SDK_WITHOUT_CONTRACT_TOOLS";

/// What the tools in Python run with: datamodel-code-generator and pydantic.
///
/// # Errors
///
/// [`Error::NotFound`] for the interpreter or the packages, and what is wrong with the
/// interpreter that [`clients::PYTHON_VARIABLE`] names.
pub fn python() -> Result<Runtime, Error> {
    let program = clients::python_program()?;
    let packages = installed(|clients| python_packages(clients, &program));
    Ok(Runtime {
        packages: packages.ok_or(Error::NotFound {
            program: "datamodel-code-generator",
            needed: "for the tests of contracts",
            advice: INSTALL,
        })?,
        program,
    })
}

/// What the tools in Node run with: the parser of AsyncAPI, TypeScript and its generator, and what
/// drives a browser. `None` if `cargo xtask test` has already said that they cannot be had.
///
/// # Errors
///
/// As [`python`].
pub fn node() -> Result<Option<Runtime>, Error> {
    let told = [WITHOUT_NODE_VARIABLE, WITHOUT_TOOLS_VARIABLE];
    if told.iter().any(|name| env::var_os(name).is_some()) {
        return Ok(None);
    }
    Ok(Some(Runtime {
        program: node_program()?.ok_or(Error::NotFound {
            program: "node",
            needed: "20.17 or newer",
            advice: "install it, or run the tests with `cargo xtask test`, which leaves those \
                     that need it out and says so",
        })?,
        packages: installed(node_packages).ok_or(Error::NotFound {
            program: "@asyncapi/parser",
            needed: "for the tests of contracts",
            advice: INSTALL,
        })?,
    }))
}

/// The Node of the test clients, if it is new enough for the tools.
///
/// # Errors
///
/// What is wrong with the one that [`clients::NODE_VARIABLE`] names.
pub fn node_program() -> Result<Option<Program>, Error> {
    let new_enough = |program: &Program| program.version() >= Version::new(20, 17, 0);
    Ok(clients::node_program()?.filter(new_enough))
}

/// The folder of the packages in Python, under `target/clients`, for this interpreter: parts of
/// them are compiled for one minor version. It has a name of its own for each list of packages.
pub fn python_packages(clients: &Path, python: &Program) -> PathBuf {
    const LIST: &[u8] = include_bytes!("../../contracts/python/requirements.txt");
    let (major, minor) = (python.version().major(), python.version().minor());
    let hash = fnv_1a(LIST);
    clients.join(format!("contracts-python{major}.{minor}-{hash:016x}"))
}

/// The folder of the packages in Node, under `target/clients`.
pub fn node_packages(clients: &Path) -> PathBuf {
    node_installation(clients).join("node_modules")
}

/// The folder that `npm` installs into, under `target/clients`. It has a name of its own for
/// each lock file, so that a new one is a new installation.
pub fn node_installation(clients: &Path) -> PathBuf {
    const LOCK: &[u8] = include_bytes!("../../contracts/node/package-lock.json");
    clients.join(format!("contracts-node-{:016x}", fnv_1a(LOCK)))
}
