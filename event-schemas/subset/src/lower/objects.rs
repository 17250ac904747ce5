//! Lowers the object keywords (`properties`, `required`, `additionalProperties`, …).

use std::collections::BTreeSet;
use std::rc::Rc;

use super::Lowering;
use crate::expr::{Atom, Keys, Lit, Origin, PatternId, Side};
use crate::schema::Node;

impl Lowering<'_> {
    pub(super) fn objects(&mut self, side: Side, node: &Node, depth: usize, parts: &mut Vec<Lit>) {
        for name in &node.required {
            parts.push(self.exprs.atom(Atom::Required(name.as_str().into())));
        }
        for (name, value) in &node.properties {
            let value = self.node(side, *value, depth + 1);
            parts.push(self.each(Keys::Name(name.as_str().into()), value));
        }
        for (source, value) in &node.pattern_properties {
            let pattern = self.exprs.pattern_id(source);
            let value = self.node(side, *value, depth + 1);
            parts.push(self.each(Keys::Pattern(pattern), value));
        }
        if let Some(additional) = node.additional_properties {
            let additional = self.node(side, additional, depth + 1);
            let names = node
                .properties
                .keys()
                .map(|name| name.as_str().into())
                .collect();
            let patterns = node
                .pattern_properties
                .keys()
                .map(|source| self.exprs.pattern_id(source));
            let patterns = patterns.collect();
            parts.push(self.each_other(names, patterns, additional));
        }
        if let Some(names) = node.property_names {
            let names = self.node(side, names, depth + 1);
            if names != Lit::TRUE {
                parts.push(self.exprs.atom(Atom::Names(names)));
            }
        }
        parts.extend(
            node.min_properties
                .map(|min| self.exprs.atom(Atom::MinProperties(min))),
        );
        parts.extend(
            node.max_properties
                .map(|max| self.exprs.atom(Atom::MaxProperties(max))),
        );
        for (name, needs) in &node.dependent_required {
            for need in needs {
                let (name, need): (Rc<str>, Rc<str>) = (name.as_str().into(), need.as_str().into());
                let when = self.exprs.atom(Atom::Required(Rc::clone(&name)));
                let then = self.exprs.atom(Atom::Required(Rc::clone(&need)));
                let both = self.exprs.or([when.negated(), then]);
                let both = self.of_objects(both);
                self.exprs.note(both, Origin::DependentRequired(name, need));
                parts.push(both);
            }
        }
        let dependent = node.dependent_schemas.iter().chain(&node.dependencies);
        for (name, schema) in dependent {
            let name: Rc<str> = name.as_str().into();
            let when = self.exprs.atom(Atom::Required(Rc::clone(&name)));
            let then = self.node(side, *schema, depth + 1);
            let either = self.exprs.or([when.negated(), then]);
            let either = self.of_objects(either);
            self.exprs.note(either, Origin::DependentSchema(name));
            parts.push(either);
        }
    }

    /// A condition that a value of another type satisfies.
    pub(super) fn of_objects(&mut self, condition: Lit) -> Lit {
        let object = self.of_type(crate::types::Type::Object);
        self.exprs.or([object.negated(), condition])
    }

    fn each(&mut self, keys: Keys, value: Lit) -> Lit {
        match value {
            Lit::TRUE => Lit::TRUE,
            value => self.exprs.atom(Atom::Each(keys, value)),
        }
    }

    pub(super) fn each_other(
        &mut self,
        names: BTreeSet<Rc<str>>,
        patterns: BTreeSet<PatternId>,
        value: Lit,
    ) -> Lit {
        self.each(
            Keys::Rest {
                names: Rc::new(names),
                patterns: Rc::new(patterns),
            },
            value,
        )
    }
}
