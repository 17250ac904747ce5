//! Rules for files: length, first doc line, name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The most lines that a file may have.
const LINES: usize = 500;

/// Folders that hold no source of ours: what cargo and trybuild write, and packages of others.
const SKIPPED: [&str; 3] = ["target", "wip", "node_modules"];

/// Every breach of the rules in the files below `root`.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for path in with_extension(root, "rs")? {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        faults.extend(breaches(path.strip_prefix(root).unwrap_or(&path), &text));
    }
    Ok(faults)
}

/// All files of ours below `root` with this extension, sorted.
pub(super) fn with_extension(root: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(root, extension, &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.') && !SKIPPED.contains(&name.as_ref()) {
                collect(&path, extension, files)?;
            }
        } else if path.extension().is_some_and(|own| own == extension) {
            files.push(path);
        }
    }
    Ok(())
}

fn breaches(path: &Path, text: &str) -> Vec<String> {
    let shown = path.display();
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > LINES {
        faults.push(format!(
            "{shown}: {lines} lines; a file has at most {LINES}. Split it by what it does."
        ));
    }
    if !text.starts_with("//!") {
        faults.push(format!(
            "{shown}:1: the first line is not `//! …`. Say there, in one sentence, what the \
             file does."
        ));
    }
    let stem = path.file_stem().unwrap_or_default();
    if stem == "mod" {
        faults.push(format!(
            "{shown}: move it to the file that has the name of its folder, beside the folder."
        ));
    }
    let parts = path.parent().into_iter().flatten();
    if parts
        .chain([stem])
        .any(|part| part == "utils" || part == "util")
    {
        faults.push(format!(
            "{shown}: `utils` says nothing of what is in it. Put each helper with what it helps."
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, text: &str) -> Vec<String> {
        breaches(Path::new(path), text)
    }

    #[test]
    fn a_file_in_order_has_no_faults() {
        let text = "//! Reads orders.\n".repeat(LINES);
        assert_eq!(of("a/src/orders.rs", &text), [""; 0]);
    }

    #[test]
    fn each_rule_has_a_text_of_its_own() {
        let long = "//! Reads orders.\n".repeat(LINES + 1);
        for (path, text, start) in [
            ("a/b.rs", long.as_str(), "a/b.rs: 501 lines"),
            ("a/b.rs", "use std::fs;\n", "a/b.rs:1: the first line"),
            ("a/mod.rs", "//! A.\n", "a/mod.rs: move it"),
            ("a/utils.rs", "//! A.\n", "a/utils.rs: `utils`"),
            ("utils/a.rs", "//! A.\n", "utils/a.rs: `utils`"),
        ] {
            let faults = of(path, text);
            assert_eq!(faults.len(), 1, "{faults:?}");
            assert!(faults[0].starts_with(start), "{faults:?}");
        }
    }

    #[test]
    fn folders_that_tools_write_are_passed_over() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["target", ".git", "src"] {
            fs::create_dir(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("mod.rs"), "//! A.\n").unwrap();
        }
        let faults = check(root.path()).unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("src/mod.rs"), "{faults:?}");
    }
}
