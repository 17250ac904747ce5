//! Lowers `unevaluatedProperties` and `unevaluatedItems`.
//!
//! Which properties and items are evaluated depends on which subschemas hold. Each combination of
//! subschemas that can hold is an alternative. Evaluating more never allows less, so a document is
//! accepted exactly if it satisfies one of the alternatives. If there are many alternatives,
//! `evaluation.rs` expresses the same for properties in another way.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::Lowering;
use crate::expr::{Atom, Lit, Origin, PatternId, Side};
use crate::schema::{Node, NodeId};
use crate::types::Type;

/// How many alternatives are told apart.
const MAX_ALTERNATIVES: usize = 256;
/// Of how many variants that may hold together all combinations are told apart.
const MAX_TOGETHER: usize = 6;

/// What is evaluated if a guard holds.
#[derive(Clone, Debug)]
struct Alternative {
    guard: Lit,
    evaluated: Evaluated,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Evaluated {
    all_properties: bool,
    names: BTreeSet<Rc<str>>,
    patterns: BTreeSet<PatternId>,
    all_items: bool,
    prefix: usize,
    /// Items that satisfy one of these.
    containing: BTreeSet<Lit>,
}

impl Evaluated {
    fn union(mut self, other: &Self) -> Self {
        self.all_properties |= other.all_properties;
        self.names.extend(other.names.iter().cloned());
        self.patterns.extend(&other.patterns);
        self.all_items |= other.all_items;
        self.prefix = self.prefix.max(other.prefix);
        self.containing.extend(&other.containing);
        self
    }
}

impl Lowering<'_> {
    pub(super) fn unevaluated(
        &mut self,
        side: Side,
        id: NodeId,
        node: &Node,
        depth: usize,
        parts: &mut Vec<Lit>,
    ) {
        if node.unevaluated_properties.is_none() && node.unevaluated_items.is_none() {
            return;
        }
        let Some(alternatives) = self.alternatives(side, id, depth, true) else {
            self.many_ways(side, id, node, depth, parts);
            return;
        };
        if let Some(value) = node.unevaluated_properties {
            let value = self.node(side, value, depth + 1);
            let mut ways = Vec::new();
            for Alternative { guard, evaluated } in &alternatives {
                let rest = if evaluated.all_properties {
                    Lit::TRUE
                } else {
                    self.each_other(evaluated.names.clone(), evaluated.patterns.clone(), value)
                };
                ways.push((*guard, rest));
            }
            parts.push(self.one_way(ways, Type::Object));
        }
        if let Some(value) = node.unevaluated_items {
            let value = self.node(side, value, depth + 1);
            let mut ways = Vec::new();
            for Alternative { guard, evaluated } in &alternatives {
                let rest = if evaluated.all_items {
                    Lit::TRUE
                } else {
                    let item = self
                        .exprs
                        .or(evaluated.containing.iter().copied().chain([value]));
                    self.items_from(evaluated.prefix, item)
                };
                ways.push((*guard, rest));
            }
            parts.push(self.one_way(ways, Type::Array));
        }
    }

    /// Where there are too many alternatives.
    fn many_ways(
        &mut self,
        side: Side,
        id: NodeId,
        node: &Node,
        depth: usize,
        parts: &mut Vec<Lit>,
    ) {
        if let Some(value) = node.unevaluated_properties {
            let value = self.node(side, value, depth + 1);
            match self.by_property(side, id, value, depth) {
                Some(of_properties) => parts.extend(of_properties),
                None => self.too_many_ways(Type::Object, parts),
            }
        }
        if node.unevaluated_items.is_some() {
            self.too_many_ways(Type::Array, parts);
        }
    }

    fn too_many_ways(&mut self, of: Type, parts: &mut Vec<Lit>) {
        let why = "which parts are unevaluated depends on too many variants";
        parts.push(self.exprs.atom(Atom::Opaque(of, why.into())));
    }

    /// One of the ways holds, or the value is of another type.
    fn one_way(&mut self, ways: Vec<(Lit, Lit)>, of: Type) -> Lit {
        let mut any = vec![self.of_type(of).negated()];
        any.extend(
            ways.iter()
                .map(|(guard, rest)| self.exprs.and([*guard, *rest])),
        );
        let either = self.exprs.or(any);
        self.exprs.note(either, Origin::Unevaluated(ways.into()));
        either
    }

