//! Finds dependency cycles between sibling modules.
//!
//! A module depends on its sibling if a path in it, or in a module below it, leads into the
//! sibling or below. A path that leads to an item in the file of an ancestor makes no
//! dependency; one that goes on from there by a re-export does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::modules::Tree;

/// Modules of one parent of which each depends, in the end, on all others.
pub(super) struct Cycle {
    pub(super) scope: Parent,
    /// Which depends on which, with the places that make it so.
    pub(super) edges: BTreeMap<Edge, Vec<Place>>,
}

impl Cycle {
    /// The names of its modules.
    pub(super) fn members(&self) -> BTreeSet<&str> {
        self.edges.keys().map(|edge| edge.from.as_str()).collect()
    }
}

/// The module that siblings are in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Parent {
    /// The package, and the binary if it is not the package's library.
    pub(super) krate: String,
    /// Its path in the crate.
    pub(super) module: String,
}

impl fmt::Display for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.krate, self.module)
    }
}

/// The dependency of a module on its sibling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: String,
    pub(super) to: String,
}

impl Edge {
    pub(super) fn new(from: &str, to: &str) -> Self {
        let (from, to) = (from.to_owned(), to.to_owned());
        Self { from, to }
    }
}

/// A path in the code: `event-sdk/src/bus.rs:12 super::cause::Cause`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(String);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The cycles in one crate, by the path of their parent.
pub(super) fn find(krate: &str, tree: &Tree) -> Vec<Cycle> {
    let mut cycles = Vec::new();
    for (parent, edges) in dependencies(tree) {
        let graph: BTreeSet<_> = edges.keys().copied().collect();
        for members in components(&graph) {
            let inside =
                |&(from, to): &(usize, usize)| members.contains(&from) && members.contains(&to);
            let name = |module: usize| tree.modules[module].name.as_str();
            let edges = edges.iter().filter(|(edge, _)| inside(edge));
            cycles.push(Cycle {
                scope: Parent {
                    krate: krate.to_owned(),
                    module: tree.path(parent),
                },
                edges: edges
                    .map(|((from, to), places)| (Edge::new(name(*from), name(*to)), places.clone()))
                    .collect(),
            });
        }
    }
    cycles.sort_by(|a, b| (&a.scope, a.members()).cmp(&(&b.scope, b.members())));
    cycles
}

/// For each parent the dependencies between its children, with their places.
type Dependencies = BTreeMap<usize, BTreeMap<(usize, usize), Vec<Place>>>;

fn dependencies(tree: &Tree) -> Dependencies {
    let mut all = Dependencies::new();
    for from in 0..tree.modules.len() {
        let module = &tree.modules[from];
        for used in &module.scope.paths {
            for to in tree.modules_of(from, &used.path) {
                let Some((parent, edge)) = siblings(tree, from, to) else {
                    continue;
                };
                let places = all.entry(parent).or_default().entry(edge).or_default();
                let (file, path) = (module.file.display(), used.path.join("::"));
                let place = Place(format!("{file}:{} {path}", used.line));
                if !places.contains(&place) {
                    places.push(place);
                }
            }
        }
    }
    all
}

/// The siblings that two modules are, or are in, with their parent; `None` if one module is in
/// the other.
fn siblings(tree: &Tree, from: usize, to: usize) -> Option<(usize, (usize, usize))> {
    let (from, to) = (tree.ancestry(from), tree.ancestry(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let edge = (*from.get(common)?, *to.get(common)?);
    Some((from[common - 1], edge))
}

/// The strongly connected components of more than one node.
fn components(edges: &BTreeSet<(usize, usize)>) -> Vec<BTreeSet<usize>> {
    let reach = |start: usize| {
        let mut found = BTreeSet::new();
        let mut open = vec![start];
        while let Some(node) = open.pop() {
            for (_, to) in edges.range((node, 0)..=(node, usize::MAX)) {
                if found.insert(*to) {
                    open.push(*to);
                }
            }
        }
        found
    };
    let reached: BTreeMap<_, _> = edges
        .iter()
        .map(|(from, _)| (*from, reach(*from)))
        .collect();
    let mut components = Vec::new();
    let mut done = BTreeSet::new();
    for (node, found) in &reached {
        if !found.contains(node) || !done.insert(*node) {
            continue;
        }
        let back = |other: &usize| reached.get(other).is_some_and(|found| found.contains(node));
        let members: BTreeSet<_> = found.iter().copied().filter(back).collect();
        done.extend(&members);
        components.push(members);
    }
    components
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(edges: &[(usize, usize)]) -> Vec<Vec<usize>> {
        let edges = edges.iter().copied().collect();
        let components = components(&edges).into_iter();
        components.map(Vec::from_iter).collect()
    }

    #[test]
    fn a_component_is_what_can_reach_each_other() {
        assert_eq!(found(&[(1, 2), (2, 3), (1, 3)]), [[0; 0]; 0]);
        assert_eq!(found(&[(1, 2), (2, 1), (2, 3)]), [[1, 2]]);
        let two = [(1, 2), (2, 3), (3, 1), (3, 4), (4, 5), (5, 4), (0, 1)];
        assert_eq!(found(&two), [vec![1, 2, 3], vec![4, 5]]);
    }
}
