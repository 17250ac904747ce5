//! Compares properties of objects and items of arrays.

use std::rc::Rc;

use super::document::{Frame, Place};
use super::{Diff, Written};
use crate::expr::{Atom, Keys, Lit};
use crate::path::Step;
use crate::rule::Rule;

/// Of how many items each has a path of its own, where what is written tells them apart.
const MAX_INDEXES: usize = 64;

impl Diff<'_> {
    /// Compares the properties with such keys.
    pub(super) fn properties(
        &mut self,
        case: Written<'_>,
        part: Lit,
        keys: &Keys,
        value: Lit,
    ) -> bool {
        let shape = self.solver.object_shape(case.atoms);
        let mut said = false;
        let named: Vec<Rc<str>> = match keys {
            Keys::Name(name) => vec![Rc::clone(name)],
            keys => {
                let mentioned = shape.mentioned.iter().cloned();
                mentioned
                    .filter(|name| self.solver.applies(keys, name) == Some(true))
                    .collect()
            }
        };
        for name in named {
            let mut written = self.solver.value_of(&shape, &name);
            written.extend(shape.required.get(&name).into_iter().flatten());
            let step = Step::Key(name.as_ref().to_owned());
            said |= self.property(case, &name, &written, value, step);
        }
        if matches!(keys, Keys::Name(_)) {
            return said;
        }
        // Names that are mentioned on neither side.
        let both = [case.atoms, &[part.negated()]].concat();
        let both = self.solver.object_shape(&both);
        let (fresh, missed) = self.solver.fresh_keys(&both, &[], both.wanted());
        if let Some(why) = missed {
            self.unknown(&case.path.join(Step::EveryKey), &why);
        }
        for fresh in fresh {
            let written = self.solver.value_of(&shape, &fresh.name);
            said |= self.property(case, &fresh.name, &written, value, Step::EveryKey);
        }
        said
    }

    fn property(
        &mut self,
        case: Written<'_>,
        name: &Rc<str>,
        written: &[Lit],
        accepted: Lit,
        step: Step,
    ) -> bool {
        let there = self
            .solver
            .lowering
            .exprs
            .atom(Atom::Required(Rc::clone(name)));
        if self
            .solver
            .solve(&[case.atoms, &[there]].concat())
            .is_none()
        {
            return false;
        }
        let path = case.path.join(step);
        if accepted == Lit::FALSE {
            let outcome = self.typical(case.atoms, &[there], case.whole);
            let requirement = format!("but the property {name:?} is refused");
            return self.say_so(&path, Rule::PropertyRefused, &requirement, &outcome);
        }
        self.frames.push(Frame {
            atoms: case.atoms.to_vec(),
            whole: case.whole,
            place: Place::Key(Rc::clone(name)),
        });
        let said = self.compare(written, accepted, &path);
        self.frames.pop();
        said
    }

    /// Compares the item at an index.
    pub(super) fn item(&mut self, case: Written<'_>, part: Lit, index: usize, item: Lit) -> bool {
        self.item_as(case, part, index, item, Step::Index(index))
    }

    /// Compares the items from an index on.
    pub(super) fn items(&mut self, case: Written<'_>, part: Lit, from: usize, item: Lit) -> bool {
        let shape = self.solver.array_shape(case.atoms);
        let tail = shape.tail().max(from);
        if item == Lit::FALSE {
            return self.item_as(case, part, from, item, Step::Index(from));
        }
        let mut said = false;
        for index in (from..tail).take(MAX_INDEXES) {
            said |= self.item_as(case, part, index, item, Step::Index(index));
        }
        self.item_as(case, part, tail, item, Step::EveryItem) || said
    }

    fn item_as(
        &mut self,
        case: Written<'_>,
        part: Lit,
        index: usize,
        accepted: Lit,
        step: Step,
    ) -> bool {
        let shape = self.solver.array_shape(case.atoms);
        let there = self
            .solver
            .lowering
            .exprs
            .atom(Atom::MinItems(index as u64 + 1));
        if self
            .solver
            .solve(&[case.atoms, &[there]].concat())
            .is_none()
        {
            return false;
        }
        let path = case.path.join(step);
        if accepted == Lit::FALSE {
            let outcome = self.typical(case.atoms, &[part.negated()], case.whole);
            let requirement = format!("but no item is accepted at index {index}");
            return self.say_so(&path, Rule::ItemRefused, &requirement, &outcome);
        }
        self.frames.push(Frame {
            atoms: case.atoms.to_vec(),
            whole: case.whole,
            place: Place::Item(index),
        });
        let said = self.compare(&shape.item(index), accepted, &path);
        self.frames.pop();
        said
    }
}
