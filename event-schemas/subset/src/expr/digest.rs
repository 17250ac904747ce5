//! Digests of expressions, which show cheaply that two have no common value.
//!
//! Variants differ in their types, in a tag (`{"kind": "paid"}`) or in a property that only one of
//! them has (`{"Paid": …}`). Digests show this at once, so the work for `oneOf` stays linear.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Atom, Expr, Exprs, Keys, Lit, Scalar};
use crate::types::{Type, TypeSet};

/// What a value must at least be to satisfy an expression.
#[derive(Clone, Debug)]
pub(super) struct Digest {
    types: TypeSet,
    scalars: Option<Rc<BTreeSet<Scalar>>>,
}

/// How many expressions deep is looked.
const DEPTH: usize = 6;
/// How many parts of an expression are looked at.
const WIDTH: usize = 256;

impl Digest {
    const ANY: Digest = Digest {
        types: TypeSet::ALL,
        scalars: None,
    };
    const NONE: Digest = Digest {
        types: TypeSet::NONE,
        scalars: None,
    };

    fn intersect(&self, other: &Self) -> Self {
        let scalars = match (&self.scalars, &other.scalars) {
            (Some(left), Some(right)) => Some(Rc::new(left.intersection(right).cloned().collect())),
            (one, other) => one.clone().or_else(|| other.clone()),
        };
        Self {
            types: self.types.intersection(other.types),
            scalars,
        }
    }

    fn unite(&self, other: &Self) -> Self {
        let scalars = match (&self.scalars, &other.scalars) {
            (Some(left), Some(right)) => Some(Rc::new(left.union(right).cloned().collect())),
            _ => None,
        };
        Self {
            types: self.types.union(other.types),
            scalars,
        }
    }

    fn is_empty(&self) -> bool {
        self.types.is_empty()
            || self.scalars.as_ref().is_some_and(|scalars| {
                !scalars
                    .iter()
                    .any(|scalar| self.types.contains(scalar.of_type()))
            })
    }
}

/// What an expression says about an object's properties at a glance.
#[derive(Debug, Default)]
struct Outline {
    required: Vec<Rc<str>>,
    each: Vec<(Keys, Lit)>,
}

impl Exprs {
    /// The types that values satisfying all of these can have, at a glance.
    pub(crate) fn types_of(&mut self, lits: &[Lit]) -> TypeSet {
        lits.iter().fold(TypeSet::ALL, |types, lit| {
            types.intersection(self.digest(*lit, 0).types)
        })
    }

    /// Forgets what was seen before all nodes were lowered.
    pub(crate) fn look_again(&mut self) {
        self.digests.clear();
    }

    /// Whether it is seen at a glance that no value satisfies all of these.
    pub(crate) fn are_disjoint(&mut self, left: &[Lit], right: &[Lit]) -> bool {
        self.contradict(left, right, |value, _| value.is_empty())
    }

    /// Whether it is seen at a glance that these are about different things: other types of
    /// values, other tags, other properties. A property that only changed its type is no such.
    pub(crate) fn are_unlike(&mut self, left: &[Lit], right: &[Lit]) -> bool {
        self.contradict(left, right, |value, part| {
            part.types.is_empty() || (value.is_empty() && !value.types.is_empty())
        })
    }

    /// How many properties two expressions about objects both name; `None` if they cannot be
    /// about the same thing, since a property that both ask for is another constant.
    pub(crate) fn similarity(&mut self, left: &[Lit], right: Lit) -> Option<usize> {
        let is_other = |value: &Digest, _: &Digest| value.is_empty() && !value.types.is_empty();
        if self.contradict(left, &[right], is_other) {
            return None;
        }
        let left = self.names(left);
        let right = self.names(&[right]);
        Some(left.intersection(&right).count())
    }

    /// The names of properties that an expression asks for or describes.
    fn names(&self, lits: &[Lit]) -> BTreeSet<Rc<str>> {
        let mut outline = Outline::default();
        for lit in lits {
            self.outline(*lit, 0, &mut outline);
        }
        let described = outline
            .each
            .into_iter()
            .filter_map(|(keys, value)| match keys {
                Keys::Name(name) if value != Lit::FALSE => Some(name),
                _ => None,
            });
        described.chain(outline.required).collect()
    }

