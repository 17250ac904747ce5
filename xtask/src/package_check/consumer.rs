//! Builds and runs a small service on the unpacked packages.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::metadata::Package;
use crate::process::{cargo, root, run as run_command};

/// The service; it ends with an error unless the event that it publishes arrives.
const PROGRAM: &str = include_str!("consumer/main.rs");

/// Writes the service below `place`, then builds and runs it.
pub(super) fn run(packages: &[&Package], place: &Path) -> Result<()> {
    let folder = place.join("consumer");
    let source = folder.join("src");
    fs::create_dir_all(&source).with_context(|| format!("cannot make {}", source.display()))?;
    write(&source.join("main.rs"), PROGRAM)?;
    let manifest = folder.join("Cargo.toml");
    write(&manifest, &manifest_of(packages)?)?;
    // The same versions as in the workspace, and nothing to ask the registry for.
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    write(&folder.join("Cargo.lock"), &lock)?;
    let mut command = cargo();
    command.args(["run", "--manifest-path"]).arg(manifest);
    command.arg("--target-dir").arg(place.join("target"));
    run_command(&mut command)
}

/// A manifest that asks for every package by its version, with all features, and finds it in
/// its unpacked folder instead of the registry.
fn manifest_of(packages: &[&Package]) -> Result<String> {
    let mut text = "\
# Written by `cargo xtask package-check`.
[workspace]

[package]
name = \"package-check-consumer\"
version = \"0.0.0\"
edition = \"2024\"
publish = false

[profile.dev]
debug = false

[dependencies]
serde = { version = \"1\", features = [\"derive\"] }
tokio = { version = \"1\", features = [\"macros\", \"rt\", \"time\"] }
"
    .to_owned();
    for package in packages {
        let features: Vec<_> = package.features.keys().collect();
        let (name, version) = (&package.name, &package.version);
        writeln!(
            text,
            "{name} = {{ version = \"={version}\", features = {features:?} }}"
        )?;
    }
    text.push_str("\n[patch.crates-io]\n");
    for package in packages {
        let (name, version) = (&package.name, &package.version);
        writeln!(text, "{name} = {{ path = \"../crates/{name}-{version}\" }}")?;
    }
    Ok(text)
}

/// Writes a file, unless it has this text: cargo builds anew what is written anew.
fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_package_is_asked_for_by_version_and_patched_to_its_folder() {
        let own: Package = serde_json::from_value(json!({
            "id": "p", "name": "orders", "version": "1.2.3", "rust_version": null,
            "publish": null, "features": { "memory": [], "nats": [] }, "targets": [],
        }))
        .unwrap();
        let text = manifest_of(&[&own]).unwrap();
        for line in [
            "orders = { version = \"=1.2.3\", features = [\"memory\", \"nats\"] }",
            "orders = { path = \"../crates/orders-1.2.3\" }",
        ] {
            assert!(text.lines().any(|own| own == line), "{text}");
        }
    }

    #[test]
    fn a_file_with_the_same_text_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main.rs");
        fs::write(&path, "same").unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        write(&path, "same").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    }
}
