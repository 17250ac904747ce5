//! Tells apart the ways in which a value of a type can be written.

use super::Solver;
use super::case::{Case, Glances};
use crate::expr::{Lit, Origin};
use crate::types::Type;

/// How many choices may follow each other.
const MAX_DEPTH: usize = 200;
/// How many choices that are not between variants are made.
const MAX_CHOICES: usize = 24;

/// How many choices are looked through in one step.
const CHOICES_OF_STEP: u64 = 32;

/// What is left to choose in a case.
enum Choice {
    /// Nothing fits: the case contradicts itself.
    Contradiction,
    /// Nothing: all choices are made.
    Settled,
    /// One of these.
    Among(Vec<Lit>),
}

/// Which choices are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choices {
    /// Those between variants: `anyOf` and `oneOf`.
    Variants,
    All,
}

impl Solver<'_> {
    /// The ways in which values of a type satisfy all of `lits`, each a list of literals: first
    /// by their variants, then by whatever else is left to choose, as far as these are not too
    /// many. `None` if even the variants are more than `most`.
    pub(crate) fn ways(&mut self, of: Type, lits: &[Lit], most: usize) -> Option<Vec<Vec<Lit>>> {
        let mut case = Case::new(of);
        if !self.assume(&mut case, lits.to_vec()) {
            return Some(Vec::new());
        }
        let by_variant = self.collect(case, Choices::Variants, most)?;
        let mut ways = Vec::new();
        let room = most / by_variant.len().max(1);
        for mut case in by_variant {
            if !self.settle(&mut case) {
                continue;
            }
            let whole = self.of_case(&case);
            let further = if case.choices.len() > MAX_CHOICES {
                None
            } else {
                self.collect(case, Choices::All, room)
            };
            match further {
                Some(further) => ways.extend(further.iter().map(|case| self.of_case(case))),
                None => ways.push(whole),
            }
        }
        Some(ways)
    }

    /// The cases in a case. `None` if there are more than `most`, or too many steps would be
    /// taken.
    fn collect(&mut self, case: Case, choices: Choices, most: usize) -> Option<Vec<Case>> {
        let mut open = vec![(case, 0)];
        let mut found = Vec::new();
        while let Some((mut case, depth)) = open.pop() {
            if !self.step() || depth > MAX_DEPTH {
                return None;
            }
            let choice = self.narrowest(&mut case, choices);
            if self.is_exhausted() {
                return None;
            }
            match choice {
                Choice::Contradiction => {}
                Choice::Settled => {
                    let lits = self.of_case(&case);
                    if !self.solve(&lits).is_none() {
                        found.push(case);
                    }
                    if found.len() > most {
                        return None;
                    }
                }
                Choice::Among(options) => {
                    // The last that is put aside is taken up first.
                    for option in options.into_iter().rev() {
                        let mut inner = case.clone();
                        if self.assume(&mut inner, vec![option]) {
                            open.push((inner, depth + 1));
                        }
                    }
                }
            }
        }
        Some(found)
    }

    /// Makes the choices that leave one option, and drops those that are made already, as a
    /// variant decides most of what else was left open. Returns false if nothing fits.
    fn settle(&mut self, case: &mut Case) -> bool {
        let mut at = 0;
        let mut looked: u64 = 0;
        let mut glances = Glances::default();
        while at < case.choices.len() {
            if looked.is_multiple_of(CHOICES_OF_STEP) && !self.step() {
                return true;
            }
            looked += 1;
            let choice = case.choices[at];
            let Some(options) = self.options(case, choice, &mut glances) else {
                case.choices.swap_remove(at);
                continue;
            };
            match options.len() {
                0 => return false,
                1 => {
                    case.choices.swap_remove(at);
                    if !self.assume(case, options) {
                        return false;
                    }
                    // What is known now may decide those before it.
                    at = 0;
                    glances.clear();
                }
                _ => at += 1,
            }
        }
        true
    }

    /// All that a case says, with its type.
    fn of_case(&mut self, case: &Case) -> Vec<Lit> {
        let is_type = self.lowering.of_type(case.of);
        [case.atoms.as_slice(), &case.choices, &[is_type]].concat()
    }

    /// Takes the choice with the fewest options out of a case; those that are made already,
    /// or leave one option only, are settled.
    fn narrowest(&mut self, case: &mut Case, choices: Choices) -> Choice {
        loop {
            let mut narrowest: Option<(usize, Vec<Lit>)> = None;
            let mut forced = None;
            let mut at = 0;
            let mut glances = Glances::default();
            while at < case.choices.len() {
                let choice = case.choices[at];
                if choices == Choices::Variants && !self.is_between_variants(choice) {
                    at += 1;
                    continue;
                }
                if !self.step() {
                    return Choice::Settled;
                }
                match self.options(case, choice, &mut glances) {
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

    fn is_between_variants(&self, choice: Lit) -> bool {
        matches!(
            self.lowering.exprs.origin(choice),
            Some(Origin::Variants(_))
        )
    }
}
