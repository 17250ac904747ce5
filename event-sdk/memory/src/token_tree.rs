//! `TokenTree`: values by subject pattern; finds the patterns that overlap another.

use std::ops::ControlFlow;

use foldhash::{HashMap, HashMapExt};

/// Values under patterns. A subject is a pattern without wildcards, so one tree
/// answers which filters match a subject, which subjects a filter matches, and
/// which filters match the same.
///
/// Finding costs by the branches that wildcards open, on either side, not by
/// the number of patterns: for `orders.order.*.4711` it looks at the actions of
/// one order, whatever the number of orders.
#[derive(Debug)]
pub(super) struct TokenTree<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    literal: Option<Box<HashMap<Box<str>, Node<T>>>>,
    /// What follows a `*`.
    any: Option<Box<Node<T>>>,
    /// What follows a `>`, which is only a value.
    rest: Option<Box<Node<T>>>,
    /// What is kept under the pattern that ends here.
    value: Option<T>,
}

impl<T> TokenTree<T> {
    pub(super) const fn new() -> Self {
        Self { root: Node::new() }
    }

    /// Changes the value under `pattern` or takes it away; where there is none,
    /// no room is kept for it.
    pub(super) fn change(&mut self, pattern: &str, change: impl FnOnce(&mut Option<T>)) {
        self.root.change(Some(pattern), change);
    }

    /// Calls `found` with each value under a pattern that overlaps `pattern`, in
    /// no order, until it breaks.
    pub(super) fn overlapping<'t, B>(
        &'t self,
        pattern: &str,
        found: &mut impl FnMut(&'t T) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.root.overlapping(Some(pattern), found)
    }

    /// Calls `found` with each value under a pattern that overlaps `pattern`.
    pub(super) fn each_overlapping<'t>(&'t self, pattern: &str, mut found: impl FnMut(&'t T)) {
        let mut found = |value| -> ControlFlow<()> {
            found(value);
            ControlFlow::Continue(())
        };
        let _ = self.overlapping(pattern, &mut found);
    }
}

/// The first token and what follows its dot.
fn split(pattern: &str) -> (&str, Option<&str>) {
    match pattern.split_once('.') {
        Some((token, after)) => (token, Some(after)),
        None => (pattern, None),
    }
}

/// A subject has at most 320 tokens, so the recursions are shallow.
impl<T> Node<T> {
    const fn new() -> Self {
        Self {
            literal: None,
            any: None,
            rest: None,
            value: None,
        }
    }

    fn is_empty(&self) -> bool {
        self.literal.is_none() && self.any.is_none() && self.rest.is_none() && self.value.is_none()
    }

    fn change(&mut self, pattern: Option<&str>, change: impl FnOnce(&mut Option<T>)) {
        let Some(pattern) = pattern else {
            return change(&mut self.value);
        };
        let (token, after) = split(pattern);
        let wildcard = match token {
            "*" => &mut self.any,
            ">" => &mut self.rest,
            token => return self.change_literal(token, after, change),
        };
        let child = wildcard.get_or_insert_with(|| Box::new(Self::new()));
        child.change(after, change);
        if child.is_empty() {
            *wildcard = None;
        }
    }

    fn change_literal(
        &mut self,
        token: &str,
        after: Option<&str>,
        change: impl FnOnce(&mut Option<T>),
    ) {
        let literal = self.literal.get_or_insert_with(|| Box::new(HashMap::new()));
        if let Some(child) = literal.get_mut(token) {
            child.change(after, change);
            if child.is_empty() {
                literal.remove(token);
            }
        } else {
            let mut child = Self::new();
            child.change(after, change);
            if !child.is_empty() {
                literal.insert(token.into(), child);
            }
        }
        if literal.is_empty() {
            self.literal = None;
        }
    }

