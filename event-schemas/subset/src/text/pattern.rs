//! Compiles an ECMA-262 pattern to an automaton.

use std::fmt::Write as _;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};

/// How large an automaton may get, and what it takes to make it, in bytes.
const MAX_AUTOMATON: usize = 1 << 18;

/// An automaton that accepts the strings in which a pattern is found.
#[derive(Debug)]
pub(crate) struct Pattern {
    dfa: dense::DFA<Vec<u32>>,
    start: StateID,
}

impl Pattern {
    /// Makes the automaton of a pattern as schemas write it. `None` for what no automaton
    /// of bounded size can say: references back, looking around, huge counts.
    pub(crate) fn of_schema(source: &str) -> Option<Self> {
        let rust = jsonschema_regex::to_rust_regex(source).ok()?;
        Self::build(&format!("(?s:.)*?(?:{rust})(?s:.)*"))
    }

    /// The automaton of exactly these strings.
    pub(crate) fn of_strings<'a>(strings: impl Iterator<Item = &'a str>) -> Option<Self> {
        let escaped: Vec<String> = strings.map(escape).collect();
        Self::build(&format!("(?:{})", escaped.join("|")))
    }

    /// The automaton of all strings.
    pub(crate) fn of_all() -> Option<Self> {
        Self::build("(?s:.)*")
    }

    fn build(regex: &str) -> Option<Self> {
        let config = dense::Config::new()
            .start_kind(StartKind::Anchored)
            .match_kind(MatchKind::All)
            .dfa_size_limit(Some(MAX_AUTOMATON))
            .determinize_size_limit(Some(MAX_AUTOMATON));
        let dfa = dense::Builder::new()
            .configure(config)
            .thompson(thompson::Config::new().nfa_size_limit(Some(MAX_AUTOMATON)))
            .build(regex)
            .ok()?;
        let start = dfa
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .ok()?;
        Some(Self { dfa, start })
    }

    /// Whether the string is in the set.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let end = text
            .bytes()
            .fold(self.start, |state, byte| self.step(state, byte));
        self.accepts(end)
    }

    pub(super) fn start(&self) -> StateID {
        self.start
    }

    pub(super) fn step(&self, state: StateID, byte: u8) -> StateID {
        self.dfa.next_state(state, byte)
    }

    /// Whether a string that ends in this state is in the set.
    pub(super) fn accepts(&self, state: StateID) -> bool {
        self.dfa.is_match_state(self.dfa.next_eoi_state(state))
    }

    /// Whether no string through this state is in the set.
    pub(super) fn is_dead(&self, state: StateID) -> bool {
        self.dfa.is_dead_state(state)
    }

    /// Bytes of one class lead from a state to the same state.
    pub(super) fn class(&self, byte: u8) -> u8 {
        self.dfa.byte_classes().get(byte)
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() || c.is_ascii_whitespace() || c.is_ascii_control() {
            let _ = write!(escaped, "\\x{{{:x}}}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_anywhere_unless_anchored() {
        let free = Pattern::of_schema("b+").unwrap();
        assert!(free.matches("abba") && free.matches("b") && !free.matches("aa"));
        let anchored = Pattern::of_schema("^b+$").unwrap();
        assert!(anchored.matches("bb") && !anchored.matches("abba") && !anchored.matches(""));
        let either = Pattern::of_schema("^a|b$").unwrap();
        assert!(either.matches("ax") && either.matches("xb") && !either.matches("xax"));
        assert!(Pattern::of_schema(r"^\d$").unwrap().matches("7"));
        assert!(!Pattern::of_schema(r"^\d$").unwrap().matches("٧"));
        assert!(Pattern::of_schema(r"^\w\b").is_none_or(|pattern| pattern.matches("a")));
    }

    #[test]
    fn what_no_automaton_can_say_is_not_guessed() {
        assert!(Pattern::of_schema("^(?=a)").is_none());
        assert!(Pattern::of_schema(r"(a)\1").is_none());
        assert!(Pattern::of_schema("(.{1,900}){1,900}").is_none());
    }

    #[test]
    fn strings_are_matched_as_they_are() {
        let pattern = Pattern::of_strings(["a.b", "", "ü|"].into_iter()).unwrap();
        assert!(pattern.matches("a.b") && pattern.matches("") && pattern.matches("ü|"));
        assert!(!pattern.matches("axb") && !pattern.matches("ü"));
    }
}
