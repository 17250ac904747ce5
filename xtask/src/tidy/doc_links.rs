//! Checks links in doc comments: definitions that nothing uses, pages that do not exist, and pages of
//! docs/ that the front page of docs.rs does not link.
//!
//! rustdoc shows nothing for a definition that no text uses, and does not warn.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{files, links, markdown};

/// The front page of docs.rs.
const FRONT: &str = "event-sdk/src/lib.rs";

/// Addresses of files of this repository begin with this.
const REPOSITORY: &str = "https://github.com/event-sdk/event-sdk/blob/main/";

/// The pages that the front page links.
const PAGES: &str = "docs";

/// Every link definition in a doc comment that is not used or is there twice, every link to a file of
/// the repository that does not exist, and every page that the front page does not link.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for path in files::with_extension(root, "rs")? {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let shown = path.strip_prefix(root).unwrap_or(&path);
        for (first, comment) in comments(&text) {
            let of_comment = of_definitions(&comment)
                .into_iter()
                .chain(of_addresses(&comment, root));
            faults.extend(
                of_comment.map(|(line, fault)| {
                    format!("{}:{}: {fault}", shown.display(), first + line - 1)
                }),
            );
        }
    }
    faults.extend(of_front_page(root)?);
    Ok(faults)
}

/// The doc comments of a file, each with its first line and its text.
fn comments(source: &str) -> Vec<(usize, String)> {
    let mut comments: Vec<(usize, String)> = Vec::new();
    let mut open: Option<&str> = None;
    for (index, line) in source.lines().enumerate() {
        let line = line.trim_start();
        let found = ["//!", "///"]
            .into_iter()
            .find_map(|mark| Some((mark, line.strip_prefix(mark)?)))
            .filter(|(_, text)| !text.starts_with('/'));
        let Some((mark, text)) = found else {
            open = None;
            continue;
        };
        if open != Some(mark) {
            comments.push((index + 1, String::new()));
            open = Some(mark);
        }
        if let Some((_, comment)) = comments.last_mut() {
            comment.push_str(text.strip_prefix(' ').unwrap_or(text));
            comment.push('\n');
        }
    }
    comments
}

/// Definitions of a text that are not used, or are there twice.
fn of_definitions(text: &str) -> Vec<(usize, String)> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for definition in markdown::definitions(text) {
        let label = &definition.label;
        let fault = if !seen.insert(definition.folded.clone()) {
            format!("the link `[{label}]` is defined twice. Remove one definition.")
        } else if !definition.is_used {
            format!(
                "the link `[{label}]` is defined, and the text does not use it. Use it, or remove it."
            )
        } else {
            continue;
        };
        faults.push((definition.line, fault));
    }
    faults
}

/// Links by address to files or headings of this repository that do not exist.
fn of_addresses(text: &str, root: &Path) -> Vec<(usize, String)> {
    let targets = markdown::links(text).into_iter();
    let faults = targets.filter_map(|(line, target)| {
        let path = target.strip_prefix(REPOSITORY)?;
        // As if a page at the root had it.
        Some((line, links::fault(path, Path::new("README.md"), root)?))
    });
    faults.collect()
}

/// Pages that the front page does not link. [`of_definitions`] reports a definition without a link.
fn of_front_page(root: &Path) -> Result<Vec<String>> {
    let source =
        fs::read_to_string(root.join(FRONT)).with_context(|| format!("cannot read {FRONT}"))?;
    let mut linked = BTreeSet::new();
    for (_, comment) in comments(&source) {
        for (_, target) in markdown::links(&comment) {
            let path = target.split('#').next().unwrap_or_default();
            linked.extend(path.strip_prefix(REPOSITORY).map(str::to_owned));
        }
    }
    let mut faults = Vec::new();
    for page in files::with_extension(&root.join(PAGES), "md")? {
        let page = page.strip_prefix(root).unwrap_or(&page).display();
        if !linked.contains(&page.to_string()) {
            faults.push(format!(
                "{FRONT}: the front page does not link {page}. Add it to the list of guides."
            ));
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(front: &str) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("event-sdk/src")).unwrap();
        fs::create_dir(root.path().join("docs")).unwrap();
        fs::write(root.path().join("docs/backup.md"), "# Backup\n").unwrap();
        fs::write(root.path().join("docs/the-outbox.md"), "# Outbox\n").unwrap();
        fs::write(root.path().join(FRONT), front).unwrap();
        check(root.path()).unwrap()
    }

    fn address(page: &str) -> String {
        format!("{REPOSITORY}docs/{page}")
    }

    fn comment(lines: &[&str]) -> String {
        let lines = lines.iter().map(|line| format!("//! {line}\n"));
        lines.collect()
    }

    #[test]
    fn each_page_is_linked_by_a_definition_that_is_used_or_in_the_text() {
        let backup = address("backup.md#backup");
        let front = comment(&[
            "See [The",
            &format!("outbox], [`Bus`] and [this]({backup})."),
            "",
            &format!("[the outbox]: {}", address("the-outbox.md")),
            "[`Bus`]: crate::EventBus",
        ]);
        assert_eq!(faults(&front), [""; 0]);
    }

    #[test]
    fn a_definition_without_a_use_and_one_that_is_there_twice_are_named() {
        let outbox = address("the-outbox.md");
        let front = comment(&[
            "See [the outbox], and `[backup]` in code.",
            "",
            &format!("[backup]: {}", address("backup.md")),
            &format!("[the outbox]: {outbox}"),
            &format!("[The outbox]: {outbox}"),
        ]);
        assert_eq!(
            faults(&front),
            [
                "event-sdk/src/lib.rs:3: the link `[backup]` is defined, and the text does not use \
                 it. Use it, or remove it.",
                "event-sdk/src/lib.rs:5: the link `[The outbox]` is defined twice. Remove one \
                 definition.",
            ]
        );
    }

    #[test]
    fn a_use_in_another_comment_is_none() {
        let (backup, outbox) = (address("backup.md"), address("the-outbox.md"));
        let front = comment(&[
            &format!("See [it]({backup}) and [that]({outbox})."),
            "",
            "[a]: crate::A",
        ]);
        let found = faults(&format!("{front}\n/// Uses [a].\nstruct A;\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("`[a]` is defined, and"), "{found:?}");
    }

    #[test]
    fn a_page_that_is_not_linked_and_one_that_does_not_exist_are_named() {
        let found = faults(&comment(&[&format!(
            "See [it]({}), [that]({}).",
            address("backups.md"),
            address("the-outbox.md#inbox")
        )]));
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("leads to docs/backups.md, which does not exist"));
        assert!(found[1].contains("docs/the-outbox.md has no heading"));
        assert!(found[2].contains("the front page does not link docs/backup.md"));
    }
}
