//! Shortest string that is in some sets and in none of others.

use std::collections::{BTreeSet, HashSet, VecDeque};

use regex_automata::util::primitives::StateID;

use super::Pattern;

/// How many states of the product of automata are looked at.
const MAX_STATES: usize = 5_000;

/// A set of strings.
#[derive(Debug, Default)]
pub(crate) struct Language<'a> {
    /// Patterns that must be found.
    pub found: Vec<&'a Pattern>,
    /// Patterns that must not be found.
    pub absent: Vec<&'a Pattern>,
    /// Strings that are not in the set.
    pub excluded: BTreeSet<&'a str>,
    /// Bounds of the length, in characters.
    pub min: u64,
    pub max: Option<u64>,
}

/// What came out of a search.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The shortest string of the set.
    Text(String),
    /// The set is empty.
    Empty,
    /// It was too much work to find out.
    TooMuch,
}

/// Finds the shortest string of a set.
pub(crate) fn find(language: &Language<'_>) -> Found {
    if language.max.is_some_and(|max| max < language.min) {
        return Found::Empty;
    }
    if language.found.is_empty() && language.absent.is_empty() {
        return without_patterns(language);
    }
    let excluded = if language.excluded.is_empty() {
        None
    } else {
        match Pattern::of_strings(language.excluded.iter().copied()) {
            Some(pattern) => Some(pattern),
            None => return Found::TooMuch,
        }
    };
    let Some(all) = Pattern::of_all() else {
        return Found::TooMuch;
    };
    let wanted = language
        .found
        .iter()
        .copied()
        .chain([&all])
        .map(|pattern| (pattern, true));
    let unwanted = language
        .absent
        .iter()
        .copied()
        .chain(&excluded)
        .map(|pattern| (pattern, false));
    product(
        &wanted.chain(unwanted).collect::<Vec<_>>(),
        language.min,
        language.max,
    )
}

/// Only lengths and excluded strings: letters in order.
fn without_patterns(language: &Language<'_>) -> Found {
    let Ok(min) = usize::try_from(language.min) else {
        return Found::TooMuch;
    };
    if min > 1 << 20 {
        return Found::TooMuch;
    }
    for length in min..=min + 1 {
        if language.max.is_some_and(|max| max < length as u64) {
            return Found::Empty;
        }
        let head = "a".repeat(length.saturating_sub(1));
        // There is only one empty string, and more than are ever excluded of any other length.
        let texts = ('a'..='z').chain('\u{100}'..='\u{d7ff}').map(|last| {
            if length == 0 {
                String::new()
            } else {
                format!("{head}{last}")
            }
        });
        let tries = if length == 0 {
            1
        } else {
            language.excluded.len() + 1
        };
        for text in texts.take(tries) {
            if !language.excluded.contains(text.as_str()) {
                return Found::Text(text);
            }
        }
    }
    Found::TooMuch
}

/// Breadth first through the product of automata, of which each must end accepting, or must not.
fn product(automata: &[(&Pattern, bool)], min: u64, max: Option<u64>) -> Found {
    let bytes = representatives(automata);
    // Characters are counted only as far as it matters.
    let enough = max.map_or(min, |max| max.saturating_add(1));
    let start: Vec<StateID> = automata
        .iter()
        .map(|(pattern, _)| pattern.start())
        .collect();
    let mut seen = HashSet::from([(start.clone(), 0)]);
    let mut steps: Vec<(usize, u8)> = vec![(0, 0)];
    let mut open = VecDeque::from([(start, 0, 0)]);
    while let Some((states, length, at)) = open.pop_front() {
        let accepted = length >= min
            && max.is_none_or(|max| length <= max)
            && automata
                .iter()
                .zip(&states)
                .all(|((pattern, wanted), state)| pattern.accepts(*state) == *wanted);
        if accepted {
            return text(&steps, at);
        }
        for byte in &bytes {
            let is_first = byte & 0b1100_0000 != 0b1000_0000;
            let length = (length + u64::from(is_first)).min(enough);
            if max.is_some_and(|max| length > max) {
                continue;
            }
            let next: Vec<StateID> = automata
                .iter()
                .zip(&states)
                .map(|((pattern, _), state)| pattern.step(*state, *byte))
                .collect();
            let is_dead = automata
                .iter()
                .zip(&next)
                .any(|((pattern, wanted), state)| *wanted && pattern.is_dead(*state));
            if is_dead || !seen.insert((next.clone(), length)) {
                continue;
            }
            if seen.len() > MAX_STATES {
                return Found::TooMuch;
            }
            steps.push((at, *byte));
            open.push_back((next, length, steps.len() - 1));
        }
    }
    Found::Empty
}

/// One byte of each class that all automata share, those first that are good to read.
fn representatives(automata: &[(&Pattern, bool)]) -> Vec<u8> {
    let mut order: Vec<u8> = (0..=255).collect();
    order.sort_by_key(|byte| match byte {
        b'a'..=b'z' => 0,
        b'0'..=b'9' => 1,
        b'A'..=b'Z' => 2,
        b'-' | b'_' | b'.' => 3,
        b'!'..=b'~' => 4,
        b' ' => 5,
        0x80..=0xff => 6,
        _ => 7,
    });
    let mut classes = HashSet::new();
    order.retain(|byte| {
        let is_first = byte & 0b1100_0000 != 0b1000_0000;
        let class: Vec<u8> = automata
            .iter()
            .map(|(pattern, _)| pattern.class(*byte))
            .collect();
        classes.insert((is_first, class))
    });
    order
}

fn text(steps: &[(usize, u8)], mut at: usize) -> Found {
    let mut bytes = Vec::new();
    while at != 0 {
        let (before, byte) = steps[at];
        bytes.push(byte);
        at = before;
    }
    bytes.reverse();
    String::from_utf8(bytes).map_or(Found::TooMuch, Found::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortest(found: &[&str], absent: &[&str], min: u64, max: Option<u64>) -> Found {
        let compile = |sources: &[&str]| -> Vec<Pattern> {
            sources
                .iter()
                .map(|source| Pattern::of_schema(source).unwrap())
                .collect()
        };
        let (found, absent) = (compile(found), compile(absent));
        find(&Language {
            found: found.iter().collect(),
            absent: absent.iter().collect(),
            excluded: BTreeSet::new(),
            min,
            max,
        })
    }

    #[test]
    fn the_shortest_string_is_found() {
        assert_eq!(
            shortest(&["^[a-z]+$"], &["^a"], 0, None),
            Found::Text("b".to_owned())
        );
        assert_eq!(
            shortest(&["^[a-z]+$"], &[], 3, None),
            Found::Text("aaa".to_owned())
        );
        assert_eq!(
            shortest(&["^[a-z]+$"], &["^[a-z0-9]+$"], 0, None),
            Found::Empty
        );
        assert_eq!(shortest(&["^a{3}$"], &[], 0, Some(2)), Found::Empty);
        assert_eq!(
            shortest(&["ü"], &[], 0, Some(1)),
            Found::Text("ü".to_owned())
        );
        assert_eq!(shortest(&[], &[""], 0, None), Found::Empty);
    }

    #[test]
    fn excluded_strings_are_left_out() {
        let language = |excluded: &[&'static str], max| Language {
            excluded: excluded.iter().copied().collect(),
            max,
            ..Language::default()
        };
        assert_eq!(find(&language(&[""], None)), Found::Text("a".to_owned()));
        assert_eq!(
            find(&language(&["", "a"], Some(1))),
            Found::Text("b".to_owned())
        );
        assert_eq!(find(&language(&[""], Some(0))), Found::Empty);
    }
}
