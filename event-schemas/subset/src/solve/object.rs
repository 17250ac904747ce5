//! Solves for objects: which properties, and a value for each.

mod shape;

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Map, Value};

pub(crate) use shape::{Fresh, ObjectShape, Somewhere};

use super::{Best, Outcome, Solver};
use crate::expr::{Keys, Lit};

/// How many properties an object may get only because there must be so many.
const MAX_FILLERS: u64 = 300;
/// How many choices are made for the keys of an object.
const MAX_CHOICES: u32 = 4_000;

/// The properties of an object while they are chosen.
type Members = Vec<(Rc<str>, Vec<Lit>)>;

impl Solver<'_> {
    pub(super) fn solve_object(&mut self, atoms: &[Lit]) -> Outcome {
        let shape = self.object_shape(atoms);
        if shape
            .max
            .is_some_and(|max| max < shape.min.max(shape.required.len() as u64))
            || shape
                .required
                .keys()
                .any(|name| shape.forbidden.contains(name))
        {
            return Outcome::None;
        }
        let mut members = Members::new();
        // First those of which something special is asked: they decide most often.
        let (special, plain): (Vec<_>, Vec<_>) = shape
            .required
            .iter()
            .partition(|(_, extra)| !extra.is_empty());
        for (name, extra) in special.into_iter().chain(plain) {
            let mut lits = self.value_of(&shape, name);
            lits.extend(extra);
            if self.member(&shape, name, &lits).is_none() {
                return Outcome::None;
            }
            members.push((Rc::clone(name), lits));
        }
        let mut choices = MAX_CHOICES;
        self.place_somewhere(&shape, &members, &shape.somewhere, &mut choices)
    }

    /// Whether an object of this shape can have a property with such a value.
    fn member(&mut self, shape: &ObjectShape, name: &Rc<str>, lits: &[Lit]) -> Outcome {
        if !shape.names.is_empty() {
            let mut of_name = shape.names.clone();
            of_name.push(self.text(name));
            if self.solve(&of_name).is_none() {
                return Outcome::None;
            }
        }
        self.solve(lits)
    }

    /// Chooses a key for each property that must be somewhere.
    fn place_somewhere(
        &mut self,
        shape: &ObjectShape,
        members: &Members,
        open: &[Somewhere],
        choices: &mut u32,
    ) -> Outcome {
        let Some((wanted, rest)) = open.split_first() else {
            return self.fill_object(shape, members);
        };
        if *choices == 0 {
            return Outcome::unknown("there are too many ways to choose the properties");
        }
        *choices -= 1;
        let mut best = Best::new();
        for at in 0..members.len() {
            let (name, lits) = &members[at];
            if !self.can_be(wanted, name) {
                continue;
            }
            let mut members = members.clone();
            members[at] = (
                Rc::clone(name),
                [lits.clone(), wanted.value.clone()].concat(),
            );
            if !self
                .member(shape, &members[at].0.clone(), &members[at].1.clone())
                .is_none()
                && best.take(self.place_somewhere(shape, &members, rest, choices))
            {
                return best.outcome;
            }
        }
        let room = shape.max.is_none_or(|max| (members.len() as u64) < max);
        if !room {
            return best.outcome;
        }
        for name in &shape.mentioned {
            let is_taken = members.iter().any(|(taken, _)| taken == name);
            if is_taken || shape.forbidden.contains(name) || !self.can_be(wanted, name) {
                continue;
            }
            let mut lits = self.value_of(shape, name);
            lits.extend(&wanted.value);
            if self.member(shape, name, &lits).is_none() {
                continue;
            }
            let mut members = members.clone();
            members.push((Rc::clone(name), lits));
            if best.take(self.place_somewhere(shape, &members, rest, choices)) {
                return best.outcome;
            }
        }
        let (fresh, missed) = self.fresh_keys(shape, members, Some(wanted));
        if let Some(why) = missed {
            best.take(Outcome::Unknown(why));
        }
        for Fresh { name, mut value } in fresh {
            value.extend(&wanted.value);
            if self.solve(&value).is_none() {
                continue;
            }
            let mut members = members.clone();
            members.push((name, value));
            if best.take(self.place_somewhere(shape, &members, rest, choices)) {
                return best.outcome;
            }
        }
        best.outcome
    }

    /// Whether a property that must be somewhere can have this name.
    fn can_be(&mut self, wanted: &Somewhere, name: &Rc<str>) -> bool {
        if self.applies(&wanted.keys, name) == Some(false) {
            return false;
        }
        if wanted.name.is_empty() {
            return true;
        }
        let mut of_name = wanted.name.clone();
        of_name.push(self.text(name));
        !self.solve(&of_name).is_none()
    }

    /// Adds properties until there are enough, and finds a value for each.
    fn fill_object(&mut self, shape: &ObjectShape, members: &Members) -> Outcome {
        let mut members = members.clone();
        if shape.max.is_some_and(|max| max < members.len() as u64) {
            return Outcome::None;
        }
        for name in &shape.mentioned {
            if members.len() as u64 >= shape.min {
                break;
            }
            if members.iter().any(|(taken, _)| taken == name) || shape.forbidden.contains(name) {
                continue;
            }
            let lits = self.value_of(shape, name);
            if !self.member(shape, name, &lits).is_none() {
                members.push((Rc::clone(name), lits));
            }
        }
        let missing = shape.min.saturating_sub(members.len() as u64);
        if missing > MAX_FILLERS {
            return Outcome::unknown("an object that shows it would have too many properties");
        }
        for _ in 0..missing {
            let (fresh, missed) = self.fresh_keys(shape, &members, None);
            let found = fresh
                .into_iter()
                .find(|fresh| !self.solve(&fresh.value).is_none());
            match found {
                Some(Fresh { name, value }) => members.push((name, value)),
                None => return missed.map_or(Outcome::None, Outcome::Unknown),
            }
        }
        let mut doubt = shape.doubt.clone();
        let mut object = Map::new();
        for (name, lits) in members {
            match self.member(shape, &name, &lits) {
                Outcome::Found(found) => {
                    doubt = doubt.or_else(|| found.doubt.clone());
                    object.insert(name.as_ref().to_owned(), found.value.clone());
                }
                other => return other,
            }
        }
        Outcome::found(Value::Object(object), doubt)
    }

    fn text(&mut self, text: &Rc<str>) -> Lit {
        let scalar = crate::expr::Scalar::String(Rc::clone(text));
        self.lowering.scalars(BTreeSet::from([scalar]))
    }

    /// Whether a key is one of some keys; `None` if that is not known.
    pub(crate) fn applies(&self, keys: &Keys, name: &str) -> Option<bool> {
        let matches = |id| {
            self.lowering
                .exprs
                .pattern(id)
                .map(|pattern| pattern.matches(name))
        };
        match keys {
            Keys::Name(key) => Some(key.as_ref() == name),
            Keys::Pattern(id) => matches(*id),
            Keys::Rest { names, .. } if names.contains(name) => Some(false),
            Keys::Rest { patterns, .. } => {
                let mut applies = Some(true);
                for id in patterns.iter() {
                    match matches(*id) {
                        Some(true) => return Some(false),
                        Some(false) => {}
                        None => applies = None,
                    }
                }
                applies
            }
        }
    }
}
