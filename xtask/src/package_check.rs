//! `cargo xtask package-check`: packs the crates, and builds a service on the packages.
//!
//! The workspace compiles also when a package lacks a file, or a dependency that only another
//! member brings in. So the `.crate` files are unpacked under `target/package-check`, looked
//! through, checked with all their features by a small service that knows nothing of the
//! workspace, and the service runs.

mod consumer;
mod contents;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::metadata::{Metadata, Package};
use crate::process::{cargo, root, run as run_command};

/// Packs, looks through, builds and runs.
pub(crate) fn run(metadata: &Metadata) -> Result<()> {
    let published: Vec<_> = metadata.members().filter(|p| p.is_published()).collect();
    pack(&published)?;
    let place = metadata.target_directory.join("package-check");
    let mut faults = Vec::new();
    for package in &published {
        let folder = unpack(package, &metadata.target_directory, &place)?;
        faults.extend(contents::check(&package.name, &folder, &root())?);
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    consumer::run(&published, &place, &metadata.target_directory)
}

/// Asks cargo whether the workspace could be published, without building anything: what is
/// packed is built by [`run`].
pub(crate) fn publish_dry_run() -> Result<()> {
    let mut command = cargo();
    command.args(["publish", "--dry-run", "--workspace", "--no-verify"]);
    run_command(allow_dirty(&mut command))
}

fn pack(packages: &[&Package]) -> Result<()> {
    let mut command = cargo();
    command.args(["package", "--no-verify", "--quiet"]);
    for package in packages {
        command.args(["--package", &package.name]);
    }
    run_command(allow_dirty(&mut command))
}

/// Files that are not committed are packed on a developer's machine, and refused in the CI.
fn allow_dirty(command: &mut Command) -> &mut Command {
    if env::var_os("CI").is_none() {
        command.arg("--allow-dirty");
    }
    command
}

/// Unpacks the `.crate` file of a package below `place`, unless it is there and has not changed.
fn unpack(package: &Package, target: &Path, place: &Path) -> Result<PathBuf> {
    let name = format!("{}-{}", package.name, package.version);
    let packed = target.join("package").join(format!("{name}.crate"));
    let folder = place.join("crates").join(&name);
    let copy = place.join("crates").join(format!("{name}.crate"));
    let bytes = fs::read(&packed).with_context(|| format!("cannot read {}", packed.display()))?;
    if folder.is_dir() && fs::read(&copy).is_ok_and(|known| known == bytes) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(place.join("crates"))?;
    // `-m`: all files in a `.crate` have one old time, by which cargo would see no change.
    let mut tar = Command::new("tar");
    tar.arg("-xmzf")
        .arg(&packed)
        .arg("-C")
        .arg(place.join("crates"));
    run_command(&mut tar)?;
    fs::write(&copy, bytes).with_context(|| format!("cannot write {}", copy.display()))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Packs a folder with this README as cargo would.
    fn pack(target: &Path, readme: &str) {
        let folder = target.join("package");
        fs::create_dir_all(folder.join("orders-1.2.3")).unwrap();
        fs::write(folder.join("orders-1.2.3/README.md"), readme).unwrap();
        let mut tar = Command::new("tar");
        tar.arg("-C").arg(&folder).arg("-czf");
        tar.arg(folder.join("orders-1.2.3.crate"))
            .arg("orders-1.2.3");
        run_command(&mut tar).unwrap();
    }

    fn unpacked(target: &Path) -> PathBuf {
        let package: Package = serde_json::from_value(json!({
            "id": "p", "name": "orders", "version": "1.2.3", "rust_version": null,
            "publish": null, "features": {}, "targets": [],
        }))
        .unwrap();
        unpack(&package, target, &target.join("package-check")).unwrap()
    }

    #[test]
    fn a_package_is_unpacked_anew_only_when_it_has_changed() {
        let target = tempfile::tempdir().unwrap();
        pack(target.path(), "first");
        let folder = unpacked(target.path());
        assert!(folder.ends_with("package-check/crates/orders-1.2.3"));
        let readme = || fs::read_to_string(folder.join("README.md")).unwrap();
        assert_eq!(readme(), "first");

        let mark = folder.join("mark");
        fs::write(&mark, "").unwrap();
        unpacked(target.path());
        assert!(mark.exists());

        pack(target.path(), "second");
        unpacked(target.path());
        assert_eq!(readme(), "second");
        assert!(!mark.exists());
    }
}
