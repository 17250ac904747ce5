//! Finds all breaks between two schemas, field by field.
//!
//! The solver proves that there is no break, in the whole or in a part. If it finds a document
//! instead, the parts of the accepting schema are examined one by one. Each part that refuses
//! something is reported with its path, its rule, and a document that shows it.

mod document;
mod parts;
mod reason;
mod variants;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use crate::expr::{Atom, Expr, Lit, Origin, Side};
use crate::finding::{Break, Unknown};
use crate::lower::Lowering;
use crate::options::Options;
use crate::path::Path;
use crate::rule::Rule;
use crate::schema::Schema;
use crate::solve::{Outcome, Solver};
use crate::types::Type;
use document::Frame;

/// How many cases of one value are told apart.
const MAX_CASES: usize = 300;
/// How many parts are gone through without asking whether any of them refuses something.
const FEW_PARTS: usize = 8;
/// How many values deep a break is given a path of its own.
const MAX_DEPTH: usize = 40;

/// Finds all breaks, and what could not be decided.
pub(crate) fn diff(sub: &Schema, sup: &Schema, options: &Options) -> (Vec<Break>, Vec<Unknown>) {
    let mut lowering = Lowering::new(sub, sup);
    let written = lowering.root(Side::Sub);
    let accepted = lowering.root(Side::Sup);
    let mut diff = Diff {
        solver: Solver::new(lowering, options.steps),
        sub,
        sup,
        limit: options.breaks,
        breaks: BTreeMap::new(),
        unknowns: BTreeSet::new(),
        frames: Vec::new(),
        compared: Vec::new(),
    };
    diff.compare(&[written], accepted, &Path::root());
    let unknowns = diff
        .unknowns
        .into_iter()
        .map(|(path, why)| Unknown { path, why });
    (diff.breaks.into_values().collect(), unknowns.collect())
}

#[derive(Debug)]
struct Diff<'a> {
    solver: Solver<'a>,
    sub: &'a Schema,
    sup: &'a Schema,
    limit: usize,
    breaks: BTreeMap<(Path, Rule), Break>,
    unknowns: BTreeSet<(Path, String)>,
    /// The values around the one that is compared, from the outermost inward.
    frames: Vec<Frame>,
    /// What is being compared further out; inside a recursive schema it comes back.
    compared: Vec<(Rc<[Lit]>, Lit)>,
}

/// Values of one type that are written in one way, and what has to accept them.
#[derive(Clone, Copy, Debug)]
struct Written<'c> {
    of: Type,
    atoms: &'c [Lit],
    /// All that the accepting schema says of the value.
    whole: Lit,
    path: &'c Path,
}

