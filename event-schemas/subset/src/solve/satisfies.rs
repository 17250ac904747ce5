//! Evaluates an expression on one value.

use serde_json::Value;

use super::Solver;
use crate::expr::{Atom, Expr, Keys, Lit, Scalar};
use crate::number;
use crate::types::Type;

/// How many expressions are looked at for one value.
const MAX_LOOKS: u32 = 4_000;
/// Of how many items it is found out whether they are unique.
const MAX_UNIQUE: usize = 64;

impl Solver<'_> {
    /// Whether a value satisfies a literal; `None` if that is not known, or too much work.
    pub(super) fn satisfies(&self, value: &Value, lit: Lit) -> Option<bool> {
        let mut looks = MAX_LOOKS;
        self.look(value, lit, &mut looks)
    }

    fn look(&self, value: &Value, lit: Lit, looks: &mut u32) -> Option<bool> {
        *looks = looks.checked_sub(1)?;
        let lit = self.lowering.exprs.resolved(lit)?;
        let positively = match self.lowering.exprs.get(lit) {
            Expr::True => Some(true),
            Expr::And(parts) => self.look_at_all(value, lit, parts, looks),
            Expr::Atom(atom) => self.look_at_atom(value, atom, looks),
            Expr::Node(..) => None,
        };
        positively.map(|holds| holds != lit.is_negative())
    }

    /// The part by which a conjunction failed last is looked at first: that of a variant is
    /// most often its tag.
    fn look_at_all(&self, value: &Value, lit: Lit, parts: &[Lit], looks: &mut u32) -> Option<bool> {
        let last = self.refuters.borrow().get(&lit).copied();
        if let Some(part) = last
            && self.look(value, part, looks) == Some(false)
        {
            return Some(false);
        }
        let mut known = Some(true);
        for part in parts {
            match self.look(value, *part, looks) {
                Some(true) => {}
                Some(false) => {
                    self.refuters.borrow_mut().insert(lit, *part);
                    return Some(false);
                }
                None => known = None,
            }
        }
        known
    }

    fn look_at_atom(&self, value: &Value, atom: &Atom, looks: &mut u32) -> Option<bool> {
        let of = Type::of(value);
        match atom {
            Atom::Types(types) => return Some(types.contains(of)),
            Atom::Scalars(scalars) => {
                return match Scalar::of(value) {
                    Some(scalar) => Some(scalars.contains(&scalar)),
                    // A number that is too large to compute with.
                    None => (of != Type::Number).then_some(false),
                };
            }
            atom if atom.about() != Some(of) => return Some(true),
            _ => {}
        }
        match value {
            Value::Number(number) => {
                let number = number::exact(number)?;
                match atom {
                    Atom::Above { bound, strict } => {
                        Some(number > *bound || (!strict && number == *bound))
                    }
                    Atom::Below { bound, strict } => {
                        Some(number < *bound || (!strict && number == *bound))
                    }
                    Atom::MultipleOf(step) => Some(number::is_multiple(&number, step)),
                    _ => None,
                }
            }
            Value::String(text) => self.look_at_string(text, atom),
            Value::Array(items) => self.look_at_array(items, atom, looks),
            Value::Object(members) => match atom {
                Atom::MinProperties(min) => Some(members.len() as u64 >= *min),
                Atom::MaxProperties(max) => Some(members.len() as u64 <= *max),
                Atom::Required(name) => Some(members.contains_key(name.as_ref())),
                Atom::Each(Keys::Name(name), inner) => match members.get(name.as_ref()) {
                    Some(member) => self.look(member, *inner, looks),
                    None => Some(true),
                },
                Atom::Each(keys, inner) => all(members.iter(), |(name, member)| {
                    match self.applies(keys, name) {
                        Some(false) => Some(true),
                        Some(true) => self.look(member, *inner, looks),
                        None => self.look(member, *inner, looks).filter(|holds| *holds),
                    }
                }),
                Atom::Names(inner) => all(members.keys(), |name| {
                    self.look(&Value::String(name.clone()), *inner, looks)
                }),
                _ => None,
            },
            Value::Null | Value::Bool(_) => None,
        }
    }

    fn look_at_string(&self, text: &str, atom: &Atom) -> Option<bool> {
        match atom {
            Atom::MinLength(min) => Some(text.chars().count() as u64 >= *min),
            Atom::MaxLength(max) => Some(text.chars().count() as u64 <= *max),
            Atom::Pattern(id) => {
                let pattern = self.lowering.exprs.pattern(*id)?;
                Some(pattern.matches(text))
            }
            Atom::Format(name) => Some(self.has_format(name, text)),
            _ => None,
        }
    }

    fn look_at_array(&self, items: &[Value], atom: &Atom, looks: &mut u32) -> Option<bool> {
        match atom {
            Atom::MinItems(min) => Some(items.len() as u64 >= *min),
            Atom::MaxItems(max) => Some(items.len() as u64 <= *max),
            Atom::ItemAt(index, inner) => match items.get(*index) {
                Some(item) => self.look(item, *inner, looks),
                None => Some(true),
            },
            Atom::ItemsFrom(index, inner) => all(items.iter().skip(*index), |item| {
                self.look(item, *inner, looks)
            }),
            Atom::CountMin(inner, min) => {
                let (sure, possible) = self.count(items, *inner, looks);
                decided(sure >= *min, possible < *min)
            }
            Atom::CountMax(inner, max) => {
                let (sure, possible) = self.count(items, *inner, looks);
                decided(possible <= *max, sure > *max)
            }
            Atom::Unique if items.len() <= MAX_UNIQUE => {
                let mut pairs = items
                    .iter()
                    .enumerate()
                    .flat_map(|(at, one)| items[at + 1..].iter().map(move |other| (one, other)));
                Some(!pairs.any(|(one, other)| same(one, other)))
            }
            _ => None,
        }
    }

    /// How many items satisfy a literal for sure, and how many may.
    fn count(&self, items: &[Value], inner: Lit, looks: &mut u32) -> (u64, u64) {
        let (mut sure, mut possible) = (0, 0);
        for item in items {
            let holds = self.look(item, inner, looks);
            sure += u64::from(holds == Some(true));
            possible += u64::from(holds != Some(false));
        }
        (sure, possible)
    }
}

/// Whether all hold: not, if one does not; not known, if one is not known.
fn all<T>(
    mut items: impl Iterator<Item = T>,
    mut holds: impl FnMut(T) -> Option<bool>,
) -> Option<bool> {
    let mut known = Some(true);
    let refuted = items.any(|item| {
        let holds = holds(item);
        if holds.is_none() {
            known = None;
        }
        holds == Some(false)
    });
    if refuted { Some(false) } else { known }
}

fn decided(holds: bool, fails: bool) -> Option<bool> {
    match (holds, fails) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// Whether two values are equal as schemas mean it: `1` and `1.0` are.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            match (number::exact(one), number::exact(other)) {
                (Some(one), Some(other)) => one == other,
                _ => one == other,
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, member)| other.get(name).is_some_and(|other| same(member, other)))
        }
        _ => one == other,
    }
}
