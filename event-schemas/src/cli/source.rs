//! Finds the folders of sources: `src`, or those of the members of a workspace.

use std::path::{Path, PathBuf};

/// The folder that is meant where nobody names one.
const SRC: &str = "src";

/// The folders to scan. `src` that is not there stands for those of the workspace's members.
pub(super) fn folders(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for path in paths {
        let members = if path == Path::new(SRC) && !path.exists() {
            of_workspace(Path::new(""))
        } else {
            Vec::new()
        };
        if members.is_empty() {
            folders.push(path.clone());
        } else {
            folders.extend(members);
        }
    }
    folders
}

/// The sources of the members of the workspace whose root is this folder, sorted; none if it is
/// no such root.
pub(super) fn of_workspace(root: &Path) -> Vec<PathBuf> {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let Ok(manifest) = manifest.parse::<toml::Table>() else {
        return Vec::new();
    };
    let names = |key: &str| -> Vec<PathBuf> {
        let workspace = manifest.get("workspace").and_then(|it| it.get(key));
        let patterns = workspace.and_then(toml::Value::as_array);
        let patterns = patterns
            .into_iter()
            .flatten()
            .filter_map(toml::Value::as_str);
        patterns
            .flat_map(|pattern| matching(root, pattern))
            .collect()
    };
    let excluded = names("exclude");
    let mut members = names("members");
    // The root may be a package itself, and is read by its `src`.
    members.retain(|member| !excluded.contains(member));
    members.sort();
    members.dedup();
    let sources = members.into_iter().map(|member| member.join(SRC));
    sources.filter(|source| has_root(source)).collect()
}

/// Whether a folder has the root module of a crate.
pub(super) fn has_root(folder: &Path) -> bool {
    ["lib.rs", "main.rs"]
        .iter()
        .any(|root| folder.join(root).is_file())
        || folder.join("bin").is_dir()
}

/// The folders that a pattern of a manifest names; `*` is any name, in the last step.
fn matching(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![root.to_path_buf()];
    for step in Path::new(pattern).components() {
        let step = step.as_os_str();
        let text = step.to_string_lossy();
        let Some((start, end)) = text.split_once('*') else {
            for path in &mut found {
                path.push(step);
            }
            continue;
        };
        found = found
            .iter()
            .filter_map(|path| {
                let folder = if path.as_os_str().is_empty() {
                    Path::new(".")
                } else {
                    path
                };
                std::fs::read_dir(folder)
                    .ok()
                    .map(|entries| (path, entries))
            })
            .flat_map(|(path, entries)| {
                let names = entries.flatten().map(|entry| entry.file_name());
                names
                    .filter(|name| {
                        let name = name.to_string_lossy();
                        name.len() >= start.len() + end.len()
                            && name.starts_with(start)
                            && name.ends_with(end)
                    })
                    .map(|name| path.join(name))
                    .collect::<Vec<_>>()
            })
            .collect();
    }
    found.retain(|path| path.is_dir());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_of_a_workspace_are_found() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"app\", \"crates/*\"]\nexclude = [\"crates/old\"]\n",
        );
        for member in ["app", "crates/a", "crates/b", "crates/old", "other"] {
            write(&format!("{member}/src/lib.rs"), "");
        }
        write("crates/notes.md", "");
        let found = of_workspace(root.path());
        let expected =
            ["app/src", "crates/a/src", "crates/b/src"].map(|path| root.path().join(path));
        assert_eq!(found, expected);
        assert!(of_workspace(&root.path().join("app")).is_empty());
    }
}
