//! Which consumers want a subject: their filters as a tree of tokens.

use foldhash::{HashMap, HashMapExt};

use crate::subject::{Pattern, Subject};

/// The filters of all consumers of a stream.
///
/// Finding those that match a subject costs by the tokens of the subject and
/// the wildcards on its way, not by the number of filters.
#[derive(Debug)]
pub(super) struct Interest {
    nodes: Vec<Node>,
    free: Vec<usize>,
    generation: u64,
    /// Where a search stands; kept for their memory.
    here: Vec<usize>,
    next: Vec<usize>,
}

#[derive(Debug)]
struct Node {
    literal: HashMap<Box<str>, usize>,
    /// What follows a `*`.
    any: Option<usize>,
    /// Those whose filter ends here.
    ends: Vec<usize>,
    /// Those whose filter goes on with `>`.
    tails: Vec<usize>,
}

const ROOT: usize = 0;

impl Node {
    fn new() -> Self {
        Self {
            literal: HashMap::new(),
            any: None,
            ends: Vec::new(),
            tails: Vec::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.literal.is_empty()
            && self.any.is_none()
            && self.ends.is_empty()
            && self.tails.is_empty()
    }

    fn child(&self, token: &str) -> Option<usize> {
        match token {
            "*" => self.any,
            token => self.literal.get(token).copied(),
        }
    }
}

impl Interest {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::new()],
            free: Vec::new(),
            generation: 1,
            here: Vec::new(),
            next: Vec::new(),
        }
    }

    /// Grows, from one on, whenever the answer for some subject may have changed.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Notes that `consumer` wants what `filter` matches.
    pub(super) fn insert(&mut self, filter: &Pattern, consumer: usize) {
        self.generation += 1;
        let mut at = ROOT;
        for token in filter.as_str().split('.') {
            if token == ">" {
                self.nodes[at].tails.push(consumer);
                return;
            }
            at = match self.nodes[at].child(token) {
                Some(child) => child,
                None => self.add_child(at, token),
            };
        }
        self.nodes[at].ends.push(consumer);
    }

    /// Takes back what [`insert`](Self::insert) noted.
    pub(super) fn remove(&mut self, filter: &Pattern, consumer: usize) {
        self.generation += 1;
        let mut way = Vec::new();
        let mut at = ROOT;
        for token in filter.as_str().split('.') {
            if token == ">" {
                self.nodes[at].tails.retain(|other| *other != consumer);
                return self.prune(at, way);
            }
            let Some(child) = self.nodes[at].child(token) else {
                return;
            };
            way.push((at, token));
            at = child;
        }
        self.nodes[at].ends.retain(|other| *other != consumer);
        self.prune(at, way);
    }

    /// Fills `consumers` with those that want `subject`, in order and each once.
    pub(super) fn find(&mut self, subject: &Subject, consumers: &mut Vec<usize>) {
        consumers.clear();
        let (mut here, mut next) = (&mut self.here, &mut self.next);
        here.clear();
        here.push(ROOT);
        for token in subject.as_str().split('.') {
            for node in here.drain(..).map(|index| &self.nodes[index]) {
                consumers.extend_from_slice(&node.tails);
                next.extend(node.literal.get(token).copied());
                next.extend(node.any);
            }
            if next.is_empty() {
                break;
            }
            std::mem::swap(&mut here, &mut next);
        }
        for index in here.drain(..) {
            consumers.extend_from_slice(&self.nodes[index].ends);
        }
        consumers.sort_unstable();
        consumers.dedup();
    }

    fn add_child(&mut self, parent: usize, token: &str) -> usize {
        let child = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(Node::new());
            self.nodes.len() - 1
        });
        match token {
            "*" => self.nodes[parent].any = Some(child),
            token => {
                self.nodes[parent].literal.insert(token.into(), child);
            }
        }
        child
    }

    /// Frees the node at the end of `way`, and those before it, while they are empty.
    fn prune(&mut self, mut at: usize, way: Vec<(usize, &str)>) {
        for (parent, token) in way.into_iter().rev() {
            if !self.nodes[at].is_empty() {
                return;
            }
            match token {
                "*" => self.nodes[parent].any = None,
                token => {
                    self.nodes[parent].literal.remove(token);
                }
            }
            self.nodes[at] = Node::new();
            self.free.push(at);
            at = parent;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Interest;
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
            filters in prop::collection::vec((pattern(), 0_usize..6), 0..30),
            removed in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            subjects in prop::collection::vec(subject(), 1..20),
        ) {
            let mut tree = Interest::new();
            let mut list: Vec<(Pattern, usize)> = Vec::new();
            for (filter, consumer) in filters {
                if list.contains(&(filter.clone(), consumer)) {
                    continue;
                }
                tree.insert(&filter, consumer);
                list.push((filter, consumer));
            }
            for index in removed {
                if list.is_empty() {
                    break;
                }
                let before = tree.generation();
                let (filter, consumer) = list.swap_remove(index.index(list.len()));
                tree.remove(&filter, consumer);
                prop_assert!(tree.generation() > before);
            }
            let mut found = Vec::new();
            for subject in &subjects {
                tree.find(subject, &mut found);
                let mut expected: Vec<usize> = list
                    .iter()
                    .filter(|(filter, _)| filter.matches(subject))
                    .map(|(_, consumer)| *consumer)
                    .collect();
                expected.sort_unstable();
                expected.dedup();
                prop_assert_eq!(&found, &expected);
            }
            for (filter, consumer) in list {
                tree.remove(&filter, consumer);
            }
            prop_assert!(tree.nodes[super::ROOT].is_empty());
            prop_assert_eq!(tree.free.len() + 1, tree.nodes.len());
        }
    }
}