    /// `contradicts` is told what is known of a property that must be there, and what the last
    /// that was taken into account says of it.
    fn contradict(
        &mut self,
        left: &[Lit],
        right: &[Lit],
        contradicts: impl Fn(&Digest, &Digest) -> bool,
    ) -> bool {
        let mut both = Digest::ANY;
        for lit in left.iter().chain(right) {
            both = both.intersect(&self.digest(*lit, 0));
        }
        if both.is_empty() {
            return true;
        }
        if both.types != TypeSet::only(Type::Object) {
            return false;
        }
        let mut outline = Outline::default();
        for lit in left.iter().chain(right) {
            self.outline(*lit, 0, &mut outline);
        }
        let required = std::mem::take(&mut outline.required);
        required.iter().any(|name| {
            let mut value = Digest::ANY;
            outline.each.iter().any(|(keys, lit)| {
                let applies = match keys {
                    Keys::Name(key) => key == name,
                    Keys::Rest { names, patterns } => patterns.is_empty() && !names.contains(name),
                    Keys::Pattern(_) => false,
                };
                if !applies {
                    return false;
                }
                let part = self.digest(*lit, 0);
                value = value.intersect(&part);
                contradicts(&value, &part)
            })
        })
    }

    fn outline(&self, lit: Lit, depth: usize, outline: &mut Outline) {
        let Some(lit) = self.resolved(lit).filter(|_| depth < DEPTH) else {
            return;
        };
        match self.get(lit) {
            Expr::And(parts) if !lit.is_negative() => {
                for part in parts.iter().take(WIDTH) {
                    self.outline(*part, depth + 1, outline);
                }
            }
            Expr::Atom(Atom::Required(name)) if !lit.is_negative() => {
                outline.required.push(Rc::clone(name));
            }
            Expr::Atom(Atom::Each(keys, value)) => {
                if !lit.is_negative() {
                    outline.each.push((keys.clone(), *value));
                } else if let Keys::Name(name) = keys {
                    outline.required.push(Rc::clone(name));
                }
            }
            _ => {}
        }
    }

    fn digest(&mut self, lit: Lit, depth: usize) -> Digest {
        if let Some(known) = self.digests.get(&lit) {
            return known.clone();
        }
        let Some(resolved) = self.resolved(lit).filter(|_| depth < DEPTH) else {
            return Digest::ANY;
        };
        let digest = match self.get(resolved).clone() {
            Expr::True if resolved.is_negative() => Digest::NONE,
            Expr::True | Expr::Node(..) => Digest::ANY,
            Expr::And(parts) if parts.len() > WIDTH => Digest::ANY,
            Expr::And(parts) if resolved.is_negative() => {
                let nothing = Digest {
                    types: TypeSet::NONE,
                    scalars: Some(Rc::default()),
                };
                parts.iter().fold(nothing, |sum, part| {
                    sum.unite(&self.digest(part.negated(), depth + 1))
                })
            }
            Expr::And(parts) => parts.iter().fold(Digest::ANY, |all, part| {
                all.intersect(&self.digest(*part, depth + 1))
            }),
            Expr::Atom(atom) => of_atom(&atom, resolved.is_negative()),
        };
        // What was cut off further in may be seen from here.
        if depth == 0 {
            self.digests.insert(lit, digest.clone());
        }
        digest
    }
}

fn of_atom(atom: &Atom, negative: bool) -> Digest {
    match (atom, negative) {
        (Atom::Types(types), false) => Digest {
            types: *types,
            scalars: None,
        },
        (Atom::Types(types), true) => {
            let others = Type::ALL.into_iter().filter(|of| !types.contains(*of));
            let types = others.fold(TypeSet::NONE, |all, of| all.union(TypeSet::only(of)));
            Digest {
                types,
                scalars: None,
            }
        }
        (Atom::Scalars(scalars), false) => {
            let types = scalars.iter().fold(TypeSet::NONE, |all, scalar| {
                all.union(TypeSet::only(scalar.of_type()))
            });
            Digest {
                types,
                scalars: Some(Rc::clone(scalars)),
            }
        }
        (atom, true) => Digest {
            types: atom.about().map_or(TypeSet::ALL, TypeSet::only),
            scalars: None,
        },
        (_, false) => Digest::ANY,
    }
}
