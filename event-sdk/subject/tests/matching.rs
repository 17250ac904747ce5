//! Matching, covering, overlap and intersection of patterns against slow reference
//! implementations.

use event_sdk_subject::{covers, matches, meet, overlaps, parent, token_count};
use proptest::prelude::*;

/// Whether the tokens of `subject` are matched, as NATS's documentation words it.
fn matches_slowly(pattern: &[&str], subject: &[&str]) -> bool {
    match (pattern.split_first(), subject.split_first()) {
        (None, None) | (Some((&">", _)), Some(_)) => true,
        (Some((&"*", pattern)), Some((_, subject))) => matches_slowly(pattern, subject),
        (Some((token, pattern)), Some((other, subject))) => {
            token == other && matches_slowly(pattern, subject)
        }
        _ => false,
    }
}

fn tokens(text: &str) -> Vec<&str> {
    text.split('.').collect()
}

/// Every subject of up to `LONGEST` tokens over `ALPHABET`.
///
/// Patterns here have at most three tokens of the first two letters: so the
/// third letter stands for any token that no pattern names, and a fourth token
/// for any length that only `>` reaches.
fn all_subjects() -> Vec<String> {
    const ALPHABET: [&str; 3] = ["a", "b", "c"];
    const LONGEST: usize = 4;
    let mut all: Vec<String> = ALPHABET.map(str::to_owned).to_vec();
    let mut longest = all.clone();
    for _ in 1..LONGEST {
        longest = longest
            .iter()
            .flat_map(|start| ALPHABET.map(|token| format!("{start}.{token}")))
            .collect();
        all.extend(longest.clone());
    }
    all
}

/// Every pattern of up to three tokens over `a`, `b`, `*` and a last `>`.
fn all_patterns() -> Vec<String> {
    let mut all = Vec::new();
    let mut open = vec![String::new()];
    for _ in 0..3 {
        let mut longer = Vec::new();
        for start in &open {
            all.push(format!("{start}>"));
            for token in ["a", "b", "*"] {
                all.push(format!("{start}{token}"));
                longer.push(format!("{start}{token}."));
            }
        }
        open = longer;
    }
    all
}

#[test]
fn all_small_patterns_agree_with_the_reference() {
    let subjects = all_subjects();
    let patterns = all_patterns();
    assert_eq!((subjects.len(), patterns.len()), (120, 52));
    let matched: Vec<Vec<bool>> = patterns
        .iter()
        .map(|pattern| {
            let reference = |subject: &String| matches_slowly(&tokens(pattern), &tokens(subject));
            subjects.iter().map(reference).collect()
        })
        .collect();
    for (pattern, matched) in patterns.iter().zip(&matched) {
        for (subject, expected) in subjects.iter().zip(matched) {
            assert_eq!(
                matches(pattern, subject),
                *expected,
                "{pattern} and {subject}"
            );
        }
    }
    for (one, ones) in patterns.iter().zip(&matched) {
        for (other, others) in patterns.iter().zip(&matched) {
            let both: Vec<bool> = ones.iter().zip(others).map(|(a, b)| *a && *b).collect();
            let common = both.contains(&true);
            assert_eq!(overlaps(one, other), common, "{one} and {other} overlap");
            let within = both == *others;
            assert_eq!(covers(one, other), within, "{one} covers {other}");
            let Some(meeting) = meet(one, other) else {
                assert!(!common, "{one} and {other} meet");
                continue;
            };
            for (subject, expected) in subjects.iter().zip(&both) {
                let found = matches(&meeting, subject);
                assert_eq!(found, *expected, "{one} meets {other} at {subject}");
            }
        }
    }
}

fn token() -> impl Strategy<Value = String> {
    "[ab]{1,3}|[A-Za-z0-9_-]{1,8}|ä|=2E"
}

fn subject() -> impl Strategy<Value = String> {
    prop::collection::vec(token(), 1..6).prop_map(|tokens| tokens.join("."))
}

fn pattern() -> impl Strategy<Value = String> {
    let token = prop_oneof![3 => token(), 1 => Just("*".to_owned())];
    (prop::collection::vec(token, 0..5), any::<bool>()).prop_map(|(mut tokens, tail)| {
        if tail || tokens.is_empty() {
            tokens.push(">".to_owned());
        }
        tokens.join(".")
    })
}

