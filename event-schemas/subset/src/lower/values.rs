//! Lowers `type`, `enum` and `const`.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use super::Lowering;
use crate::expr::{Atom, Keys, Lit, Origin, Scalar};
use crate::schema::Node;
use crate::types::{Type, TypeSet};

impl Lowering<'_> {
    pub(super) fn values(&mut self, node: &Node, parts: &mut Vec<Lit>) {
        if let Some(types) = node.types {
            let mut all = types;
            if types.integers_only() {
                all.insert_named("number");
                parts.push(self.integer());
            }
            let whole = Type::ALL
                .into_iter()
                .filter(|of| all.contains(*of))
                .fold(TypeSet::NONE, |all, of| all.union(TypeSet::only(of)));
            parts.push(self.exprs.atom(Atom::Types(whole)));
        }
        if let Some(values) = &node.enumeration {
            let (scalars, compound): (Vec<_>, Vec<_>) =
                values.iter().partition(|value| Scalar::of(value).is_some());
            let scalars: BTreeSet<Scalar> = scalars.into_iter().filter_map(Scalar::of).collect();
            let mut any = vec![self.scalars(scalars)];
            any.extend(compound.into_iter().map(|value| self.constant(value)));
            let any = self.exprs.or(any);
            self.exprs.note(any, Origin::Enum);
            parts.push(any);
        }
        if let Some(value) = &node.constant {
            let constant = self.constant(value);
            parts.push(constant);
        }
    }

    /// What only this value satisfies.
    pub(crate) fn constant(&mut self, value: &Value) -> Lit {
        let parts = match value {
            Value::Array(items) => {
                let count = items.len() as u64;
                let mut parts = vec![
                    self.of_type(Type::Array),
                    self.exprs.atom(Atom::MinItems(count)),
                    self.exprs.atom(Atom::MaxItems(count)),
                ];
                for (index, item) in items.iter().enumerate() {
                    let item = self.constant(item);
                    parts.push(self.exprs.atom(Atom::ItemAt(index, item)));
                }
                parts
            }
            Value::Object(members) => {
                let mut parts = vec![self.of_type(Type::Object)];
                let mut names = BTreeSet::new();
                for (name, member) in members {
                    let name: Rc<str> = name.as_str().into();
                    let member = self.constant(member);
                    parts.push(self.exprs.atom(Atom::Required(Rc::clone(&name))));
                    parts.push(
                        self.exprs
                            .atom(Atom::Each(Keys::Name(Rc::clone(&name)), member)),
                    );
                    names.insert(name);
                }
                let rest = Keys::Rest {
                    names: Rc::new(names),
                    patterns: Rc::default(),
                };
                parts.push(self.exprs.atom(Atom::Each(rest, Lit::FALSE)));
                parts
            }
            scalar => match Scalar::of(scalar) {
                Some(scalar) => return self.scalars(BTreeSet::from([scalar])),
                None => {
                    let mut parts = vec![self.of_type(Type::of(scalar))];
                    self.give_up("a number is too large to compute with", &mut parts);
                    parts
                }
            },
        };
        let constant = self.exprs.and(parts);
        self.exprs.note(constant, Origin::Const);
        constant
    }
}
