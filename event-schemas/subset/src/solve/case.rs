//! The assumptions of a search about one value, added and withdrawn one by one.

use std::collections::BTreeSet;
use std::rc::Rc;

use foldhash::{HashMap, HashSet, HashSetExt};

use super::Solver;
use crate::expr::{Atom, Expr, Keys, Lit};
use crate::types::Type;

/// How deep conjunctions are looked into for what holds at a glance.
const DEPTH: usize = 3;
/// From how many parts on the answer for a conjunction is remembered.
const MANY_PARTS: usize = 8;

/// Remembers whether a conjunction holds, seen at a glance from a depth. It is valid for one case,
/// whose choices often contain the same conjunctions.
pub(super) type Glances = HashMap<(Lit, usize), Option<bool>>;

/// Assumptions about values of one type.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) of: Type,
    /// Assertions about the type.
    pub(super) atoms: Vec<Lit>,
    /// Choices that are to be made: negated conjunctions.
    pub(super) choices: Vec<Lit>,
    /// All that was assumed: atoms, choices, and conjunctions as a whole.
    assumed: Vec<Lit>,
    known: HashSet<Lit>,
    /// The names besides which an object has no properties, as often as that was assumed.
    closed: Vec<Rc<BTreeSet<Rc<str>>>>,
}

/// A state of a [`Case`] to go back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    atoms: usize,
    choices: usize,
    assumed: usize,
    closed: usize,
}

impl Case {
    pub(super) fn new(of: Type) -> Self {
        Self {
            of,
            atoms: Vec::new(),
            choices: Vec::new(),
            assumed: Vec::new(),
            known: HashSet::new(),
            closed: Vec::new(),
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            atoms: self.atoms.len(),
            choices: self.choices.len(),
            assumed: self.assumed.len(),
            closed: self.closed.len(),
        }
    }

    /// Takes back what was assumed since a mark. No choice may have been removed since.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.atoms.truncate(mark.atoms);
        self.choices.truncate(mark.choices);
        self.closed.truncate(mark.closed);
        for lit in self.assumed.drain(mark.assumed..) {
            self.known.remove(&lit);
        }
    }

    /// The atoms that were assumed since a mark.
    pub(super) fn atoms_since(&self, mark: Mark) -> &[Lit] {
        &self.atoms[mark.atoms..]
    }

    /// Whether a property cannot be there, since an object has none besides others.
    fn is_closed_to(&self, name: &str) -> bool {
        self.closed.iter().any(|names| !names.contains(name))
    }

    /// Notes an assumption. Returns whether it is a new one.
    fn learn(&mut self, lit: Lit) -> bool {
        let is_new = self.known.insert(lit);
        if is_new {
            self.assumed.push(lit);
        }
        is_new
    }
}

impl Solver<'_> {
    /// Adds literals to a case. Returns false if it contradicts itself then.
    pub(super) fn assume(&mut self, case: &mut Case, mut open: Vec<Lit>) -> bool {
        while let Some(lit) = open.pop() {
            let lit = self.lowering.resolve(lit);
            if case.known.contains(&lit.negated()) {
                return false;
            }
            match self.lowering.exprs.get(lit) {
                Expr::And(parts) if !lit.is_negative() => {
                    if case.learn(lit) {
                        open.extend(parts.iter().copied());
                    }
                }
                Expr::And(_) => {
                    if case.learn(lit) {
                        case.choices.push(lit);
                    }
                }
                Expr::True | Expr::Node(..) => {
                    if lit.is_negative() {
                        return false;
                    }
                }
                Expr::Atom(atom) => {
                    let holds = of_type(atom, case.of).map(|holds| holds != lit.is_negative());
                    if holds == Some(false) {
                        return false;
                    }
                    if holds.is_none() && case.learn(lit) {
                        case.atoms.push(lit);
                        if let Some(names) = closing(atom, lit) {
                            case.closed.push(names);
                        }
                    }
                }
            }
        }
        true
    }

    /// The options of a choice. `None` if one of them holds already.
    pub(super) fn options(
        &mut self,
        case: &Case,
        choice: Lit,
        glances: &mut Glances,
    ) -> Option<Vec<Lit>> {
        let Expr::And(parts) = self.lowering.exprs.get(choice) else {
            return Some(vec![choice]);
        };
        let parts = Rc::clone(parts);
        self.steps = self.steps.saturating_sub(parts.len() as u64 / 32);
        let mut options = Vec::with_capacity(parts.len());
        for part in parts.iter() {
            match self.holds(case, *part, 0, glances) {
                Some(false) => return None,
                Some(true) => {}
                None => options.push(part.negated()),
            }
        }
        if options.len() > 1 && self.lowering.exprs.are_disjoint(&case.atoms, &parts) {
            return None;
        }
        options.retain(|option| !self.lowering.exprs.are_disjoint(&case.atoms, &[*option]));
        Some(options)
    }

    /// Whether a literal holds, or does not, for all values of a case, seen at a glance.
    fn holds(
        &mut self,
        case: &Case,
        lit: Lit,
        depth: usize,
        glances: &mut Glances,
    ) -> Option<bool> {
        let lit = self.lowering.resolve(lit);
        if case.known.contains(&lit) {
            return Some(true);
        }
        if case.known.contains(&lit.negated()) {
            return Some(false);
        }
        let positively = match self.lowering.exprs.get(lit) {
            Expr::True => Some(true),
            Expr::And(parts) if depth < DEPTH => {
                let parts = Rc::clone(parts);
                let positive = if lit.is_negative() {
                    lit.negated()
                } else {
                    lit
                };
                let key = (positive, depth);
                let is_many = parts.len() >= MANY_PARTS;
                if let Some(known) = glances.get(&key).filter(|_| is_many) {
                    *known
                } else {
                    let all = self.all_hold(case, &parts, depth + 1, glances);
                    if is_many {
                        glances.insert(key, all);
                    }
                    all
                }
            }
            Expr::Atom(Atom::Required(name)) if case.is_closed_to(name) => Some(false),
            Expr::Atom(atom) => of_type(atom, case.of),
            Expr::And(_) | Expr::Node(..) => None,
        };
        positively.map(|holds| holds != lit.is_negative())
    }

    /// Whether all literals hold, or one does not.
    fn all_hold(
        &mut self,
        case: &Case,
        lits: &[Lit],
        depth: usize,
        glances: &mut Glances,
    ) -> Option<bool> {
        let mut all = Some(true);
        for lit in lits {
            match self.holds(case, *lit, depth, glances) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }
}

/// The names besides which an object has no properties if an assertion holds.
fn closing(atom: &Atom, lit: Lit) -> Option<Rc<BTreeSet<Rc<str>>>> {
    match atom {
        Atom::Each(Keys::Rest { names, patterns }, Lit::FALSE)
            if patterns.is_empty() && !lit.is_negative() =>
        {
            Some(Rc::clone(names))
        }
        _ => None,
    }
}

/// Whether an assertion holds for all values of a type, or for none.
fn of_type(atom: &Atom, of: Type) -> Option<bool> {
    match atom {
        Atom::Types(types) => Some(types.contains(of)),
        Atom::Scalars(scalars) => {
            if scalars.iter().any(|scalar| scalar.of_type() == of) {
                None
            } else {
                Some(false)
            }
        }
        atom if atom.about() != Some(of) => Some(true),
        _ => None,
    }
}
