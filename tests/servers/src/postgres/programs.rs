//! `Programs`: the server's programs, in a place that its user can reach.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use event_sdk_test_programs::{Program, postgres};

use super::account::Account;
use super::error::Error;
use super::unnamed;

#[derive(Debug)]
pub(super) struct Programs {
    pub(super) postgres: PathBuf,
    pub(super) initdb: PathBuf,
}

impl Programs {
    /// Those of an installation, or a copy of it in `folder` if the account cannot run them where
    /// they are: root's own folders, for example, are closed to others.
    pub(super) fn of(
        program: &Program,
        account: Option<Account>,
        folder: &Path,
    ) -> Result<Self, Error> {
        let initdb = postgres::initdb(program)?;
        let programs = Self {
            postgres: initdb.with_file_name("postgres"),
            initdb,
        };
        match account {
            Some(account) if !programs.can_be_run_by(account) => programs
                .copied_for(account, folder)
                .map_err(|source| unnamed("copy its program", source)),
            _ => Ok(programs),
        }
    }

    fn can_be_run_by(&self, account: Account) -> bool {
        let outcome = Command::new(&self.postgres)
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .uid(account.user)
            .gid(account.group)
            .current_dir("/")
            .status();
        matches!(outcome, Ok(status) if status.success())
    }

    /// Copies the folder above `bin`, and the libraries of a Python package, which the programs look
    /// for three folders above themselves.
    fn copied_for(&self, account: Account, folder: &Path) -> io::Result<Self> {
        let missing = || io::Error::other("its folder is not that of an installation");
        let whole = self.initdb.ancestors().nth(2).ok_or_else(missing)?;
        let copy = folder.join("installation");
        let place = copy.join("package").join("postgres");
        copy_tree(whole, &place, account)?;
        let package = whole.ancestors().nth(2).ok_or_else(missing)?;
        for entry in fs::read_dir(package)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_string_lossy().ends_with(".libs") {
                copy_tree(&entry.path(), &copy.join(name), account)?;
            }
        }
        for made in [&copy, &copy.join("package")] {
            account.own(made)?;
        }
        let bin = place.join("bin");
        Ok(Self {
            postgres: bin.join("postgres"),
            initdb: bin.join("initdb"),
        })
    }
}

/// Copies a folder or a file with all that is in it, and gives it to the account. What a link leads
/// to is copied as well.
fn copy_tree(from: &Path, to: &Path, account: Account) -> io::Result<()> {
    if fs::metadata(from)?.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy_tree(&from.join(&name), &to.join(&name), account)?;
        }
    } else {
        fs::copy(from, to)?;
    }
    account.own(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    /// An installation in a folder that is closed to other users, as root's home is.
    fn closed_installation(folder: &Path) -> Programs {
        let bin = folder.join("package").join("postgres").join("bin");
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir(folder.join("package.libs")).unwrap();
        fs::write(folder.join("package.libs").join("libpq.so"), "library").unwrap();
        for program in ["postgres", "initdb"] {
            // It runs only if it finds its library.
            let script = "#!/bin/sh\ncat \"$(dirname \"$0\")/../../../package.libs/libpq.so\"\n";
            // Written by another process, as a program that is open for writing cannot be run.
            let written = Command::new("sh")
                .args(["-c", r#"printf %s "$2" >"$1" && chmod 700 "$1""#, "make"])
                .arg(bin.join(program))
                .arg(script)
                .status();
            assert!(written.unwrap().success());
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
        Programs {
            postgres: bin.join("postgres"),
            initdb: bin.join("initdb"),
        }
    }

    /// Who is not root needs no other account, and no copy.
    #[test]
    fn root_gives_its_account_a_copy_of_what_it_cannot_reach() {
        let Some(account) = Account::needed().unwrap() else {
            return assert!(!rustix::process::geteuid().is_root());
        };
        let folder = tempfile::tempdir().unwrap();
        let programs = closed_installation(folder.path());
        assert!(!programs.can_be_run_by(account));
        let place = tempfile::tempdir().unwrap();
        account.own(place.path()).unwrap();
        let copy = programs.copied_for(account, place.path()).unwrap();
        assert!(copy.postgres.starts_with(place.path()) && copy.initdb.is_file());
        assert!(copy.can_be_run_by(account));
    }
}