    fn overlapping<'t, B>(
        &'t self,
        pattern: Option<&str>,
        found: &mut impl FnMut(&'t T) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        #[cfg(test)]
        tests::visited();
        let Some(pattern) = pattern else {
            return self.value.iter().try_for_each(found);
        };
        if let Some(rest) = &self.rest {
            rest.value.iter().try_for_each(&mut *found)?;
        }
        let (token, after) = split(pattern);
        match token {
            ">" => self.children().try_for_each(|child| child.all(found)),
            "*" => self
                .children()
                .try_for_each(|child| child.overlapping(after, found)),
            token => {
                let literal = self.literal.as_deref();
                if let Some(child) = literal.and_then(|literal| literal.get(token)) {
                    child.overlapping(after, found)?;
                }
                match &self.any {
                    Some(child) => child.overlapping(after, found),
                    None => ControlFlow::Continue(()),
                }
            }
        }
    }

    /// Everything from here on.
    fn all<'t, B>(&'t self, found: &mut impl FnMut(&'t T) -> ControlFlow<B>) -> ControlFlow<B> {
        #[cfg(test)]
        tests::visited();
        let rest = self.rest.iter().filter_map(|rest| rest.value.as_ref());
        self.value.iter().chain(rest).try_for_each(&mut *found)?;
        self.children().try_for_each(|child| child.all(found))
    }

    /// What follows one token, whichever.
    fn children(&self) -> impl Iterator<Item = &Self> {
        let literal = self.literal.iter().flat_map(|literal| literal.values());
        literal.chain(self.any.as_deref())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::TokenTree;
    use event_sdk_core::subject::{Pattern, Subject};

    thread_local! {
        /// How many nodes were looked at on this thread.
        pub(crate) static VISITED: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn visited() {
        VISITED.set(VISITED.get() + 1);
    }

    pub(crate) fn any_subject() -> impl Strategy<Value = Subject> {
        prop::collection::vec(prop_oneof!["a", "b", "c"], 1..5)
            .prop_map(|tokens| Subject::parse(tokens.join(".")).unwrap())
    }

    pub(crate) fn any_pattern() -> impl Strategy<Value = Pattern> {
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
        fn it_finds_what_comparing_one_by_one_finds(
            stored in prop::collection::vec((any_pattern(), any::<bool>()), 0..40),
            asked in prop::collection::vec(any_pattern(), 1..10),
            subjects in prop::collection::vec(any_subject(), 1..10),
        ) {
            let mut tree = TokenTree::new();
            let mut list = Vec::new();
            for (number, (pattern, stays)) in stored.into_iter().enumerate() {
                tree.change(pattern.as_str(), |value| *value = stays.then_some(number));
                list.retain(|(other, _)| *other != pattern);
                if stays {
                    list.push((pattern, number));
                }
            }
            let asked = asked.into_iter().chain(subjects.into_iter().map(Pattern::from));
            for pattern in asked {
                let mut found = Vec::new();
                tree.each_overlapping(pattern.as_str(), |number| found.push(*number));
                found.sort_unstable();
                let expected = list.iter().filter(|(other, _)| other.overlaps(&pattern));
                let expected: Vec<usize> = expected.map(|(_, number)| *number).collect();
                prop_assert_eq!(found, expected);
            }
            for (pattern, _) in list {
                tree.change(pattern.as_str(), |value| *value = None);
            }
            prop_assert!(tree.root.is_empty());
        }
    }

    #[test]
    fn what_is_elsewhere_is_not_looked_at() {
        let mut tree = TokenTree::new();
        for number in 0..10_000 {
            tree.change(&format!("other.{number}.*"), |value| *value = Some(number));
        }
        VISITED.set(0);
        tree.each_overlapping("mine.1.a", |_| panic!("nothing is found"));
        assert_eq!(VISITED.get(), 1);
        let mut found = Vec::new();
        tree.each_overlapping("other.4711.a", |number| found.push(*number));
        assert_eq!((VISITED.get(), &found[..]), (5, &[4711][..]));
    }
}
