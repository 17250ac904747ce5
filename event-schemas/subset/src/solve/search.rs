//! Searches for a value of one type that satisfies a case.
//!
//! A question may leave many choices: "one of these 200 variants, and none of those 200". The
//! choices are not made in turn. A value is found for the current assumptions, and the next choice
//! is one that this value contradicts. If variants differ in a tag, a value of one variant
//! contradicts only that variant. So the work grows with the number of variants, and not with the
//! number of their combinations.

use std::rc::Rc;

use super::case::{Case, Glances};
use super::{Best, Outcome, Solver};
use crate::expr::{Expr, Lit};
use crate::types::Type;

/// How many choices may follow each other.
const MAX_CHOICES: usize = 400;
/// How many choices are held against a value in one step.
const CHOICES_OF_STEP: u64 = 32;

/// The choice that is to be made next.
enum Next {
    /// The assumptions contradict each other.
    Contradiction,
    /// No choice is left.
    Settled,
    /// One of these has to be assumed.
    Among(Vec<Lit>),
}

impl Solver<'_> {
    /// Adds to `best` what is found among the values of a type. Returns whether none can be
    /// better.
    pub(super) fn search_type(&mut self, of: Type, lits: &[Lit], best: &mut Best) -> bool {
        let mut case = Case::new(of);
        if !self.assume(&mut case, lits.to_vec()) {
            return false;
        }
        match self.explore(&mut case, None, 0, best) {
            Ok(done) => done,
            Err(why) => best.take(Outcome::Unknown(why)),
        }
    }

    /// Searches all values of a case. `model` is one that satisfies its atoms, if one is known.
    ///
    /// # Errors
    ///
    /// Why not all of them were searched.
    fn explore(
        &mut self,
        case: &mut Case,
        model: Option<Outcome>,
        depth: usize,
        best: &mut Best,
    ) -> Result<bool, Rc<str>> {
        if !self.steps_of_choices(case) || depth > MAX_CHOICES {
            return Err(super::too_many_steps());
        }
        let model = match model {
            Some(model) => model,
            None => self.solve_case(case.of, &case.atoms),
        };
        if model.is_none() {
            return Ok(false);
        }
        let next = self.next_choice(case, &model);
        if self.is_exhausted() {
            return Err(super::too_many_steps());
        }
        let options = match next {
            Next::Contradiction => return Ok(false),
            Next::Settled => return Ok(best.take(model)),
            Next::Among(options) => options,
        };
        let mark = case.mark();
        let mut failed = None;
        for option in options {
            if self.assume(case, vec![option]) {
                let kept = self.kept(&model, case.atoms_since(mark));
                match self.explore(case, kept, depth + 1, best) {
                    Ok(true) => return Ok(true),
                    Ok(false) => {}
                    Err(why) => failed = Some(why),
                }
            }
            case.back_to(mark);
            if self.is_exhausted() {
                return Err(super::too_many_steps());
            }
        }
        failed.map_or(Ok(false), Err)
    }

    /// The model, if it satisfies these atoms too.
    fn kept(&self, model: &Outcome, atoms: &[Lit]) -> Option<Outcome> {
        let Outcome::Found(found) = model else {
            return None;
        };
        atoms
            .iter()
            .all(|atom| self.satisfies(&found.value, *atom) == Some(true))
            .then(|| model.clone())
    }

    /// The choice with the fewest options among those that the model contradicts. A choice
    /// between whole variants comes before one between the ways to miss a variant, since a
    /// variant says which of those are left.
    fn next_choice(&mut self, case: &Case, model: &Outcome) -> Next {
        let mut narrowest: Option<((bool, usize), Vec<Lit>)> = None;
        let mut glances = Glances::default();
        for choice in &case.choices {
            if let Outcome::Found(found) = model
                && self.satisfies(&found.value, *choice) == Some(true)
            {
                continue;
            }
            let Some(options) = self.options(case, *choice, &mut glances) else {
                continue;
            };
            match options.len() {
                0 => return Next::Contradiction,
                1 => return Next::Among(options),
                _ => {}
            }
            let exprs = &self.lowering.exprs;
            let is_whole = |option: &&Lit| {
                !option.is_negative() && matches!(exprs.get(**option), Expr::And(_))
            };
            let whole = options.iter().filter(is_whole).count();
            let rank = (whole * 2 < options.len(), options.len());
            if narrowest.as_ref().is_none_or(|(least, _)| rank < *least) {
                narrowest = Some((rank, options));
            }
        }
        narrowest.map_or(Next::Settled, |(_, options)| Next::Among(options))
    }

    /// Takes the steps to look through the choices of a case. Returns whether they were left.
    fn steps_of_choices(&mut self, case: &Case) -> bool {
        let cost = 1 + case.choices.len() as u64 / CHOICES_OF_STEP;
        self.steps = self.steps.saturating_sub(cost);
        !self.is_exhausted()
    }
}
