//! Solves for strings: length, patterns, formats.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{Best, Outcome, Solver};
use crate::expr::{Atom, Expr, Lit, PatternId, Scalar};
use crate::schema::{Draft, with_own};
use crate::text::{Found, Language, as_content, find, inner, outline, samples};

/// How many strings are tried that might not have a format.
const MAX_TRIES: usize = 12;

/// How many steps it takes to search with a pattern.
const STEPS_OF_PATTERN: u64 = 50;

/// What is asked of a string.
#[derive(Debug, Default)]
struct Wanted {
    min: u64,
    max: Option<u64>,
    patterns: Vec<(PatternId, bool)>,
    formats: Vec<(Rc<str>, bool)>,
    among: Option<BTreeSet<Rc<str>>>,
    excluded: BTreeSet<Rc<str>>,
    doubt: Option<Rc<str>>,
}

impl Solver<'_> {
    pub(super) fn solve_string(&mut self, atoms: &[Lit]) -> Outcome {
        let mut wanted = self.wanted_string(atoms);
        if wanted.max.is_some_and(|max| max < wanted.min) {
            return Outcome::None;
        }
        let mut best = Best::new();
        if let Some(among) = wanted.among.take() {
            for text in among {
                if best.take(self.try_string(&wanted, &text)) {
                    break;
                }
            }
            return best.outcome;
        }
        let positive: Vec<Rc<str>> = wanted
            .formats
            .iter()
            .filter(|(_, holds)| *holds)
            .map(|(name, _)| Rc::clone(name))
            .collect();
        for sample in positive.iter().flat_map(|name| samples(name)) {
            if best.take(self.try_string(&wanted, sample)) {
                return best.outcome;
            }
        }
        let outlines = self.patterns_of(&wanted.formats);
        let is_opaque = wanted.patterns.iter().any(|(id, _)| {
            let opaque = self.lowering.exprs.pattern(*id).is_none();
            if opaque {
                let source = self.lowering.exprs.pattern_source(*id);
                wanted.doubt = Some(opaque_pattern(source));
            }
            opaque
        });
        let tries = if wanted.formats.is_empty() && !is_opaque {
            1
        } else {
            MAX_TRIES
        };
        for _ in 0..tries {
            if !self.steps_of_search(&wanted) {
                best.take(Self::exhausted());
                return best.outcome;
            }
            match self.search_string(&wanted, &outlines) {
                Found::Text(text) => {
                    if best.take(self.try_string(&wanted, &text)) {
                        return best.outcome;
                    }
                    wanted.excluded.insert(text.into());
                }
                Found::Empty => return best.outcome,
                Found::TooMuch => {
                    best.take(Outcome::unknown(
                        "the patterns are too large to be compared",
                    ));
                    return best.outcome;
                }
            }
        }
        best.take(Outcome::unknown(
            "no string was found that shows it, and there may be one",
        ));
        best.outcome
    }

    fn wanted_string(&self, atoms: &[Lit]) -> Wanted {
        let mut wanted = Wanted::default();
        for lit in atoms {
            let Expr::Atom(atom) = self.lowering.exprs.get(*lit) else {
                continue;
            };
            let holds = !lit.is_negative();
            match (atom, holds) {
                (Atom::MinLength(min), true) => wanted.min = wanted.min.max(*min),
                (Atom::MaxLength(max), false) => {
                    wanted.min = wanted.min.max(max.saturating_add(1));
                }
                (Atom::MaxLength(max), true) => wanted.limit(*max),
                (Atom::MinLength(0), false) => wanted.among = Some(BTreeSet::new()),
                (Atom::MinLength(min), false) => wanted.limit(min - 1),
                (Atom::Pattern(id), holds) => wanted.patterns.push((*id, holds)),
                (Atom::Format(name), holds) => wanted.formats.push((Rc::clone(name), holds)),
                (Atom::Scalars(scalars), holds) => {
                    let texts: BTreeSet<Rc<str>> = scalars
                        .iter()
                        .filter_map(|scalar| match scalar {
                            Scalar::String(text) => Some(Rc::clone(text)),
                            _ => None,
                        })
                        .collect();
                    if holds {
                        wanted.among = Some(match wanted.among.take() {
                            None => texts,
                            Some(others) => others.intersection(&texts).cloned().collect(),
                        });
                    } else {
                        wanted.excluded.extend(texts);
                    }
                }
                (Atom::Opaque(_, why), _) => wanted.doubt = Some(Rc::clone(why)),
                _ => {}
            }
        }
        wanted
    }

    /// The string, if it is what is wanted.
    fn try_string(&mut self, wanted: &Wanted, text: &str) -> Outcome {
        let length = text.chars().count() as u64;
        if length < wanted.min
            || wanted.max.is_some_and(|max| max < length)
            || wanted.excluded.contains(text)
        {
            return Outcome::None;
        }
        let mut doubt = wanted.doubt.clone();
        for (id, holds) in &wanted.patterns {
            match self.lowering.exprs.pattern(*id) {
                Some(pattern) if pattern.matches(text) != *holds => return Outcome::None,
                Some(_) => {}
                None => doubt = Some(opaque_pattern(self.lowering.exprs.pattern_source(*id))),
            }
        }
        for (name, holds) in &wanted.formats {
            if self.has_format(name, text) != *holds {
                return Outcome::None;
            }
        }
        Outcome::found(Value::String(text.to_owned()), doubt)
    }

    /// Takes the steps of a search for a string: many, where there are patterns. Returns
    /// whether they were left.
    fn steps_of_search(&mut self, wanted: &Wanted) -> bool {
        let cost = 1 + STEPS_OF_PATTERN * wanted.patterns.len() as u64;
        self.steps = self.steps.saturating_sub(cost);
        !self.is_exhausted()
    }

    /// What is known of formats as patterns: what each string that has one matches, and what no
    /// string matches that does not have one.
    fn patterns_of(&mut self, formats: &[(Rc<str>, bool)]) -> Vec<(PatternId, bool)> {
        let mut patterns = Vec::new();
        for (name, holds) in formats {
            let source = if *holds { outline(name) } else { inner(name) };
            if let Some(source) = source {
                patterns.push((self.lowering.exprs.pattern_id(source), *holds));
            }
        }
        patterns
    }

    /// The shortest string by lengths and patterns alone.
    fn search_string(&self, wanted: &Wanted, outlines: &[(PatternId, bool)]) -> Found {
        let exprs = &self.lowering.exprs;
        let mut language = Language {
            excluded: wanted.excluded.iter().map(AsRef::as_ref).collect(),
            min: wanted.min,
            max: wanted.max,
            ..Language::default()
        };
        for (id, holds) in outlines.iter().chain(&wanted.patterns) {
            if let Some(pattern) = exprs.pattern(*id) {
                if *holds {
                    &mut language.found
                } else {
                    &mut language.absent
                }
                .push(pattern);
            }
        }
        find(&language)
    }

    /// Whether a string has a format that the validator knows.
    pub(super) fn has_format(&self, name: &Rc<str>, text: &str) -> bool {
        let mut formats = self.formats.borrow_mut();
        let validator = formats.entry(Rc::clone(name)).or_insert_with(|| {
            let (draft, schema) = match as_content(name) {
                Some(content) => (Draft::Draft7, content),
                None => (Draft::Draft202012, json!({ "format": name.as_ref() })),
            };
            with_own(jsonschema::options())
                .with_draft(draft.of_validator())
                .should_validate_formats(true)
                .build(&schema)
                .ok()
        });
        validator
            .as_ref()
            .is_none_or(|validator| validator.is_valid(&json!(text)))
    }
}

impl Wanted {
    fn limit(&mut self, max: u64) {
        self.max = Some(self.max.map_or(max, |old| old.min(max)));
    }
}

pub(super) fn opaque_pattern(source: &str) -> Rc<str> {
    format!("the pattern {source:?} is too large to be compared, or looks around or back").into()
}
