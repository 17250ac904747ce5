//! Solves for numbers (bounds and multiples), and for null, true and false.

use std::collections::BTreeSet;
use std::rc::Rc;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use serde_json::Value;

use super::{Outcome, Solver};
use crate::expr::{Atom, Expr, Lit, Scalar};
use crate::number;
use crate::types::Type;

/// How many multiples are tried.
const MAX_TRIES: u32 = 2_000;

/// What is asked of a number.
#[derive(Debug, Default)]
struct Wanted {
    low: Option<(BigRational, bool)>,
    high: Option<(BigRational, bool)>,
    step: Option<BigRational>,
    not_steps: Vec<BigRational>,
    among: Option<BTreeSet<BigRational>>,
    excluded: BTreeSet<BigRational>,
    doubt: Option<Rc<str>>,
}

impl Solver<'_> {
    pub(super) fn solve_number(&self, atoms: &[Lit]) -> Outcome {
        let wanted = self.wanted_number(atoms);
        if let Some(among) = &wanted.among {
            let mut fitting = among.iter().filter(|number| wanted.fits(number));
            return fitting
                .next()
                .map_or(Outcome::None, |number| wanted.outcome(number));
        }
        match &wanted.step {
            Some(step) => wanted.multiple(step),
            None => wanted.any(),
        }
    }

    fn wanted_number(&self, atoms: &[Lit]) -> Wanted {
        let mut wanted = Wanted::default();
        for lit in atoms {
            let Expr::Atom(atom) = self.lowering.exprs.get(*lit) else {
                continue;
            };
            match (atom, lit.is_negative()) {
                (Atom::Above { bound, strict }, false) => wanted.above(bound, *strict),
                (Atom::Above { bound, strict }, true) => wanted.below(bound, !*strict),
                (Atom::Below { bound, strict }, false) => wanted.below(bound, *strict),
                (Atom::Below { bound, strict }, true) => wanted.above(bound, !*strict),
                (Atom::MultipleOf(step), false) => {
                    wanted.step = Some(match &wanted.step {
                        None => step.abs(),
                        Some(other) => number::common_multiple(other, step),
                    });
                }
                (Atom::MultipleOf(step), true) => wanted.not_steps.push(step.abs()),
                (Atom::Scalars(scalars), negative) => {
                    let numbers = scalars.iter().filter_map(|scalar| match scalar {
                        Scalar::Number(number) => Some(number.clone()),
                        _ => None,
                    });
                    if negative {
                        wanted.excluded.extend(numbers);
                    } else {
                        let numbers: BTreeSet<_> = numbers.collect();
                        wanted.among = Some(match wanted.among.take() {
                            None => numbers,
                            Some(others) => others.intersection(&numbers).cloned().collect(),
                        });
                    }
                }
                (Atom::Opaque(_, why), _) => wanted.doubt = Some(Rc::clone(why)),
                _ => {}
            }
        }
        wanted
    }

    /// Null, true or false.
    pub(super) fn solve_constant(&self, of: Type, atoms: &[Lit]) -> Outcome {
        let mut left = match of {
            Type::Null => vec![Scalar::Null],
            _ => vec![Scalar::Boolean(true), Scalar::Boolean(false)],
        };
        let mut doubt = None;
        for lit in atoms {
            match self.lowering.exprs.get(*lit) {
                Expr::Atom(Atom::Scalars(scalars)) => {
                    left.retain(|scalar| scalars.contains(scalar) != lit.is_negative());
                }
                Expr::Atom(Atom::Opaque(_, why)) => doubt = Some(Rc::clone(why)),
                _ => {}
            }
        }
        let value = left.first().and_then(Scalar::to_json);
        value.map_or(Outcome::None, |value| Outcome::found(value, doubt))
    }
}

impl Wanted {
    fn above(&mut self, bound: &BigRational, strict: bool) {
        let tighter = match &self.low {
            None => true,
            Some((old, old_strict)) => bound > old || (bound == old && strict && !old_strict),
        };
        if tighter {
            self.low = Some((bound.clone(), strict));
        }
    }

    fn below(&mut self, bound: &BigRational, strict: bool) {
        let tighter = match &self.high {
            None => true,
            Some((old, old_strict)) => bound < old || (bound == old && strict && !old_strict),
        };
        if tighter {
            self.high = Some((bound.clone(), strict));
        }
    }

    fn in_bounds(&self, number: &BigRational) -> bool {
        let high_enough =
            self.low.as_ref().is_none_or(
                |(low, strict)| {
                    if *strict { number > low } else { number >= low }
                },
            );
        let low_enough = self.high.as_ref().is_none_or(|(high, strict)| {
            if *strict {
                number < high
            } else {
                number <= high
            }
        });
        high_enough && low_enough
    }

    fn fits(&self, number: &BigRational) -> bool {
        self.in_bounds(number)
            && !self.excluded.contains(number)
            && self
                .step
                .as_ref()
                .is_none_or(|step| number::is_multiple(number, step))
            && !self
                .not_steps
                .iter()
                .any(|step| number::is_multiple(number, step))
    }

    fn outcome(&self, number: &BigRational) -> Outcome {
        match number::to_json(number) {
            Some(json) => Outcome::found(Value::Number(json), self.doubt.clone()),
            None => Outcome::unknown("a number that would show it is too long for JSON here"),
        }
    }

