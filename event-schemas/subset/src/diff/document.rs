//! Builds counterexample documents that differ from a typical one in a single place.

use std::rc::Rc;

use serde_json::Value;

use super::Diff;
use crate::expr::{Atom, Expr, Keys, Lit};
use crate::solve::Outcome;

/// A value around the one that is compared, and where in it that stands.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) atoms: Vec<Lit>,
    pub(super) whole: Lit,
    pub(super) place: Place,
}

/// Where in a value another one stands.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Key(Rc<str>),
    Item(usize),
}

impl Diff<'_> {
    /// The whole document with a value in its place.
    pub(super) fn whole_document(&mut self, value: Value) -> Option<Value> {
        let mut value = value;
        for at in (0..self.frames.len()).rev() {
            let frame = self.frames[at].clone();
            let constant = self.solver.lowering.constant(&value).negated();
            let held = match frame.place {
                Place::Key(name) => Atom::Each(Keys::Name(name), constant),
                Place::Item(index) => Atom::ItemAt(index, constant),
            };
            let held = self.solver.lowering.exprs.atom(held).negated();
            match self.typical(&frame.atoms, &[held], frame.whole) {
                Outcome::Found(found) => value = found.value.clone(),
                Outcome::None | Outcome::Unknown(_) => return None,
            }
        }
        Some(value)
    }

    /// A value that satisfies `atoms` and `shown`, and of what is accepted as much as there
    /// can be along with it.
    pub(super) fn typical(&mut self, atoms: &[Lit], shown: &[Lit], whole: Lit) -> Outcome {
        let mut lits = [atoms, shown].concat();
        let bare = self.solver.solve(&lits);
        if !matches!(bare, Outcome::Found(_)) {
            return bare;
        }
        let whole = self.solver.lowering.resolve(whole);
        let parts: Vec<Lit> = match self.solver.lowering.exprs.get(whole) {
            Expr::And(parts) if !whole.is_negative() => parts.to_vec(),
            _ => Vec::new(),
        };
        let mut best = bare;
        self.keep(&parts, &mut lits, &mut best);
        best
    }

    /// Adds as many of some parts as there can be: all at once, or else half by half.
    fn keep(&mut self, parts: &[Lit], lits: &mut Vec<Lit>, best: &mut Outcome) {
        if parts.is_empty() {
            return;
        }
        let before = lits.len();
        lits.extend(parts);
        if let found @ Outcome::Found(_) = self.solver.solve(lits) {
            *best = found;
            return;
        }
        lits.truncate(before);
        if parts.len() > 1 {
            let (left, right) = parts.split_at(parts.len() / 2);
            self.keep(left, lits, best);
            self.keep(right, lits, best);
        }
    }
}
