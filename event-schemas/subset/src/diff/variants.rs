//! Compares a written schema with variants of which one must accept it.

use super::{Diff, Written};
use crate::expr::Lit;
use crate::rule::Rule;

impl Diff<'_> {
    /// Compares a case with the variants of which one has to accept it.
    pub(super) fn variants(&mut self, case: Written<'_>, variants: &[Lit]) -> bool {
        if let Some(variant) = self.only_candidate(case, variants) {
            return self.case(case, variant);
        }
        if let Some(variant) = self.nearest(case, variants) {
            // What the others refuse as well.
            let others = variants.iter().copied();
            let others =
                others.filter(|other| self.solver.lowering.exprs.resolved(*other) != Some(variant));
            let refused: Vec<Lit> = others.map(Lit::negated).collect();
            let atoms = [case.atoms, &refused].concat();
            let case = Written {
                atoms: &atoms,
                ..case
            };
            return self.case(case, variant);
        }
        let exprs = &mut self.solver.lowering.exprs;
        let is_type = !variants
            .iter()
            .any(|variant| exprs.types_of(&[*variant]).contains(case.of));
        let (rule, requirement) = if is_type {
            (
                Rule::TypeNarrowed,
                format!("but {} is not accepted", case.of.noun()),
            )
        } else {
            let count = variants.len();
            (
                Rule::VariantRemoved,
                format!("but none of the {count} variants accepts it"),
            )
        };
        if self.breaks.contains_key(&(case.path.clone(), rule)) {
            return true;
        }
        let either = self.solver.lowering.exprs.or(variants.iter().copied());
        let outcome = self.typical(case.atoms, &[either.negated()], case.whole);
        self.say_so(case.path, rule, &requirement, &outcome)
    }

    /// Compares a case with what is asked of parts that are not evaluated, in the only way to
    /// evaluate that it can take.
    pub(super) fn unevaluated(&mut self, case: Written<'_>, ways: &[(Lit, Lit)]) -> bool {
        let guards: Vec<Lit> = ways.iter().map(|(guard, _)| *guard).collect();
        let Some(only) = self.only_candidate(case, &guards) else {
            return false;
        };
        let taken: Vec<Lit> = ways
            .iter()
            .filter(|(guard, _)| *guard == only)
            .map(|(_, rest)| *rest)
            .collect();
        match taken.as_slice() {
            [rest] => self.case(case, *rest),
            _ => false,
        }
    }

    /// The only one of some variants that could be meant.
    fn only_candidate(&mut self, case: Written<'_>, variants: &[Lit]) -> Option<Lit> {
        let mut alike: Vec<Lit> = variants.to_vec();
        alike.retain(|variant| {
            let variant = self.solver.lowering.resolve(*variant);
            !self
                .solver
                .lowering
                .exprs
                .are_unlike(case.atoms, &[variant])
        });
        if let [one] = alike.as_slice() {
            return Some(*one);
        }
        let mut left = alike;
        left.retain(|variant| {
            let variant = self.solver.lowering.resolve(*variant);
            !self
                .solver
                .lowering
                .exprs
                .are_disjoint(case.atoms, &[variant])
        });
        if let [one] = left.as_slice() {
            return Some(*one);
        }
        let mut possible = left.into_iter().filter(|variant| {
            let outcome = self.solver.solve(&[case.atoms, &[*variant]].concat());
            !outcome.is_none()
        });
        possible.next().filter(|_| possible.next().is_none())
    }

    /// The variant with which what is written shares most properties by name.
    fn nearest(&mut self, case: Written<'_>, variants: &[Lit]) -> Option<Lit> {
        let mut nearest: Option<(usize, Lit)> = None;
        let mut is_only = false;
        for variant in variants {
            let variant = self.solver.lowering.resolve(*variant);
            let exprs = &mut self.solver.lowering.exprs;
            if !exprs.types_of(&[variant]).contains(case.of) {
                continue;
            }
            let Some(shared) = exprs.similarity(case.atoms, variant).filter(|n| *n > 0) else {
                continue;
            };
            match nearest {
                Some((most, _)) if shared < most => {}
                Some((most, _)) if shared == most => is_only = false,
                _ => (nearest, is_only) = (Some((shared, variant)), true),
            }
        }
        nearest.filter(|_| is_only).map(|(_, variant)| variant)
    }
}