    /// Any number: there are always more of them than are left out, if there are two.
    fn any(&self) -> Outcome {
        if let (Some((low, low_strict)), Some((high, high_strict))) = (&self.low, &self.high) {
            if low > high || (low == high && (*low_strict || *high_strict)) {
                return Outcome::None;
            }
            if low == high {
                return if self.fits(low) {
                    self.outcome(low)
                } else {
                    Outcome::None
                };
            }
        }
        let one = BigRational::one();
        let half = &one / BigInt::from(2);
        let mut candidates = vec![BigRational::zero(), one.clone(), -&one];
        let bounds = [&self.low, &self.high]
            .into_iter()
            .flatten()
            .map(|(bound, _)| bound);
        for bound in bounds.clone() {
            let whole = bound.floor();
            candidates.extend([bound.clone(), whole.clone(), &whole + &one, bound - &one]);
            candidates.extend([bound + &half, bound - &half]);
        }
        if let (Some((low, _)), Some((high, _))) = (&self.low, &self.high) {
            for parts in [2, 4, 8, 5, 10, 16, 100, 1024] {
                let step = (high - low) / BigInt::from(parts);
                candidates.extend([low + &step, high - &step]);
            }
        }
        for tenths in [5, 1, 25, 3, 7] {
            candidates.push(BigRational::new(tenths.into(), 10.into()));
            candidates.push(BigRational::new((-tenths).into(), 10.into()));
        }
        for (far, bound) in [(1000, &self.low), (-1000, &self.high)] {
            let bound = bound
                .as_ref()
                .map_or_else(BigRational::zero, |(bound, _)| bound.clone());
            for part in 1..40 {
                let offset = BigRational::new(BigInt::from(far * part + 1), 1000.into());
                candidates.push(&bound + offset);
                candidates.push(bound.floor() + BigInt::from(part * if far > 0 { 1 } else { -1 }));
            }
        }
        let mut fitting = candidates.iter().filter(|number| self.fits(number));
        let found = fitting
            .find_map(number::to_json)
            .or_else(|| self.round_multiple(&one));
        match found {
            Some(json) => Outcome::found(Value::Number(json), self.doubt.clone()),
            None => Outcome::unknown("no number was found that shows it, and there may be one"),
        }
    }

    /// Whether JSON here holds a whole number, and where a float stands for it, that one fits
    /// too: next to 2⁶³, many numbers have the float of the bound.
    fn is_held(&self, number: &BigRational) -> bool {
        number::to_json(number).is_some_and(|json| {
            json.is_i64()
                || json.is_u64()
                || number::as_float(&json).is_some_and(|float| self.fits(&float))
        })
    }

    /// A multiple of `step` that is a round number near the bounds or beyond them: JSON here
    /// holds it where it does not hold the bound's neighbours.
    fn round_multiple(&self, step: &BigRational) -> Option<serde_json::Number> {
        let mut round = Vec::new();
        for (bound, _) in [&self.low, &self.high].into_iter().flatten() {
            let mut unit = step.clone();
            while unit.abs() <= bound.abs() {
                unit *= BigInt::from(10);
                let whole = (bound / &unit).floor();
                for offset in [-1, 0, 1, 2] {
                    let factor = &whole + BigRational::from_integer(offset.into());
                    round.push(&unit * factor);
                }
            }
        }
        let mut fitting = round
            .iter()
            .filter(|number| self.fits(number) && self.is_held(number));
        fitting.find_map(number::to_json)
    }

    /// A multiple of `step`: they are tried from the one nearest to zero, or to a bound.
    fn multiple(&self, step: &BigRational) -> Outcome {
        if self
            .not_steps
            .iter()
            .any(|not| number::is_multiple(step, not))
        {
            return Outcome::None;
        }
        let first = match (&self.low, &self.high) {
            (Some((low, _)), _) if low.is_positive() => (low / step).ceil(),
            (_, Some((high, _))) if high.is_negative() => (high / step).floor(),
            _ => BigRational::zero(),
        };
        let start = first.to_integer();
        let mut long = false;
        let (mut up, mut down) = (true, true);
        for offset in 0..MAX_TRIES {
            let offset = BigInt::from(offset);
            for (going, factor) in [(&mut up, &start + &offset), (&mut down, &start - &offset)] {
                if !*going {
                    continue;
                }
                let number = step * BigRational::from_integer(factor);
                if self.fits(&number) {
                    if !number.is_integer() || self.is_held(&number) {
                        match self.outcome(&number) {
                            Outcome::Unknown(_) => long = true,
                            outcome => return outcome,
                        }
                    } else {
                        long = true;
                    }
                }
                // Past a bound, all further ones are as well.
                *going = offset.is_zero() || self.in_bounds(&number);
            }
            if !up && !down {
                break;
            }
        }
        if let Some(json) = self.round_multiple(step) {
            return Outcome::found(Value::Number(json), self.doubt.clone());
        }
        if up || down {
            return Outcome::unknown("no multiple was found that shows it, and there may be one");
        }
        if long {
            return Outcome::unknown("a number that would show it is too long for JSON here");
        }
        Outcome::None
    }
}
