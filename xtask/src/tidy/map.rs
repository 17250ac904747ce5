//! `cargo xtask tidy map`: prints packages and modules with their first doc sentences.

use std::fmt::Write as _;
use std::path::Path;

use super::modules::{Place, Tree};
use crate::metadata::{Package, Target};

/// The map of one package: its name, folder and description, then a line for each module.
pub(super) fn package(package: &Package, crates: &[(&Target, Tree)], base: &Path) -> String {
    let folder = package.manifest_path.parent().unwrap_or(base);
    let folder = folder.strip_prefix(base).unwrap_or(folder);
    let description = package.description.as_deref().unwrap_or_default();
    let mut text = format!("{} ({}/)  {description}\n", package.name, folder.display());
    for (target, tree) in crates {
        let file = &tree.modules[0].file;
        let file = file.strip_prefix(folder).unwrap_or(file);
        let kind = target.kind();
        let kind = if kind == "proc-macro" { "lib" } else { kind };
        let name = match kind {
            "lib" => String::new(),
            kind => format!("{kind} {} ", target.name),
        };
        let sentence = sentence(&tree.modules[0].doc);
        let _ = writeln!(text, "  {name}{}  {sentence}", file.display());
        if matches!(kind, "lib" | "bin") {
            modules(tree, 0, 2, folder, &mut text);
        }
    }
    text
}

fn modules(tree: &Tree, parent: usize, depth: usize, folder: &Path, text: &mut String) {
    for child in &tree.modules[parent].children {
        let module = &tree.modules[*child];
        let indent = "  ".repeat(depth);
        let _ = write!(text, "{indent}{}", module.name);
        let file = module.file.strip_prefix(folder).unwrap_or(&module.file);
        let _ = match module.place {
            Place::Usual => Ok(()),
            Place::Inline => write!(text, " (in {})", file.display()),
            Place::Other => write!(text, " ({})", file.display()),
        };
        let _ = writeln!(text, "  {}", sentence(&module.doc));
        modules(tree, *child, depth + 1, folder, text);
    }
}

/// The first sentence of a documentation, in one line, without its full stop and its links.
fn sentence(doc: &str) -> String {
    let paragraph: Vec<_> = doc
        .lines()
        .map(str::trim)
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty())
        .collect();
    let paragraph = paragraph.join(" ");
    let mut end = paragraph.len();
    for (index, _) in paragraph.match_indices(". ") {
        let abbreviated = ["e.g", "i.e", "etc"]
            .iter()
            .any(|a| paragraph[..index].ends_with(a));
        if !abbreviated {
            end = index;
            break;
        }
    }
    without_links(paragraph[..end].trim_end_matches('.'))
}

/// A text with the texts of its links in the place of `[text]` and `[text](target)`.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        // In code, a bracket is a bracket.
        let code = plain.matches('`').count() % 2 == 1;
        let Some((shown, after)) = link.split_once(']').filter(|_| !code) else {
            plain.push('[');
            rest = link;
            continue;
        };
        plain.push_str(shown);
        let target = after.strip_prefix('(').and_then(|t| t.split_once(')'));
        rest = target.map_or(after, |(_, after)| after);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn modules_stand_below_their_parents_in_the_order_of_the_mod_lines() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("lib/src");
        fs::create_dir_all(root.join("late")).unwrap();
        for (file, text) in [
            (
                "lib.rs",
                "//! Orders. More of them.\nmod late;\nmod early;\n",
            ),
            (
                "late.rs",
                "//! Comes [`Late`], and\n//! first.\n//!\n//! Rest.\n#[path = \"x.rs\"]\nmod odd;\n",
            ),
            (
                "early.rs",
                "//! Comes last\n#[cfg(test)]\nmod tests {}\nmod inner { //! In it.\n}\n",
            ),
            ("x.rs", "//! Odd.\n"),
        ] {
            fs::write(root.join(file), text).unwrap();
        }
        let own: Package = serde_json::from_value(json!({
            "id": "p", "name": "orders", "version": "1.0.0", "rust_version": null,
            "publish": null, "features": {}, "description": "Orders of a shop",
            "manifest_path": folder.path().join("lib/Cargo.toml"),
            "targets": [{
                "name": "orders", "kind": ["lib"], "test": true, "src_path": root.join("lib.rs"),
            }],
        }))
        .unwrap();
        let tree = Tree::read(&own.targets[0].src_path, folder.path()).unwrap();
        let text = package(&own, &[(&own.targets[0], tree)], folder.path());
        let expected = "\
orders (lib/)  Orders of a shop
  src/lib.rs  Orders
    late  Comes `Late`, and first
      odd (src/x.rs)  Odd
    early  Comes last
      inner (in src/early.rs)  In it
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_first_sentence_is_shown_without_its_links() {
        for (doc, shown) in [
            (
                " An [`Event`](crate::Event) of [a kind](x), e.g. one. Rest",
                "An `Event` of a kind, e.g. one",
            ),
            (
                " `#[derive(Event)]`, and\n [`Set`].\n\n Rest",
                "`#[derive(Event)]`, and `Set`",
            ),
            (" `items[].price`: a [ stays", "`items[].price`: a [ stays"),
            ("", ""),
        ] {
            assert_eq!(sentence(doc), shown);
        }
    }
}
