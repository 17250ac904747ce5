//! `Filters`: the subject filters of a consumer or of a history reader, and whether a subject
//! matches one.

use std::ops::ControlFlow;

use super::token_tree::TokenTree;
use event_sdk_core::subject::{Pattern, Subject};

/// Patterns of which no two match the same subject.
///
/// Finding out about that, and whether one of them matches a subject, costs by
/// the tokens of a pattern and the branches that its wildcards open, not by the
/// number of patterns.
#[derive(Debug)]
pub(super) struct Filters {
    patterns: Vec<Pattern>,
    /// The patterns by their place; only where they are many.
    tree: Option<TokenTree<usize>>,
}

/// Up to this many patterns are compared one by one, which is quicker then.
const FEW: usize = 8;

impl Filters {
    /// These patterns; or two of them that overlap.
    pub(super) fn new(patterns: &[Pattern]) -> Result<Self, [&Pattern; 2]> {
        let mut break_at = |place: &usize| ControlFlow::Break(*place);
        let mut tree = (patterns.len() > FEW).then(TokenTree::new);
        for (place, one) in patterns.iter().enumerate() {
            let other = match &mut tree {
                None => patterns[..place].iter().find(|other| other.overlaps(one)),
                Some(tree) => match tree.overlapping(one.as_str(), &mut break_at) {
                    ControlFlow::Break(other) => Some(&patterns[other]),
                    ControlFlow::Continue(()) => {
                        tree.change(one.as_str(), |value| *value = Some(place));
                        None
                    }
                },
            };
            if let Some(other) = other {
                return Err([other, one]);
            }
        }
        Ok(Self {
            patterns: patterns.to_vec(),
            tree,
        })
    }

    pub(super) fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether one of them matches `subject`.
    pub(super) fn matches(&self, subject: &Subject) -> bool {
        match &self.tree {
            None => self.patterns.iter().any(|filter| filter.matches(subject)),
            Some(tree) => {
                let mut found = |_: &usize| ControlFlow::Break(());
                tree.overlapping(subject.as_str(), &mut found).is_break()
            }
        }
    }

    /// Whether they match whatever `others` match.
    pub(super) fn cover(&self, others: &[Pattern]) -> bool {
        let covered = |other| self.patterns.iter().any(|filter| filter.covers(other));
        others.iter().all(covered)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::token_tree::tests::{VISITED, any_pattern, any_subject};
    use super::{FEW, Filters};
    use event_sdk_core::subject::{Pattern, Subject};

    proptest! {
        #[test]
        fn they_are_what_comparing_one_by_one_says(
            patterns in prop::collection::vec(any_pattern(), 1..3 * FEW),
            subjects in prop::collection::vec(any_subject(), 1..10),
        ) {
            // As many as there can be, and one that overlaps.
            let mut distinct: Vec<Pattern> = Vec::new();
            for pattern in patterns {
                if let Some(other) = distinct.iter().find(|other| other.overlaps(&pattern)) {
                    let expected = [other.clone(), pattern.clone()];
                    let mut both = distinct.clone();
                    both.push(pattern);
                    let found = Filters::new(&both).map(drop).map_err(|two| two.map(Clone::clone));
                    let [_, second] = &expected;
                    prop_assert!(found.is_err_and(|[one, two]| two == *second && one.overlaps(&two)));
                } else {
                    distinct.push(pattern);
                }
            }
            let filters = Filters::new(&distinct).unwrap();
            for subject in subjects {
                let expected = distinct.iter().any(|filter| filter.matches(&subject));
                prop_assert_eq!(filters.matches(&subject), expected);
            }
        }
    }

    #[test]
    fn many_are_not_compared_with_each_other() {
        let patterns: Vec<Pattern> = (0..1000)
            .map(|number| Pattern::parse(format!("d.e{number}.*.x")).unwrap())
            .collect();
        VISITED.set(0);
        let filters = Filters::new(&patterns).unwrap();
        assert!(VISITED.get() < 5000, "{}", VISITED.get());
        VISITED.set(0);
        let subject = Subject::parse("d.e500.y.x".to_owned()).unwrap();
        assert!(filters.matches(&subject));
        assert_eq!(VISITED.get(), 5);
    }
}
