//! `allowed.txt`: the list of existing module cycles, which may only shrink.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, Result, bail};

use super::cycles::{Cycle, Edge, Parent, Place};

/// The list, relative to the root of the workspace.
pub(super) const FILE: &str = "xtask/src/tidy/allowed.txt";

/// How many places are shown for a dependency.
const PLACES: usize = 2;

const HEAD: &str = "\
# Dependency cycles between sibling modules that exist. `cargo xtask tidy` refuses every other,
# and every line here that is no longer true. Add nothing: take cycles apart.
# `cargo xtask tidy cycles` prints this file as the sources would have it.
#
# package (binary) parent-module
#     module -> the siblings in the same cycle that it depends on
";

/// The dependencies that the list allows, with the line of each.
#[derive(Debug)]
pub(super) struct Allowed(BTreeMap<(Parent, Edge), usize>);

impl Allowed {
    /// Parses the list.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut edges = BTreeMap::new();
        let mut parent = None;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let content = line.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if !line.starts_with(' ') {
                let heading = content.rsplit_once(' ');
                let (krate, module) = heading.with_context(|| {
                    format!("{FILE}:{number}: expected `package parent-module`, found `{line}`")
                })?;
                let (krate, module) = (krate.to_owned(), module.to_owned());
                parent = Some(Parent { krate, module });
                continue;
            }
            let (Some(parent), Some((from, to))) = (&parent, content.split_once(" -> ")) else {
                bail!(
                    "{FILE}:{number}: expected `module -> module, module` below a line with \
                     package and parent module, found `{line}`"
                );
            };
            for to in to.split(", ") {
                let edge = (parent.clone(), Edge::new(from, to));
                if edges.insert(edge, number).is_some() {
                    bail!("{FILE}:{number}: `{from} -> {to}` is listed twice");
                }
            }
        }
        Ok(Self(edges))
    }

    /// What is in the sources and not in the list, and what is in the list and not in the
    /// sources.
    pub(super) fn compare(&self, cycles: &[Cycle]) -> Vec<String> {
        let mut faults: Vec<_> = cycles.iter().filter_map(|cycle| self.news(cycle)).collect();
        let exists = |parent: &Parent, edge: &Edge| {
            let mut same = cycles.iter().filter(|cycle| cycle.scope == *parent);
            same.any(|cycle| cycle.edges.contains_key(edge))
        };
        let mut gone: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((parent, edge), line) in &self.0 {
            if !exists(parent, edge) {
                let key = (*line, parent, edge.from.as_str());
                gone.entry(key).or_default().push(edge.to.as_str());
            }
        }
        faults.extend(gone.into_iter().map(|((line, parent, from), to)| {
            format!(
                "{FILE}:{line}: in {parent}, `{from} -> {}` is part of no cycle any more. Remove \
                 it from the list (`cargo xtask tidy cycles` prints the list).",
                to.join(", ")
            )
        }));
        faults
    }

    /// What the list does not allow of a cycle.
    fn news(&self, cycle: &Cycle) -> Option<String> {
        let listed = |edge: &Edge| self.0.contains_key(&(cycle.scope.clone(), edge.clone()));
        let news: Vec<_> = cycle.edges.iter().filter(|(e, _)| !listed(e)).collect();
        if news.is_empty() {
            return None;
        }
        let members = Vec::from_iter(cycle.members()).join(", ");
        let mut text = format!("{}: modules depend on each other: {members}", cycle.scope);
        if news.len() < cycle.edges.len() {
            text.push_str("\n  (a known cycle; new in it:)");
        }
        for (edge, places) in news {
            let _ = write!(text, "\n  {} -> {}: {}", edge.from, edge.to, shown(places));
        }
        text.push_str(
            "\n  Move what both need into one of them, into a module of its own below both, or \
             into the file of their parent.",
        );
        Some(text)
    }
}

fn shown(places: &[Place]) -> String {
    let first: Vec<_> = places.iter().take(PLACES).map(Place::to_string).collect();
    let mut text = first.join(", ");
    if places.len() > PLACES {
        let _ = write!(text, ", and {} more", places.len() - PLACES);
    }
    text
}