/// A pattern that matches `subject`: some tokens made wild, perhaps the end cut off.
fn pattern_of(subject: String) -> impl Strategy<Value = (String, String)> {
    let count = subject.split('.').count();
    (prop::collection::vec(any::<bool>(), count), 0..=count).prop_map(move |(wild, kept)| {
        let mut tokens: Vec<&str> = subject.split('.').collect();
        for (token, wild) in tokens.iter_mut().zip(wild) {
            if wild {
                *token = "*";
            }
        }
        if kept < tokens.len() {
            tokens.truncate(kept);
            tokens.push(">");
        }
        (tokens.join("."), subject.clone())
    })
}

proptest! {
    #[test]
    fn matching_agrees_with_the_reference(pattern in pattern(), subject in subject()) {
        let expected = matches_slowly(&tokens(&pattern), &tokens(&subject));
        prop_assert_eq!(matches(&pattern, &subject), expected);
    }

    #[test]
    fn a_pattern_made_of_a_subject_matches_it((pattern, subject) in subject().prop_flat_map(pattern_of)) {
        prop_assert!(matches_slowly(&tokens(&pattern), &tokens(&subject)));
        prop_assert!(matches(&pattern, &subject));
        prop_assert!(overlaps(&pattern, &subject) && overlaps(&subject, &pattern));
        prop_assert_eq!(meet(&pattern, &subject), Some(subject.clone()));
        // One token more or less is another subject, unless the pattern ends open.
        let longer = format!("{subject}.x");
        prop_assert_eq!(matches(&pattern, &longer), pattern.ends_with('>'));
    }

    #[test]
    fn overlapping_is_meeting(one in pattern(), other in pattern()) {
        let meeting = meet(&one, &other);
        prop_assert_eq!(overlaps(&one, &other), meeting.is_some());
        prop_assert_eq!(overlaps(&one, &other), overlaps(&other, &one));
        prop_assert_eq!(&meeting, &meet(&other, &one));
        if let Some(meeting) = meeting {
            prop_assert!(covers(&one, &meeting) && covers(&other, &meeting));
        }
    }

    #[test]
    fn two_patterns_of_one_subject_overlap(
        (one, other) in subject().prop_flat_map(|subject| (pattern_of(subject.clone()), pattern_of(subject)))
    ) {
        prop_assert!(overlaps(&one.0, &other.0));
        let meeting = meet(&one.0, &other.0);
        prop_assert!(meeting.is_some_and(|meeting| matches(&meeting, &one.1)));
    }

    #[test]
    fn covering_is_an_order(one in pattern(), other in pattern(), third in pattern()) {
        prop_assert!(covers(&one, &one) && covers(">", &one));
        if covers(&one, &other) {
            prop_assert!(overlaps(&one, &other));
            prop_assert!(one == other || !covers(&other, &one));
            prop_assert!(!covers(&other, &third) || covers(&one, &third));
        }
    }

    #[test]
    fn tokens_are_counted_and_the_last_taken_off(subject in subject()) {
        let tokens = tokens(&subject);
        prop_assert_eq!(token_count(&subject), tokens.len());
        let expected = (tokens.len() > 1).then(|| tokens[..tokens.len() - 1].join("."));
        prop_assert_eq!(parent(&subject), expected.as_deref());
    }
}

#[test]
fn matching_by_hand() {
    for (pattern, subject, expected) in [
        ("foo", "foo", true),
        ("foo", "bar", false),
        ("foo.*", "foo", false),
        ("foo.*", "foo.bar", true),
        ("foo.*", "foo.bar.baz", false),
        ("foo.>", "foo", false),
        ("foo.>", "foo.bar", true),
        ("foo.>", "foo.bar.baz", true),
        (">", "foo", true),
        (">", "foo.bar", true),
        ("*", "foo", true),
        ("*", "foo.bar", false),
        ("*.*", "foo.bar", true),
        ("*.bar.>", "foo.bar", false),
        ("*.bar.>", "foo.bar.baz.qux", true),
        ("foo.*.baz", "foo.bar.baz", true),
        ("foo.*.baz", "foo.bar.bazz", false),
        ("foo.*.baz", "foo.bar.ba", false),
    ] {
        assert_eq!(matches(pattern, subject), expected, "{pattern} {subject}");
    }
}
