//! Solver: finds a value that satisfies expressions, or proves that there is none.
//!
//! The expressions are split into cases, one type at a time, until only assertions about one type
//! are left. These are solved together, and raise the same question for the values inside. A value
//! is a finite tree. So if a question leads back to itself on the way down, the answer at that
//! point is "none"; this is how recursive schemas are proven.

mod array;
mod case;
mod cases;
mod number;
mod object;
mod satisfies;
mod search;
mod string;

use std::cell::RefCell;
use std::rc::Rc;

use foldhash::{HashMap, HashMapExt};
use serde_json::Value;

use crate::expr::{Expr, Lit};
use crate::lower::Lowering;
use crate::types::Type;

/// How many values deep is searched.
const MAX_DEPTH: usize = 64;

/// The answer of a search.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// This value satisfies all.
    Found(Rc<Witness>),
    /// No value does.
    None,
    /// It was not found out, for this reason.
    Unknown(Rc<str>),
}

/// A value that was found.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    pub(crate) value: Value,
    /// Why it might not be one after all.
    pub(crate) doubt: Option<Rc<str>>,
}

impl Outcome {
    fn found(value: Value, doubt: Option<Rc<str>>) -> Self {
        Outcome::Found(Rc::new(Witness { value, doubt }))
    }

    fn unknown(why: &str) -> Self {
        Outcome::Unknown(why.into())
    }

    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Outcome::None)
    }
}

/// The answers of several searches of which one has to succeed.
#[derive(Debug)]
struct Best {
    outcome: Outcome,
}

impl Best {
    fn new() -> Self {
        Self {
            outcome: Outcome::None,
        }
    }

    /// Takes an answer. Returns whether none can be better.
    fn take(&mut self, outcome: Outcome) -> bool {
        let is_certain = matches!(&outcome, Outcome::Found(found) if found.doubt.is_none());
        match (&self.outcome, &outcome) {
            (_, Outcome::None) | (Outcome::Found(_) | Outcome::Unknown(_), Outcome::Unknown(_)) => {
            }
            (Outcome::Found(_), Outcome::Found(_)) if !is_certain => {}
            _ => self.outcome = outcome,
        }
        is_certain
    }
}

/// Searches for values, and remembers what it found.
#[derive(Debug)]
pub(crate) struct Solver<'a> {
    pub(crate) lowering: Lowering<'a>,
    answers: HashMap<Rc<[Lit]>, Outcome>,
    /// The questions that are being asked further out, and how far out.
    asked: HashMap<Rc<[Lit]>, usize>,
    /// The outermost question to which an answer since then referred.
    referred: usize,
    formats: RefCell<HashMap<Rc<str>, Option<jsonschema::Validator>>>,
    /// Which part of a conjunction a value failed last.
    refuters: RefCell<HashMap<Lit, Lit>>,
    steps: u64,
}

impl<'a> Solver<'a> {
    pub(crate) fn new(lowering: Lowering<'a>, steps: u64) -> Self {
        Self {
            lowering,
            answers: HashMap::new(),
            asked: HashMap::new(),
            referred: usize::MAX,
            formats: RefCell::default(),
            refuters: RefCell::default(),
            steps,
        }
    }

    /// Finds a value that satisfies all of these.
    pub(crate) fn solve(&mut self, lits: &[Lit]) -> Outcome {
        let Some(lits) = self.question(lits) else {
            return Outcome::None;
        };
        if let Some(answer) = self.answers.get(&lits) {
            return answer.clone();
        }
        if let Some(depth) = self.asked.get(&lits) {
            self.referred = self.referred.min(*depth);
            return Outcome::None;
        }
        let depth = self.asked.len();
        if depth >= MAX_DEPTH {
            return Outcome::unknown("the schemas are nested deeper than is searched");
        }
        if !self.step() {
            return Self::exhausted();
        }
        self.asked.insert(Rc::clone(&lits), depth);
        let outer = std::mem::replace(&mut self.referred, usize::MAX);
        let answer = self.search(&lits);
        self.asked.remove(&lits);
        // That there is none holds without the questions further out only if it did not
        // refer to them.
        let depends = self.referred < depth && !matches!(answer, Outcome::Found(_));
        self.referred = if self.referred < depth {
            self.referred.min(outer)
        } else {
            outer
        };
        if !depends {
            self.answers.insert(lits, answer.clone());
        }
        answer
    }

    fn search(&mut self, lits: &[Lit]) -> Outcome {
        let types = self.lowering.exprs.types_of(lits);
        let mut best = Best::new();
        for of in Type::ALL {
            if !types.contains(of) {
                continue;
            }
            if self.search_type(of, lits, &mut best) {
                break;
            }
        }
        best.outcome
    }

    /// Finds a value of a type that satisfies assertions about that type.
    pub(crate) fn solve_case(&mut self, of: Type, atoms: &[Lit]) -> Outcome {
        match of {
            Type::Null | Type::Boolean => self.solve_constant(of, atoms),
            Type::Number => self.solve_number(atoms),
            Type::String => self.solve_string(atoms),
            Type::Array => self.solve_array(atoms),
            Type::Object => self.solve_object(atoms),
        }
    }

    /// Brings a question into the one form in which it is remembered. `None` if it
    /// contradicts itself.
    pub(crate) fn question(&mut self, lits: &[Lit]) -> Option<Rc<[Lit]>> {
        let mut open = lits.to_vec();
        let mut all = Vec::with_capacity(lits.len());
        while let Some(lit) = open.pop() {
            let lit = self.lowering.resolve(lit);
            match lit {
                Lit::TRUE => {}
                Lit::FALSE => return None,
                _ => match self.lowering.exprs.get(lit) {
                    Expr::And(parts) if !lit.is_negative() => open.extend(parts.iter().copied()),
                    _ => all.push(lit),
                },
            }
        }
        all.sort_unstable();
        all.dedup();
        // A literal and its negation stand next to each other.
        let contradicts = all.windows(2).any(|pair| pair[0].negated() == pair[1]);
        (!contradicts).then(|| all.into())
    }

    /// Takes a step. Returns whether there was one left.
    fn step(&mut self) -> bool {
        self.steps = self.steps.saturating_sub(1);
        self.steps > 0
    }

    /// Whether the search has come to the end of its steps.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.steps == 0
    }

    fn exhausted() -> Outcome {
        Outcome::Unknown(too_many_steps())
    }
}

fn too_many_steps() -> Rc<str> {
    "the search was given up after as many steps as it may take".into()
}
