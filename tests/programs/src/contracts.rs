//! Finds the tools that check contracts (AsyncAPI parser, TypeScript, pydantic), and the
//! JSON-Schema-Test-Suite.

use std::path::{Path, PathBuf};

use crate::clients::{self, Runtime};
use crate::installed::{self, INSTALL_PACKAGES, fnv_1a};
use crate::{Error, Program, node};

/// What the tools in Python run with: datamodel-code-generator and pydantic.
///
/// # Errors
///
/// [`Error::NotFound`] for the interpreter or the packages, and what is wrong with the
/// interpreter that [`clients::PYTHON_VARIABLE`] names.
pub fn python() -> Result<Runtime, Error> {
    let program = clients::python_program()?;
    let packages = installed::packages(|clients| python_packages(clients, &program));
    Ok(Runtime {
        packages: packages.ok_or(Error::NotFound {
            program: "datamodel-code-generator",
            needed: "for the tests of contracts",
            advice: INSTALL_PACKAGES,
        })?,
        program,
    })
}

/// What the tools for files of deployments run with: kubernetes-validate, and the schema of compose.
///
/// # Errors
///
/// As [`python`].
pub fn deployment() -> Result<Runtime, Error> {
    let program = clients::python_program()?;
    let packages = installed::packages(|clients| deployment_packages(clients, &program));
    Ok(Runtime {
        packages: packages.ok_or(Error::NotFound {
            program: "kubernetes-validate",
            needed: "for the tests of deployments",
            advice: INSTALL_PACKAGES,
        })?,
        program,
    })
}

/// What the tools in Node run with: the parser of AsyncAPI, TypeScript and its generator, and what
/// drives a browser.
///
/// # Errors
///
/// As [`python`], of Node and of [`node::VARIABLE`].
pub fn node() -> Result<Runtime, Error> {
    Ok(Runtime {
        program: node::program()?,
        packages: installed::packages(node_packages).ok_or(Error::NotFound {
            program: "@asyncapi/parser",
            needed: "for the tests of contracts",
            advice: INSTALL_PACKAGES,
        })?,
    })
}

/// The folder of the JSON-Schema-Test-Suite, with `tests/<draft>/<keyword>.json`.
///
/// # Errors
///
/// [`Error::NotFound`] where it is not installed.
pub fn suite() -> Result<PathBuf, Error> {
    installed::packages(suite_folder).ok_or(Error::NotFound {
        program: "the JSON-Schema-Test-Suite",
        needed: "for the tests of contracts",
        advice: INSTALL_PACKAGES,
    })
}

/// The folder of the suite, under `target/clients`.
pub fn suite_folder(clients: &Path) -> PathBuf {
    const PACKAGE: &[u8] = include_bytes!("../../contracts/suite/package.txt");
    clients.join(format!("json-schema-test-suite-{:016x}", fnv_1a(PACKAGE)))
}

/// The folder of the packages in Python, under `target/clients`, for this interpreter: parts of
/// them are compiled for one minor version. It has a name of its own for each list of packages.
pub fn python_packages(clients: &Path, python: &Program) -> PathBuf {
    const LIST: &[u8] = include_bytes!("../../contracts/python/requirements.txt");
    clients.join(of_python("contracts", python, LIST))
}

/// The same for [`deployment`].
pub fn deployment_packages(clients: &Path, python: &Program) -> PathBuf {
    const LIST: &[u8] = include_bytes!("../../contracts/deployment/requirements.txt");
    clients.join(of_python("deployment", python, LIST))
}

fn of_python(what: &str, python: &Program, list: &[u8]) -> String {
    let (major, minor) = (python.version().major(), python.version().minor());
    format!("{what}-python{major}.{minor}-{:016x}", fnv_1a(list))
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