/// The list as the sources would have it.
pub(super) fn list(cycles: &[Cycle]) -> String {
    let mut text = HEAD.to_owned();
    for cycle in cycles {
        let _ = write!(text, "\n{}\n", cycle.scope);
        for from in cycle.members() {
            let edges = cycle.edges.keys().filter(|edge| edge.from == from);
            let to: BTreeSet<_> = edges.map(|edge| edge.to.as_str()).collect();
            let to = Vec::from_iter(to).join(", ");
            let _ = writeln!(text, "    {from} -> {to}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::tidy::cycles;
    use crate::tidy::modules::Tree;

    /// The cycles of a crate of three modules, where `b` has this text.
    fn found(b: &str) -> Vec<Cycle> {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            (
                "lib.rs",
                "//! Fixture.\nmod a;\nmod b;\nmod c;\npub use c::Top;\npub struct Own;\n",
            ),
            ("a.rs", "//! A.\n\nuse super::b::Item;\nfn f(_: Item) {}\n"),
            ("b.rs", b),
            ("c.rs", "//! C.\n\npub struct Top(crate::a::A);\n"),
        ];
        for (file, text) in files {
            fs::write(folder.path().join(file), text).unwrap();
        }
        let tree = Tree::read(&folder.path().join("lib.rs"), folder.path()).unwrap();
        cycles::find("fixture", &tree)
    }

    const STRAIGHT: &str = "//! B.\n\npub struct Item(super::Own);\n";
    /// By the re-export in the parent's file.
    const ROUND: &str = "//! B.\n\npub struct Item(super::Top);\n";
    const LISTED: &str = "# c\n\nfixture crate\n    a -> b\n    b -> c\n    c -> a\n";

    #[test]
    fn a_new_cycle_is_refused_with_its_members_and_places() {
        let allowed = Allowed::parse("").unwrap();
        assert_eq!(allowed.compare(&found(STRAIGHT)), [""; 0]);
        let faults = allowed.compare(&found(ROUND));
        assert_eq!(faults.len(), 1, "{faults:#?}");
        for part in [
            "fixture crate: modules depend on each other: a, b, c\n",
            "\n  a -> b: a.rs:3 super::b::Item, a.rs:4 Item\n",
            "\n  b -> c: b.rs:3 super::Top\n",
            "\n  c -> a: c.rs:3 crate::a::A\n",
        ] {
            assert!(faults[0].contains(part), "{}", faults[0]);
        }
    }

    #[test]
    fn a_listed_cycle_is_allowed_and_one_dependency_more_in_it_is_not() {
        let allowed = Allowed::parse(LISTED).unwrap();
        assert_eq!(allowed.compare(&found(ROUND)), [""; 0]);
        let more = format!("{ROUND}pub fn more() {{ crate::a::more() }}\n");
        let faults = allowed.compare(&found(&more));
        assert_eq!(faults.len(), 1, "{faults:#?}");
        assert!(faults[0].contains("(a known cycle; new in it:)\n  b -> a: b.rs:4"));
        assert!(!faults[0].contains("c -> a"), "{}", faults[0]);
    }

    #[test]
    fn what_is_listed_and_gone_must_leave_the_list() {
        let faults = Allowed::parse(LISTED).unwrap().compare(&found(STRAIGHT));
        assert_eq!(faults.len(), 3, "{faults:#?}");
        let start = format!("{FILE}:4: in fixture crate, `a -> b` is part of no cycle any more");
        assert!(faults[0].starts_with(&start), "{}", faults[0]);
        assert!(
            faults[0].contains("Remove it from the list"),
            "{}",
            faults[0]
        );
    }

    #[test]
    fn the_printed_list_allows_what_it_was_printed_from() {
        let cycles = found(ROUND);
        let text = list(&cycles);
        assert!(
            text.ends_with("\nfixture crate\n    a -> b\n    b -> c\n    c -> a\n"),
            "{text}"
        );
        assert_eq!(Allowed::parse(&text).unwrap().compare(&cycles), [""; 0]);
    }

    #[test]
    fn a_list_that_cannot_be_read_names_the_line() {
        for (text, why) in [
            ("fixture\n", ":1: expected `package parent-module`"),
            (
                "fixture crate\n    a b\n",
                ":2: expected `module -> module, module`",
            ),
            ("    a -> b\n", ":1: expected `module -> module, module`"),
            (
                "fixture crate\n    a -> b\n    a -> c, b\n",
                ":3: `a -> b` is listed twice",
            ),
        ] {
            let error = Allowed::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
