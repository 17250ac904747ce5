//! The constraints on an object, by property.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::expr::{Atom, Expr, Keys, Lit, PatternId, Scalar};
use crate::solve::string::opaque_pattern;
use crate::solve::{Outcome, Solver};
use crate::types::Type;

/// For how many patterns all combinations of matching and not are told apart.
const MAX_PATTERNS: usize = 7;

/// What is asked of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct ObjectShape {
    /// Properties that are there, with what is asked of them in particular.
    pub(crate) required: BTreeMap<Rc<str>, Vec<Lit>>,
    /// Properties that are not there.
    pub(super) forbidden: BTreeSet<Rc<str>>,
    /// What the values of properties with such keys satisfy.
    pub(crate) each: Vec<(Keys, Lit)>,
    /// What the names of all properties satisfy.
    pub(super) names: Vec<Lit>,
    pub(super) somewhere: Vec<Somewhere>,
    pub(super) min: u64,
    pub(super) max: Option<u64>,
    /// All names of which something is said.
    pub(crate) mentioned: BTreeSet<Rc<str>>,
    patterns: BTreeSet<PatternId>,
    pub(super) doubt: Option<Rc<str>>,
}

/// A property that is there, with a key that is not said.
#[derive(Clone, Debug)]
pub(crate) struct Somewhere {
    pub(super) keys: Keys,
    pub(super) value: Vec<Lit>,
    pub(super) name: Vec<Lit>,
}

/// A property that no schema names.
#[derive(Clone, Debug)]
pub(crate) struct Fresh {
    pub(crate) name: Rc<str>,
    /// What its value satisfies.
    pub(crate) value: Vec<Lit>,
}

