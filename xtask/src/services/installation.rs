//! Installs into a folder, as a whole or not at all.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, process};

use anyhow::{Context, Result, ensure};

/// Lets `install` work in a folder, which becomes `into` when it is finished and has `file`:
/// two may do so at once, and one that is interrupted leaves nothing that looks installed.
pub(super) fn make(
    into: &Path,
    file: &str,
    install: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let unfinished = Unfinished::beside(into)?;
    install(&unfinished.0)?;
    move_into_place(&unfinished.0, into, file)
}

/// Renames the finished folder, unless another was quicker.
fn move_into_place(finished: &Path, into: &Path, file: &str) -> Result<()> {
    ensure!(
        finished.join(file).is_file(),
        "{file} is not in the package"
    );
    let is_there = || into.join(file).is_file();
    if into.exists() && !is_there() {
        fs::remove_dir_all(into)?;
    }
    match fs::rename(finished, into) {
        Err(_) if is_there() => Ok(()),
        outcome => Ok(outcome?),
    }
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
}
