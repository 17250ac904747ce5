//! Lowers `unevaluatedProperties` over many variants, property by property.
//!
//! A property must satisfy the keyword, or one of the subschemas that evaluate the property must
//! hold. This is one assertion for each name, however many combinations of subschemas can hold.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::Lowering;
use crate::expr::{Atom, Keys, Lit, Origin, PatternId, Side};
use crate::schema::NodeId;
use crate::types::Type;

/// How many subschemas are looked at.
const MAX_NODES: usize = 10_000;

/// When properties are evaluated.
#[derive(Debug, Default)]
struct Evaluation {
    /// For each name: one of these has to hold.
    names: BTreeMap<Rc<str>, BTreeSet<Lit>>,
    /// Properties whose names match are evaluated always.
    patterns: BTreeSet<PatternId>,
    /// If one of these holds, all properties are evaluated.
    all: BTreeSet<Lit>,
    nodes: usize,
}

impl Lowering<'_> {
    /// What `unevaluatedProperties` with such a value asks for. `None` if it cannot be said in
    /// this way, since some names are evaluated by a pattern under a condition.
    pub(super) fn by_property(
        &mut self,
        side: Side,
        id: NodeId,
        value: Lit,
        depth: usize,
    ) -> Option<Vec<Lit>> {
        let mut evaluation = Evaluation::default();
        self.evaluation(side, (id, true), Lit::TRUE, depth, &mut evaluation)?;
        let Evaluation {
            names,
            patterns,
            all,
            ..
        } = evaluation;
        let not_object = self.of_type(Type::Object).negated();
        let otherwise: Vec<Lit> = all.into_iter().chain([not_object]).collect();
        let mut parts = Vec::new();
        for (name, guards) in &names {
            if guards.contains(&Lit::TRUE) || self.matches(&patterns, name)? {
                continue;
            }
            let fits = self
                .exprs
                .atom(Atom::Each(Keys::Name(Rc::clone(name)), value));
            let any = [fits].into_iter().chain(guards.iter().copied());
            let part = self.exprs.or(any.chain(otherwise.iter().copied()));
            self.exprs
                .note(part, Origin::UnevaluatedProperty(Rc::clone(name)));
            parts.push(part);
        }
        let rest = self.each_other(names.into_keys().collect(), patterns, value);
        parts.push(if otherwise.len() == 1 {
            rest
        } else {
            self.exprs.or([rest].into_iter().chain(otherwise))
        });
        Some(parts)
    }

    /// Whether one of the patterns is found in a name; `None` if that is not known.
    fn matches(&self, patterns: &BTreeSet<PatternId>, name: &str) -> Option<bool> {
        let mut any = false;
        for id in patterns {
            any |= self.exprs.pattern(*id)?.matches(name);
        }
        Some(any)
    }

    /// Adds what a node evaluates where a guard holds. The unevaluated keywords of the node
    /// itself are left out if it is the one they stand in.
    fn evaluation(
        &mut self,
        side: Side,
        (id, own): (NodeId, bool),
        guard: Lit,
        depth: usize,
        into: &mut Evaluation,
    ) -> Option<()> {
        into.nodes += 1;
        if into.nodes > MAX_NODES || guard == Lit::FALSE {
            return (guard == Lit::FALSE).then_some(());
        }
        let node = &self.tree(side).nodes[id];
        for name in node.properties.keys() {
            let guards = into.names.entry(name.as_str().into()).or_default();
            guards.insert(guard);
        }
        for source in node.pattern_properties.keys() {
            if guard != Lit::TRUE {
                return None;
            }
            into.patterns.insert(self.exprs.pattern_id(source));
        }
        if node.additional_properties.is_some() || (!own && node.unevaluated_properties.is_some()) {
            into.all.insert(guard);
        }
        for inner in node.references.iter().chain(&node.all_of) {
            self.evaluation(side, (*inner, false), guard, depth, into)?;
        }
        for variant in node.any_of.iter().chain(&node.one_of) {
            let holds = self.node(side, *variant, depth + 1);
            let guard = self.exprs.and([guard, holds]);
            self.evaluation(side, (*variant, false), guard, depth, into)?;
        }
        if let Some(condition) = node.condition {
            let holds = self.node(side, condition, depth + 1);
            let met = self.exprs.and([guard, holds]);
            let missed = self.exprs.and([guard, holds.negated()]);
            self.evaluation(side, (condition, false), met, depth, into)?;
            if let Some(then) = node.then {
                self.evaluation(side, (then, false), met, depth, into)?;
            }
            if let Some(otherwise) = node.otherwise {
                self.evaluation(side, (otherwise, false), missed, depth, into)?;
            }
        }
        for (name, schema) in &node.dependent_schemas {
            let has = self.exprs.atom(Atom::Required(name.as_str().into()));
            let guard = self.exprs.and([guard, has]);
            self.evaluation(side, (*schema, false), guard, depth, into)?;
        }
        Some(())
    }
}
