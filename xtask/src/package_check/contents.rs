//! Checks a package's README, licences and metadata.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The licences, which are the same in every package as at the root.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// What is missing or wrong in the unpacked package in `folder`.
pub(super) fn check(package: &str, folder: &Path, root: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for name in LICENCES {
        let own = fs::read(root.join(name)).with_context(|| format!("cannot read {name}"))?;
        match fs::read(folder.join(name)) {
            Ok(packed) if packed == own => {}
            Ok(_) => faults.push(format!(
                "{package}: {name} in the package differs from the one at the root. Make it a \
                 symbolic link to that one."
            )),
            Err(_) => faults.push(format!(
                "{package}: {name} is missing in the package. Add a symbolic link to the one at \
                 the root beside its Cargo.toml."
            )),
        }
    }
    match fs::read_to_string(folder.join("README.md")) {
        Ok(text) if !text.trim().is_empty() => {}
        Ok(_) => faults.push(format!(
            "{package}: README.md is empty. Say what it is for."
        )),
        Err(_) => faults.push(format!(
            "{package}: README.md is missing in the package. Write one beside its Cargo.toml: \
             what the package is for, and which one a service uses instead."
        )),
    }
    let manifest = fs::read_to_string(folder.join("Cargo.toml"))
        .with_context(|| format!("{package} has no Cargo.toml"))?;
    for key in [
        "description",
        "keywords",
        "categories",
        "repository",
        "readme",
    ] {
        if !manifest
            .lines()
            .any(|line| line.starts_with(&format!("{key} = ")))
        {
            faults.push(format!(
                "{package}: its Cargo.toml has no `{key}`, which the registry shows. Add it to \
                 `[package]`."
            ));
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\ndescription = \"\"\nkeywords = []\ncategories = []\n\
                            repository = \"\"\nreadme = \"README.md\"\n";

    /// The faults of a package with these files, where the licences at the root are `MIT`.
    fn faults(files: &[(&str, &str)]) -> Vec<String> {
        let (root, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for name in LICENCES {
            fs::write(root.path().join(name), "MIT").unwrap();
        }
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        check("orders", folder.path(), root.path()).unwrap()
    }

    #[test]
    fn a_whole_package_has_no_faults() {
        let files = [
            ("LICENSE-APACHE", "MIT"),
            ("LICENSE-MIT", "MIT"),
            ("README.md", "# orders\n"),
            ("Cargo.toml", MANIFEST),
        ];
        assert_eq!(faults(&files), [""; 0]);
    }

    #[test]
    fn each_missing_or_wrong_file_is_named_with_its_package() {
        let files = [
            ("LICENSE-MIT", "../LICENSE-MIT"),
            ("README.md", "\n"),
            ("Cargo.toml", &MANIFEST.replace("keywords = []\n", "")),
        ];
        let found = faults(&files);
        assert_eq!(found.len(), 4, "{found:#?}");
        assert!(found[0].starts_with("orders: LICENSE-APACHE is missing in the package"));
        assert!(found[1].starts_with("orders: LICENSE-MIT in the package differs"));
        assert!(found[2].starts_with("orders: README.md is empty"));
        assert!(found[3].starts_with("orders: its Cargo.toml has no `keywords`"));
        let found = faults(&[("Cargo.toml", MANIFEST)]);
        assert!(
            found[2].starts_with("orders: README.md is missing"),
            "{found:#?}"
        );
    }
}
