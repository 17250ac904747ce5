//! Finds the consumers whose filters match a subject, cached by subject.

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};

use super::token_tree::TokenTree;
use event_sdk_core::subject::{Pattern, Subject};

/// The filters of all consumers of a stream, and the consumers that subjects
/// were found to be wanted by.
///
/// Subjects are many and are mostly wanted by the same consumers, so each set of
/// consumers is kept once, whatever the number of subjects.
#[derive(Debug)]
pub(super) struct Interest {
    filters: TokenTree<BTreeSet<usize>>,
    /// Grows, from one on, whenever what was found means nothing any more.
    generation: u64,
    sets: Vec<Arc<[usize]>>,
    places: HashMap<Arc<[usize]>, usize>,
    /// What was found last; kept for its memory.
    found: Vec<usize>,
}

/// Where the set of those that want a subject is, once that was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    generation: u64,
    place: usize,
}

/// Fewer sets than this are kept in any case.
const FEW: usize = 64;

impl Interest {
    pub(super) fn new() -> Self {
        Self {
            filters: TokenTree::new(),
            generation: 1,
            sets: Vec::new(),
            places: HashMap::new(),
            found: Vec::new(),
        }
    }

    /// Notes that `consumer` wants what `filter` matches.
    pub(super) fn insert(&mut self, filter: &Pattern, consumer: usize) {
        self.forget();
        self.filters.change(filter.as_str(), |consumers| {
            consumers.get_or_insert_default().insert(consumer);
        });
    }

    /// Takes back what [`insert`](Self::insert) noted.
    pub(super) fn remove(&mut self, filter: &Pattern, consumer: usize) {
        self.forget();
        self.filters.change(filter.as_str(), |consumers| {
            if let Some(those) = consumers {
                those.remove(&consumer);
                if those.is_empty() {
                    *consumers = None;
                }
            }
        });
    }

    /// The consumers that want `subject`, in order; `known` is where they were
    /// found before, and `subjects` how many subjects there are.
    #[inline]
    pub(super) fn of(
        &mut self,
        subject: &Subject,
        known: &mut Wanted,
        subjects: usize,
    ) -> &[usize] {
        if known.generation != self.generation {
            *known = self.find(subject, subjects);
        }
        self.sets.get(known.place).map_or(&[], |set| set)
    }

    #[cold]
    fn find(&mut self, subject: &Subject, subjects: usize) -> Wanted {
        if self.sets.len() > 2 * subjects + FEW {
            // Most of them belong to subjects that are gone.
            self.forget();
        }
        self.found.clear();
        self.filters.each_overlapping(subject.as_str(), |those| {
            self.found.extend(those);
        });
        self.found.sort_unstable();
        self.found.dedup();
        let place = self.places.get(&*self.found).copied();
        Wanted {
            generation: self.generation,
            place: place.unwrap_or_else(|| self.keep()),
        }
    }

    /// Keeps what was found.
    fn keep(&mut self) -> usize {
        let (set, place) = (Arc::<[usize]>::from(&*self.found), self.sets.len());
        self.places.insert(Arc::clone(&set), place);
        self.sets.push(set);
        place
    }

    /// Forgets what was found.
    fn forget(&mut self) {
        self.generation += 1;
        self.sets.clear();
        self.places.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::token_tree::tests::{VISITED, any_pattern, any_subject};
    use super::{FEW, Interest, Wanted};
    use event_sdk_core::subject::{Pattern, Subject};

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text.to_owned()).unwrap()
    }

    fn subject(text: &str) -> Subject {
        Subject::parse(text.to_owned()).unwrap()
    }

    proptest! {
        #[test]
        fn it_finds_what_matching_one_by_one_finds(
            filters in prop::collection::vec((any_pattern(), 0_usize..6), 0..30),
            removed in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            subjects in prop::collection::vec(any_subject(), 1..20),
        ) {
            let mut interest = Interest::new();
            let mut list: Vec<(Pattern, usize)> = Vec::new();
            let mut known = vec![Wanted::default(); subjects.len()];
            let mut check = |interest: &mut Interest, list: &[(Pattern, usize)]| {
                for (subject, known) in subjects.iter().zip(&mut known) {
                    let found = interest.of(subject, known, subjects.len()).to_vec();
                    let matching = list.iter().filter(|(filter, _)| filter.matches(subject));
                    let mut expected: Vec<usize> = matching.map(|(_, consumer)| *consumer).collect();
                    expected.sort_unstable();
                    expected.dedup();
                    prop_assert_eq!(found, expected);
                }
                Ok(())
            };
            for (filter, consumer) in filters {
                if !list.contains(&(filter.clone(), consumer)) {
                    interest.insert(&filter, consumer);
                    list.push((filter, consumer));
                    check(&mut interest, &list)?;
                }
            }
            for index in removed {
                if !list.is_empty() {
                    let (filter, consumer) = list.swap_remove(index.index(list.len()));
                    interest.remove(&filter, consumer);
                    check(&mut interest, &list)?;
                }
            }
        }
    }

    #[test]
    fn subjects_that_the_same_consumers_want_share_the_set_of_them() {
        let mut interest = Interest::new();
        for consumer in 0..300 {
            interest.insert(&pattern(">"), consumer);
        }
        interest.insert(&pattern("a.7"), 300);
        for number in 0..1000 {
            let mut known = Wanted::default();
            let those = interest.of(&subject(&format!("a.{number}")), &mut known, 1000);
            assert_eq!(those.len(), if number == 7 { 301 } else { 300 });
        }
        assert_eq!(interest.sets.len(), 2);
    }

    #[test]
    fn sets_of_subjects_that_are_gone_are_not_kept() {
        let mut interest = Interest::new();
        for number in 0..10_000 {
            interest.insert(&pattern(&format!("a.{number}")), number);
        }
        for number in 0..10_000 {
            let mut known = Wanted::default();
            let those = interest.of(&subject(&format!("a.{number}")), &mut known, 1);
            assert_eq!(those, [number]);
            assert!(interest.sets.len() <= FEW + 3);
        }
    }

    #[test]
    fn what_was_found_is_not_looked_for_again() {
        let mut interest = Interest::new();
        for number in 0..10_000 {
            interest.insert(&pattern(&format!("other.{number}.*")), number);
        }
        let (mine, mut known) = (subject("mine.1.a"), Wanted::default());
        VISITED.set(0);
        for _ in 0..100 {
            assert!(interest.of(&mine, &mut known, 1).is_empty());
        }
        assert_eq!(VISITED.get(), 1);
    }
}