impl Diff<'_> {
    /// Compares what is written with what is accepted at a path. Returns whether there is
    /// anything to be said, which is said then.
    fn compare(&mut self, written: &[Lit], accepted: Lit, path: &Path) -> bool {
        let accepted = self.solver.lowering.resolve(accepted);
        let outcome = self
            .solver
            .solve(&[written, &[accepted.negated()]].concat());
        if outcome.is_none() {
            return false;
        }
        let Some(canonical) = self.solver.question(written) else {
            return false;
        };
        let question = (canonical, accepted);
        if self.compared.contains(&question) {
            // Said further out already.
            return true;
        }
        if self.breaks.len() >= self.limit {
            self.unknown(path, "there are more breaks than are listed");
            return true;
        }
        if self.compared.len() >= MAX_DEPTH {
            return self.say_so(
                path,
                Rule::Narrowed,
                "but not everything is accepted",
                &outcome,
            );
        }
        self.compared.push(question);
        let mut said = false;
        for of in Type::ALL {
            for atoms in self.cases(of, written) {
                let case = Written {
                    of,
                    atoms: &atoms,
                    whole: accepted,
                    path,
                };
                said |= self.case(case, accepted);
            }
        }
        self.compared.pop();
        said || self.say_so(
            path,
            Rule::Narrowed,
            "but not everything is accepted",
            &outcome,
        )
    }

    /// The ways in which a value of a type can be written.
    fn cases(&mut self, of: Type, written: &[Lit]) -> Vec<Vec<Lit>> {
        self.solver.ways(of, written, MAX_CASES).unwrap_or_else(|| {
            // Too many to be told apart: what they have in common is looked at instead.
            let is_type = self.solver.lowering.of_type(of);
            vec![[written, &[is_type]].concat()]
        })
    }

    /// Compares one case with a part of what is accepted.
    fn case(&mut self, case: Written<'_>, part: Lit) -> bool {
        let part = self.solver.lowering.resolve(part);
        let outcome = self.solver.solve(&[case.atoms, &[part.negated()]].concat());
        if outcome.is_none() {
            return false;
        }
        if self.solver.is_exhausted() {
            return self.say_so(case.path, Rule::Narrowed, "", &outcome);
        }
        let origin = self.solver.lowering.exprs.origin(part).cloned();
        let said = match (self.solver.lowering.exprs.get(part).clone(), origin) {
            (_, Some(Origin::Variants(variants))) => self.variants(case, &variants),
            (_, Some(Origin::Unevaluated(ways))) => self.unevaluated(case, &ways),
            (Expr::And(parts), None) if !part.is_negative() => self.parts(case, &parts),
            (Expr::Atom(Atom::Each(keys, value)), _) if !part.is_negative() => {
                self.properties(case, part, &keys, value)
            }
            (Expr::Atom(Atom::ItemAt(index, item)), _) if !part.is_negative() => {
                self.item(case, part, index, item)
            }
            (Expr::Atom(Atom::ItemsFrom(index, item)), _) if !part.is_negative() => {
                self.items(case, part, index, item)
            }
            _ => false,
        };
        said || self.refused(case, part)
    }

    /// Compares one case with each of some parts, of which each has something of its own to say.
    /// Where they are many, it is asked of halves of them first whether they refuse anything.
    fn parts(&mut self, case: Written<'_>, parts: &[Lit]) -> bool {
        if parts.len() <= FEW_PARTS {
            let mut said = false;
            for part in parts {
                said |= self.case(case, *part);
            }
            return said;
        }
        let (known, open): (Vec<Lit>, Vec<Lit>) = parts
            .iter()
            .partition(|part| self.is_known_to_be_ambiguous(case.path, **part));
        let mut said = !known.is_empty() && self.refuse_any(case, &known);
        let (left, right) = open.split_at(open.len() / 2);
        for half in [left, right] {
            said |= self.refuse_any(case, half) && self.parts(case, half);
        }
        said
    }

    /// Whether one of some parts refuses something, or may do so.
    fn refuse_any(&mut self, case: Written<'_>, parts: &[Lit]) -> bool {
        let all = self.solver.lowering.exprs.and(parts.iter().copied());
        let outcome = self.solver.solve(&[case.atoms, &[all.negated()]].concat());
        !outcome.is_none()
    }

    /// Whether a part says that a variant must not hold with others, and such a part of the same
    /// value was reported.
    fn is_known_to_be_ambiguous(&self, path: &Path, part: Lit) -> bool {
        matches!(
            self.solver.lowering.exprs.origin(part),
            Some(Origin::Ambiguous)
        ) && self
            .breaks
            .contains_key(&(path.clone(), Rule::VariantAmbiguous))
    }

    /// Says that a case is refused because of a part.
    fn refused(&mut self, case: Written<'_>, part: Lit) -> bool {
        let (rule, step, requirement) = self.reason(case, part);
        let path = match step {
            Some(step) => case.path.join(step),
            None => case.path.clone(),
        };
        if self.breaks.contains_key(&(path.clone(), rule)) {
            return true;
        }
        let outcome = self.typical(case.atoms, &[part.negated()], case.whole);
        self.say_so(&path, rule, &requirement, &outcome)
    }

    /// Says what a search found out. Returns whether anything was said.
    fn say_so(&mut self, path: &Path, rule: Rule, requirement: &str, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::None => false,
            Outcome::Unknown(why) => {
                self.unknown(path, why);
                true
            }
            Outcome::Found(found) => {
                let why = reason::sentence(&found.value, requirement);
                if !self.broken(path, rule, why, found.value.clone()) {
                    let doubt = found.doubt.as_deref();
                    self.unknown(
                        path,
                        doubt.unwrap_or("the document that was found was not confirmed"),
                    );
                }
                true
            }
        }
    }

    /// Notes a break if both validators confirm it.
    fn broken(&mut self, path: &Path, rule: Rule, why: String, value: Value) -> bool {
        let key = (path.clone(), rule);
        if self.breaks.contains_key(&key) {
            return true;
        }
        let Some(document) = self.whole_document(value) else {
            return false;
        };
        if !self.sub.accepts(&document) || !self.sup.refuses(&document) {
            return false;
        }
        self.breaks.insert(
            key,
            Break {
                rule,
                path: path.clone(),
                why,
                document,
            },
        );
        true
    }

    fn unknown(&mut self, path: &Path, why: &str) {
        self.unknowns.insert((path.clone(), why.to_owned()));
    }
}
