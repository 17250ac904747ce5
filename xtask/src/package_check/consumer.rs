//! Builds and runs a small service on the unpacked packages, and checks them with all features.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::metadata::Package;
use crate::process::{cargo, root, run as run_command};

/// The service; it ends with an error unless the event that it publishes arrives.
const PROGRAM: &str = include_str!("consumer/main.rs");

/// Writes the service below `place`, then checks it with every package, and runs it with few.
///
/// Both use the dependencies that other commands have compiled in `target`.
pub(super) fn run(packages: &[&Package], place: &Path, target: &Path) -> Result<()> {
    let folder = place.join("consumer");
    let source = folder.join("src");
    fs::create_dir_all(&source).with_context(|| format!("cannot make {}", source.display()))?;
    write(&source.join("main.rs"), PROGRAM)?;
    let manifest = folder.join("Cargo.toml");
    write(&manifest, &manifest_of(packages)?)?;
    // The same versions as in the workspace, and nothing to ask the registry for.
    let lock = fs::read_to_string(root().join("Cargo.lock")).context("cannot read Cargo.lock")?;
    write(&folder.join("Cargo.lock"), &lock)?;
    for how in [&["check", "--features", "every"][..], &["run"]] {
        let mut command = cargo();
        command.args(how).arg("--manifest-path").arg(&manifest);
        command.arg("--target-dir").arg(target);
        run_command(&mut command)?;
    }
    Ok(())
}

/// The package that the service uses; the others come with the feature `every`.
const USED: &str = "event-sdk";

/// A manifest that asks for packages by their versions, and finds them in their unpacked folders
/// instead of the registry. The feature `every` has all packages with all their features.
fn manifest_of(packages: &[&Package]) -> Result<String> {
    let mut text = "\
# Written by `cargo xtask package-check`.
[workspace]

[package]
name = \"package-check-consumer\"
version = \"0.0.0\"
edition = \"2024\"
publish = false

# As in the workspace, so that the dependencies are the same.
[profile.dev]
debug = \"line-tables-only\"

[dependencies]
serde = { version = \"1\", features = [\"derive\"] }
tokio = { version = \"1\", features = [\"macros\", \"rt\", \"time\"] }
"
    .to_owned();
    let mut every = Vec::new();
    for package in packages {
        let (name, version) = (&package.name, &package.version);
        every.extend((package.features.keys()).map(|feature| format!("{name}/{feature}")));
        if name == USED {
            writeln!(
                text,
                "{name} = {{ version = \"={version}\", features = [\"nats\"] }}"
            )?;
        } else {
            every.push(format!("dep:{name}"));
            writeln!(
                text,
                "{name} = {{ version = \"={version}\", optional = true }}"
            )?;
        }
    }
    writeln!(text, "\n[features]\nevery = {every:?}")?;
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
        let package = |name: &str| -> Package {
            serde_json::from_value(json!({
                "id": name, "name": name, "version": "1.2.3", "rust_version": null,
                "publish": null, "features": { "memory": [], "nats": [] }, "targets": [],
            }))
            .unwrap()
        };
        let text = manifest_of(&[&package("event-sdk"), &package("orders")]).unwrap();
        for line in [
            r#"event-sdk = { version = "=1.2.3", features = ["nats"] }"#,
            r#"orders = { version = "=1.2.3", optional = true }"#,
            r#"every = ["event-sdk/memory", "event-sdk/nats", "orders/memory", "orders/nats", "dep:orders"]"#,
            r#"orders = { path = "../crates/orders-1.2.3" }"#,
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