    /// The ways in which a node evaluates. `None` if they are too many.
    ///
    /// `own` leaves out the unevaluated keywords of the node itself.
    fn alternatives(
        &mut self,
        side: Side,
        id: NodeId,
        depth: usize,
        own: bool,
    ) -> Option<Vec<Alternative>> {
        let node = &self.tree(side).nodes[id];
        let evaluated = self.evaluated(side, node, depth, own);
        let mut alternatives = vec![Alternative {
            guard: Lit::TRUE,
            evaluated,
        }];
        for inner in node.references.iter().chain(&node.all_of) {
            let inner = self.alternatives(side, *inner, depth + 1, false)?;
            alternatives = self.product(&alternatives, &inner)?;
        }
        for (variants, exactly_one) in [(&node.any_of, false), (&node.one_of, true)] {
            if !variants.is_empty() {
                let variants = self.variant_ways(side, variants, exactly_one, depth)?;
                alternatives = self.product(&alternatives, &variants)?;
            }
        }
        if let Some(condition) = node.condition {
            let mut ways = Vec::new();
            let holds = self.guarded(side, condition, depth)?;
            let then = self.optional(side, node.then, depth)?;
            ways.extend(self.product(&holds, &then)?);
            let fails = self.node(side, condition, depth + 1).negated();
            for mut way in self.optional(side, node.otherwise, depth)? {
                way.guard = self.exprs.and([way.guard, fails]);
                ways.push(way);
            }
            alternatives = self.product(&alternatives, &ways)?;
        }
        for (name, schema) in &node.dependent_schemas {
            let has = self.exprs.atom(Atom::Required(name.as_str().into()));
            let object = self.of_type(Type::Object);
            let mut ways = vec![Alternative {
                guard: Lit::TRUE,
                evaluated: Evaluated::default(),
            }];
            for mut way in self.alternatives(side, *schema, depth + 1, false)? {
                way.guard = self.exprs.and([way.guard, has, object]);
                ways.push(way);
            }
            alternatives = self.product(&alternatives, &ways)?;
        }
        Some(alternatives)
    }

    /// What the node's own keywords evaluate.
    fn evaluated(&mut self, side: Side, node: &Node, depth: usize, own: bool) -> Evaluated {
        let mut containing = BTreeSet::new();
        if let Some(contains) = node.contains {
            containing.insert(self.node(side, contains, depth + 1));
        }
        Evaluated {
            all_properties: node.additional_properties.is_some()
                || (!own && node.unevaluated_properties.is_some()),
            names: node
                .properties
                .keys()
                .map(|name| name.as_str().into())
                .collect(),
            patterns: node
                .pattern_properties
                .keys()
                .map(|source| self.exprs.pattern_id(source))
                .collect(),
            all_items: node.items.is_some() || (!own && node.unevaluated_items.is_some()),
            prefix: node.prefix_items.len(),
            containing,
        }
    }

    /// The ways of a schema that need not hold, with the schema as their guard.
    fn guarded(&mut self, side: Side, id: NodeId, depth: usize) -> Option<Vec<Alternative>> {
        let holds = self.node(side, id, depth + 1);
        let mut ways = self.alternatives(side, id, depth + 1, false)?;
        for way in &mut ways {
            way.guard = self.exprs.and([way.guard, holds]);
        }
        Some(ways)
    }

    fn optional(
        &mut self,
        side: Side,
        id: Option<NodeId>,
        depth: usize,
    ) -> Option<Vec<Alternative>> {
        match id {
            Some(id) => self.alternatives(side, id, depth + 1, false),
            None => Some(vec![Alternative {
                guard: Lit::TRUE,
                evaluated: Evaluated::default(),
            }]),
        }
    }

    /// The ways of `anyOf` and `oneOf`. Of the latter no two can be taken together.
    fn variant_ways(
        &mut self,
        side: Side,
        variants: &[NodeId],
        exactly_one: bool,
        depth: usize,
    ) -> Option<Vec<Alternative>> {
        if variants.len() > MAX_ALTERNATIVES {
            return None;
        }
        let mut each = Vec::new();
        for variant in variants {
            each.push(self.guarded(side, *variant, depth)?);
        }
        let first = each.first()?.first()?.evaluated.clone();
        if each.iter().flatten().all(|way| way.evaluated == first) {
            return Some(vec![Alternative {
                guard: Lit::TRUE,
                evaluated: first,
            }]);
        }
        let guards: Vec<Lit> = variants
            .iter()
            .map(|variant| self.node(side, *variant, depth + 1))
            .collect();
        let apart = exactly_one
            || guards.iter().enumerate().all(|(at, left)| {
                guards[at + 1..]
                    .iter()
                    .all(|right| self.exprs.are_disjoint(&[*left], &[*right]))
            });
        if apart {
            let ways: Vec<Alternative> = each.into_iter().flatten().collect();
            return (ways.len() <= MAX_ALTERNATIVES).then_some(ways);
        }
        if each.len() > MAX_TOGETHER {
            return None;
        }
        let mut ways = Vec::new();
        for chosen in 1..1_usize << each.len() {
            let mut together: Option<Vec<Alternative>> = None;
            for (at, variant) in each.iter().enumerate() {
                if chosen & (1 << at) != 0 {
                    together = Some(match together {
                        None => variant.clone(),
                        Some(others) => self.product(&others, variant)?,
                    });
                }
            }
            ways.extend(together.into_iter().flatten());
        }
        (ways.len() <= MAX_ALTERNATIVES).then_some(ways)
    }

    fn product(&mut self, left: &[Alternative], right: &[Alternative]) -> Option<Vec<Alternative>> {
        if left.len() * right.len() > MAX_ALTERNATIVES {
            return None;
        }
        let mut both = Vec::new();
        for left in left {
            for right in right {
                let guard = self.exprs.and([left.guard, right.guard]);
                if guard != Lit::FALSE {
                    let evaluated = left.evaluated.clone().union(&right.evaluated);
                    both.push(Alternative { guard, evaluated });
                }
            }
        }
        Some(both)
    }
}
