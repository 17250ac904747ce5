//! Subjects as a tree of tokens, to find those that a pattern matches.

use foldhash::{HashMap, HashMapExt};

use crate::subject::{Pattern, Subject};

/// Subjects with their places.
///
/// Finding costs by the branches that the pattern's wildcards open, not by the
/// number of subjects: `orders.order.*.4711` looks at the actions of an order,
/// whatever the number of orders.
#[derive(Debug)]
pub(super) struct SubjectTree {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    place: Option<usize>,
    children: Option<Box<HashMap<Box<str>, Node>>>,
}

impl SubjectTree {
    pub(super) fn new() -> Self {
        Self {
            root: Node::default(),
        }
    }

    pub(super) fn insert(&mut self, subject: &Subject, place: usize) {
        let mut node = &mut self.root;
        for token in subject.as_str().split('.') {
            let children = node
                .children
                .get_or_insert_with(|| Box::new(HashMap::new()));
            if !children.contains_key(token) {
                children.insert(token.into(), Node::default());
            }
            let Some(child) = children.get_mut(token) else {
                return;
            };
            node = child;
        }
        node.place = Some(place);
    }

    pub(super) fn remove(&mut self, subject: &Subject) {
        self.root.remove(subject.as_str());
    }

    /// Calls `f` with the place of each subject that `pattern` matches.
    pub(super) fn find(&self, pattern: &Pattern, mut f: impl FnMut(usize)) {
        // What is to be visited, with the rest of the pattern that it has to match.
        let mut visits = vec![(&self.root, Some(pattern.as_str()))];
        while let Some((node, rest)) = visits.pop() {
            let Some(rest) = rest else {
                if let Some(place) = node.place {
                    f(place);
                }
                continue;
            };
            let (token, after) = match rest.split_once('.') {
                Some((token, after)) => (token, Some(after)),
                None => (rest, None),
            };
            match token {
                ">" => {
                    for child in node.children() {
                        if let Some(place) = child.place {
                            f(place);
                        }
                        visits.push((child, Some(">")));
                    }
                }
                "*" => visits.extend(node.children().map(|child| (child, after))),
                token => {
                    let children = node.children.as_deref();
                    let child = children.and_then(|children| children.get(token));
                    visits.extend(child.map(|child| (child, after)));
                }
            }
        }
    }
}

impl Node {
    fn children(&self) -> impl Iterator<Item = &Node> {
        self.children.iter().flat_map(|children| children.values())
    }

    /// A subject has at most 320 tokens, so the recursion is shallow.
    fn remove(&mut self, rest: &str) {
        let (token, after) = match rest.split_once('.') {
            Some((token, after)) => (token, Some(after)),
            None => (rest, None),
        };
        let Some(children) = self.children.as_deref_mut() else {
            return;
        };
        let Some(child) = children.get_mut(token) else {
            return;
        };
        match after {
            Some(after) => child.remove(after),
            None => child.place = None,
        }
        if child.place.is_none() && child.children.is_none() {
            children.remove(token);
            if children.is_empty() {
                self.children = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::SubjectTree;
    use crate::subject::{Pattern, Subject};

    fn subject() -> impl Strategy<Value = Subject> {
        prop::collection::vec(prop_oneof!["a", "b", "c"], 1..5)
            .prop_map(|tokens| Subject::parse(tokens.join(".")).unwrap())
    }

    fn pattern() -> impl Strategy<Value = Pattern> {
        let token = prop_oneof![3 => "[abc]", 2 => Just("*".to_owned())];
        (prop::collection::vec(token, 1..5), any::<bool>()).prop_map(|(mut tokens, tail)| {
            if tail {
                tokens.pop();
                tokens.push(">".to_owned());
            }
            Pattern::parse(tokens.join(".")).unwrap()
        })
    }

    proptest! {
        #[test]
        fn it_finds_what_matching_one_by_one_finds(
            subjects in prop::collection::hash_set(subject(), 0..40),
            removed in prop::collection::hash_set(subject(), 0..40),
            patterns in prop::collection::vec(pattern(), 1..10),
        ) {
            let mut tree = SubjectTree::new();
            let subjects: Vec<Subject> = subjects.into_iter().collect();
            for (place, subject) in subjects.iter().enumerate() {
                tree.insert(subject, place);
            }
            for subject in &removed {
                tree.remove(subject);
            }
            for pattern in patterns {
                let mut found = Vec::new();
                tree.find(&pattern, |place| found.push(place));
                found.sort_unstable();
                let expected: Vec<usize> = (0..subjects.len())
                    .filter(|place| !removed.contains(&subjects[*place]))
                    .filter(|place| pattern.matches(&subjects[*place]))
                    .collect();
                prop_assert_eq!(found, expected);
            }
            for subject in &subjects {
                tree.remove(subject);
            }
            prop_assert!(tree.root.children.is_none());
        }
    }
}
