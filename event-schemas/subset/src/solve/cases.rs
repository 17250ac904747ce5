//! Splits a problem into cases of one type without disjunctions.

use std::rc::Rc;

use super::Solver;
use crate::expr::{Atom, Expr, Lit};
use crate::types::Type;

/// How many choices may follow each other.
const MAX_CHOICES: usize = 200;

/// What is called for each case; it returns whether it wants another one.
type Visit<'v, 'a> = dyn FnMut(&mut Solver<'a>, &[Lit]) -> bool + 'v;

/// A case that is being made.
#[derive(Clone, Debug)]
struct Case {
    of: Type,
    /// Assertions about the type.
    atoms: Vec<Lit>,
    /// Choices that are still to be made: negated conjunctions.
    choices: Vec<Lit>,
    depth: usize,
}

/// What is left to choose in a case.
enum Choice {
    /// Nothing fits: the case contradicts itself.
    Contradiction,
    /// Nothing: all choices are made.
    Settled,
    /// One of these.
    Among(Vec<Lit>),
}

impl<'a> Solver<'a> {
    /// Calls `visit` for each case of values of a type that satisfy all of `lits`, until it
    /// returns false.
    ///
    /// # Errors
    ///
    /// Why not all cases were visited.
    pub(crate) fn cases(
        &mut self,
        of: Type,
        lits: &[Lit],
        visit: &mut Visit<'_, 'a>,
    ) -> Result<(), Rc<str>> {
        let mut case = Case {
            of,
            atoms: Vec::new(),
            choices: Vec::new(),
            depth: 0,
        };
        if self.assume(&mut case, lits.to_vec()) {
            self.split(case, visit).map(|_| ())
        } else {
            Ok(())
        }
    }

    /// Visits all cases in a case. Returns whether another one is wanted.
    fn split(&mut self, mut case: Case, visit: &mut Visit<'_, 'a>) -> Result<bool, Rc<str>> {
        if !self.step() || case.depth > MAX_CHOICES {
            return Err(exhausted());
        }
        let choice = self.narrowest(&mut case);
        if self.is_exhausted() {
            return Err(exhausted());
        }
        let options = match choice {
            Choice::Contradiction => return Ok(true),
            Choice::Settled => return Ok(visit(self, &case.atoms)),
            Choice::Among(options) => options,
        };
        let mut failed = None;
        for option in options {
            let mut inner = case.clone();
            inner.depth += 1;
            if self.assume(&mut inner, vec![option]) {
                match self.split(inner, visit) {
                    Ok(true) => {}
                    Ok(false) => return Ok(false),
                    Err(why) => failed = Some(why),
                }
                if self.is_exhausted() {
                    break;
                }
            }
        }
        failed.map_or(Ok(true), Err)
    }

    /// Takes the choice with the fewest options out of a case; those that are made already,
    /// or leave one option only, are settled.
    fn narrowest(&mut self, case: &mut Case) -> Choice {
        loop {
            let mut narrowest: Option<(usize, Vec<Lit>)> = None;
            let mut forced = None;
            let mut at = 0;
            while at < case.choices.len() {
                if !self.step() {
                    return Choice::Settled;
                }
                match self.options(case, case.choices[at]) {
                    None => {
                        case.choices.swap_remove(at);
                        continue;
                    }
                    Some(options) if options.is_empty() => return Choice::Contradiction,
                    Some(options) if options.len() == 1 => {
                        case.choices.swap_remove(at);
                        forced = Some(options);
                        break;
                    }
                    Some(options) => {
                        if narrowest
                            .as_ref()
                            .is_none_or(|(_, few)| options.len() < few.len())
                        {
                            narrowest = Some((at, options));
                        }
                    }
                }
                at += 1;
            }
            match (forced, narrowest) {
                (Some(forced), _) => {
                    if !self.assume(case, forced) {
                        return Choice::Contradiction;
                    }
                }
                (None, Some((at, options))) => {
                    case.choices.swap_remove(at);
                    return Choice::Among(options);
                }
                (None, None) => return Choice::Settled,
            }
        }
    }

    /// What can be chosen. `None` if one of them holds already.
    fn options(&mut self, case: &Case, choice: Lit) -> Option<Vec<Lit>> {
        let Expr::And(parts) = self.lowering.exprs.get(choice) else {
            return Some(vec![choice]);
        };
        let parts = Rc::clone(parts);
        self.steps = self.steps.saturating_sub(parts.len() as u64 / 8);
        let mut options = Vec::with_capacity(parts.len());
        for part in parts.iter() {
            match self.holds(case, *part, 0) {
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
    fn holds(&mut self, case: &Case, lit: Lit, depth: usize) -> Option<bool> {
        let lit = self.lowering.resolve(lit);
        if case.atoms.contains(&lit) {
            return Some(true);
        }
        if case.atoms.contains(&lit.negated()) {
            return Some(false);
        }
        let positively = match self.lowering.exprs.get(lit) {
            Expr::True => Some(true),
            Expr::And(parts) if depth < 3 => {
                let parts = Rc::clone(parts);
                let mut all = Some(true);
                for part in parts.iter() {
                    match self.holds(case, *part, depth + 1) {
                        Some(true) => {}
                        Some(false) => {
                            all = Some(false);
                            break;
                        }
                        None => all = None,
                    }
                }
                all
            }
            Expr::Atom(atom) => of_type(atom, case.of),
            Expr::And(_) | Expr::Node(..) => None,
        };
        positively.map(|holds| holds != lit.is_negative())
    }

    /// Adds literals to a case. Returns false if it contradicts itself then.
    fn assume(&mut self, case: &mut Case, mut open: Vec<Lit>) -> bool {
        while let Some(lit) = open.pop() {
            let lit = self.lowering.resolve(lit);
            match self.lowering.exprs.get(lit) {
                Expr::And(parts) if !lit.is_negative() => open.extend(parts.iter().copied()),
                Expr::And(_) => {
                    if !case.choices.contains(&lit) {
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
                    if holds == Some(false) || case.atoms.contains(&lit.negated()) {
                        return false;
                    }
                    if holds.is_none() && !case.atoms.contains(&lit) {
                        case.atoms.push(lit);
                    }
                }
            }
        }
        true
    }
}

fn exhausted() -> Rc<str> {
    "the search was given up after as many steps as it may take".into()
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
