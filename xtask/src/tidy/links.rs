//! Checks that links between Markdown pages lead to files and headings that exist.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use super::{files, markdown};

/// Every link of a page below `root` that leads nowhere. Links to the web are not followed.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for page in files::with_extension(root, "md")? {
        let text =
            fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        let shown = page.strip_prefix(root).unwrap_or(&page);
        for (line, target) in markdown::links(&text) {
            if let Some(fault) = fault(&target, shown, root) {
                faults.push(format!("{}:{line}: {fault}", shown.display()));
            }
        }
    }
    Ok(faults)
}

/// What is wrong with a link of a page, which is named relative to `root`.
pub(super) fn fault(target: &str, page: &Path, root: &Path) -> Option<String> {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    // Addresses of the web; and names of Rust items, which rustdoc checks.
    if path.contains(':') {
        return None;
    }
    let Some(to) = joined(page, path) else {
        return Some(format!(
            "the link `{target}` leads out of the repository. Use a path relative to the page."
        ));
    };
    let file = root.join(&to);
    if !file.exists() {
        return Some(format!(
            "the link `{target}` leads to {}, which does not exist. Correct it, or remove it.",
            to.display()
        ));
    }
    let is_page = to.extension().is_some_and(|extension| extension == "md");
    if anchor.is_empty() || !is_page {
        return None;
    }
    let has_anchor =
        fs::read_to_string(&file).is_ok_and(|text| markdown::anchors(&text).contains(anchor));
    (!has_anchor).then(|| {
        format!(
            "{} has no heading for the link `{target}`. The anchor of a heading is its text in \
             lower case, with `-` for each space and without punctuation.",
            to.display()
        )
    })
}

/// The path below the root of what a page links, unless it lies outside of the root.
fn joined(page: &Path, path: &str) -> Option<PathBuf> {
    if path.is_empty() {
        return Some(page.to_owned());
    }
    let mut whole = page.parent()?.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => whole.push(name),
            Component::CurDir => {}
            Component::ParentDir if whole.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("docs")).unwrap();
        fs::write(root.path().join("README.md"), "# Start\n\n## First steps\n").unwrap();
        fs::write(root.path().join("docs/a.md"), text).unwrap();
        check(root.path()).unwrap()
    }

    #[test]
    fn what_exists_is_accepted_and_the_web_is_not_asked() {
        let text = "# A\n[1](../README.md#first-steps) [2](#a) [3](https://x.invalid#y) [4](../docs) \
                    [5](crate::Event#fields)\n";
        assert_eq!(faults(text), [""; 0]);
    }

    #[test]
    fn each_link_that_leads_nowhere_is_named_with_its_line() {
        for (link, why) in [
            ("b.md", "leads to docs/b.md, which does not exist"),
            (
                "README.md#start",
                "leads to docs/README.md, which does not exist",
            ),
            (
                "../README.md#steps",
                "README.md has no heading for the link",
            ),
            ("#b", "docs/a.md has no heading for the link"),
            ("../../other/README.md", "leads out of the repository"),
            ("/README.md", "leads out of the repository"),
        ] {
            let found = faults(&format!("# A\n\n[text]({link})\n"));
            assert_eq!(found.len(), 1, "{link}: {found:?}");
            assert!(found[0].starts_with("docs/a.md:3: "), "{found:?}");
            assert!(found[0].contains(why), "{found:?}");
        }
    }
}