impl Solver<'_> {
    pub(crate) fn object_shape(&self, atoms: &[Lit]) -> ObjectShape {
        let mut shape = ObjectShape::default();
        for lit in atoms {
            let Expr::Atom(atom) = self.lowering.exprs.get(*lit) else {
                continue;
            };
            match (atom, !lit.is_negative()) {
                (Atom::Required(name), true) => {
                    shape.mentioned.insert(Rc::clone(name));
                    shape.required.entry(Rc::clone(name)).or_default();
                }
                (Atom::Required(name), false) => {
                    shape.mentioned.insert(Rc::clone(name));
                    shape.forbidden.insert(Rc::clone(name));
                }
                (Atom::Each(keys, value), holds) => shape.add_keys(keys, *value, holds),
                (Atom::Names(name), true) => shape.names.push(*name),
                (Atom::Names(name), false) => shape.somewhere.push(Somewhere {
                    keys: Keys::Rest {
                        names: Rc::default(),
                        patterns: Rc::default(),
                    },
                    value: Vec::new(),
                    name: vec![name.negated()],
                }),
                (Atom::MinProperties(min), true) => shape.min = shape.min.max(*min),
                (Atom::MaxProperties(max), false) => {
                    shape.min = shape.min.max(max.saturating_add(1));
                }
                (Atom::MaxProperties(max), true) => shape.limit(*max),
                (Atom::MinProperties(0), false) => (shape.min, shape.max) = (1, Some(0)),
                (Atom::MinProperties(min), false) => shape.limit(min - 1),
                (Atom::Opaque(_, why), _) => shape.doubt = Some(Rc::clone(why)),
                _ => {}
            }
        }
        let exprs = &self.lowering.exprs;
        let opaque = shape
            .patterns
            .iter()
            .find(|id| exprs.pattern(**id).is_none());
        if let Some(id) = opaque {
            shape.doubt = Some(opaque_pattern(exprs.pattern_source(*id)));
        }
        shape
    }

    /// What the value of a property satisfies, if it is there.
    pub(crate) fn value_of(&self, shape: &ObjectShape, name: &str) -> Vec<Lit> {
        let applies = |keys: &Keys| self.applies(keys, name) == Some(true);
        shape
            .each
            .iter()
            .filter(|(keys, _)| applies(keys))
            .map(|(_, value)| *value)
            .collect()
    }

    /// One property for each way in which the patterns can match a name that is not mentioned
    /// and not taken, and that fits what must be somewhere.
    ///
    /// With them comes why not all of them could be found, if so.
    pub(crate) fn fresh_keys(
        &mut self,
        shape: &ObjectShape,
        taken: &[(Rc<str>, Vec<Lit>)],
        wanted: Option<&Somewhere>,
    ) -> (Vec<Fresh>, Option<Rc<str>>) {
        let known: Vec<PatternId> = shape
            .patterns
            .iter()
            .copied()
            .filter(|id| self.lowering.exprs.pattern(*id).is_some())
            .collect();
        if known.len() > MAX_PATTERNS {
            let why = "there are too many `patternProperties` to tell all names apart";
            return (Vec::new(), Some(why.into()));
        }
        let mut used = shape.mentioned.clone();
        used.extend(taken.iter().map(|(name, _)| Rc::clone(name)));
        let mut name_lits = shape.names.clone();
        name_lits.extend(wanted.iter().flat_map(|wanted| wanted.name.iter().copied()));
        if known.is_empty() && name_lits.is_empty() {
            let name = plain_name(&used);
            let value = self.value_of_fresh(shape, &BTreeSet::new());
            return (vec![Fresh { name, value }], None);
        }
        name_lits.push(self.lowering.of_type(Type::String));
        let used = used.into_iter().map(Scalar::String).collect();
        name_lits.push(self.lowering.scalars(used).negated());
        let mut fresh = Vec::new();
        let mut failed = None;
        for chosen in 0..1_usize << known.len() {
            let mut lits = name_lits.clone();
            let mut matched = BTreeSet::new();
            for (at, id) in known.iter().enumerate() {
                let pattern = self.lowering.exprs.atom(Atom::Pattern(*id));
                let is_found = chosen & (1 << at) != 0;
                lits.push(if is_found { pattern } else { pattern.negated() });
                if is_found {
                    matched.insert(*id);
                }
            }
            if let Some(wanted) = wanted
                && !self.may_be(&wanted.keys, &matched)
            {
                continue;
            }
            // The empty name is one, but not one to show.
            let shown = self.lowering.exprs.atom(Atom::MinLength(1));
            let outcome = match self.solve(&[lits.clone(), vec![shown]].concat()) {
                Outcome::Found(found) => Outcome::Found(found),
                _ => self.solve(&lits),
            };
            match outcome {
                Outcome::Found(found) => {
                    let name = found.value.as_str().unwrap_or_default().into();
                    let value = self.value_of_fresh(shape, &matched);
                    fresh.push(Fresh { name, value });
                }
                Outcome::None => {}
                Outcome::Unknown(why) => failed = Some(why),
            }
        }
        (fresh, failed)
    }

    /// Whether a name that is not mentioned, and in which these patterns are found, is one of
    /// some keys. What is not known counts as yes.
    fn may_be(&self, keys: &Keys, matched: &BTreeSet<PatternId>) -> bool {
        match keys {
            Keys::Name(_) => false,
            Keys::Pattern(id) => matched.contains(id) || self.lowering.exprs.pattern(*id).is_none(),
            Keys::Rest { patterns, .. } => patterns.is_disjoint(matched),
        }
    }

    fn value_of_fresh(&self, shape: &ObjectShape, matched: &BTreeSet<PatternId>) -> Vec<Lit> {
        let exprs = &self.lowering.exprs;
        let applies = |keys: &Keys| match keys {
            Keys::Name(_) => false,
            Keys::Pattern(id) => matched.contains(id),
            Keys::Rest { patterns, .. } => {
                patterns.is_disjoint(matched)
                    && patterns.iter().all(|id| exprs.pattern(*id).is_some())
            }
        };
        shape
            .each
            .iter()
            .filter(|(keys, _)| applies(keys))
            .map(|(_, value)| *value)
            .collect()
    }
}

impl ObjectShape {
    /// The property that must be somewhere and was asked for last.
    pub(crate) fn wanted(&self) -> Option<&Somewhere> {
        self.somewhere.last()
    }

    fn add_keys(&mut self, keys: &Keys, value: Lit, holds: bool) {
        match keys {
            Keys::Name(name) => {
                self.mentioned.insert(Rc::clone(name));
            }
            Keys::Pattern(id) => {
                self.patterns.insert(*id);
            }
            Keys::Rest { names, patterns } => {
                self.mentioned.extend(names.iter().cloned());
                self.patterns.extend(patterns.iter());
            }
        }
        match (keys, holds) {
            (keys, true) => self.each.push((keys.clone(), value)),
            (Keys::Name(name), false) => {
                self.required
                    .entry(Rc::clone(name))
                    .or_default()
                    .push(value.negated());
            }
            (keys, false) => self.somewhere.push(Somewhere {
                keys: keys.clone(),
                value: vec![value.negated()],
                name: Vec::new(),
            }),
        }
    }

    fn limit(&mut self, max: u64) {
        self.max = Some(self.max.map_or(max, |old| old.min(max)));
    }
}

/// A name that is not used.
fn plain_name(used: &BTreeSet<Rc<str>>) -> Rc<str> {
    let numbered = (2..).map(|number| format!("other{number}"));
    let mut names = std::iter::once("other".to_owned()).chain(numbered);
    names
        .find(|name| !used.contains(name.as_str()))
        .unwrap_or_default()
        .into()
}
