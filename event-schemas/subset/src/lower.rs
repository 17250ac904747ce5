//! Lowers schemas to expressions.

mod arrays;
mod evaluation;
mod objects;
mod unevaluated;
mod values;

use std::collections::BTreeSet;
use std::rc::Rc;

use foldhash::{HashMap, HashMapExt};

use crate::expr::{Atom, Exprs, Lit, Origin, Scalar, Side};
use crate::number;
use crate::schema::{Draft, Format, Node, NodeId, Schema, Tree};
use crate::types::{Type, TypeSet};

/// How deep schemas are lowered at once; deeper ones are when they are needed.
const MAX_DEPTH: usize = 24;
/// How many pairs of variants may overlap.
const MAX_PAIRS: usize = 40_000;

/// Lowers nodes of two schemas into one set of expressions.
#[derive(Debug)]
pub(crate) struct Lowering<'a> {
    pub(crate) exprs: Exprs,
    sub: &'a Tree,
    sup: &'a Tree,
    nodes: HashMap<(bool, NodeId), Option<Lit>>,
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(sub: &'a Schema, sup: &'a Schema) -> Self {
        Self {
            exprs: Exprs::new(),
            sub: sub.tree(),
            sup: sup.tree(),
            nodes: HashMap::new(),
        }
    }

    /// The expression of a whole schema.
    pub(crate) fn root(&mut self, side: Side) -> Lit {
        let root = Tree::root();
        let lowered = self.node(side, root, 0);
        self.exprs.look_again();
        lowered
    }

    /// A literal that says what it means and is no mere name of a node.
    pub(crate) fn resolve(&mut self, lit: Lit) -> Lit {
        let mut at = lit;
        while let crate::expr::Expr::Node(side, node) = *self.exprs.get(at) {
            let lowered = self.node(side, node, 0);
            at = if at.is_negative() {
                lowered.negated()
            } else {
                lowered
            };
        }
        at
    }

    fn tree(&self, side: Side) -> &'a Tree {
        match side {
            Side::Sub => self.sub,
            Side::Sup => self.sup,
        }
    }

    fn node(&mut self, side: Side, id: NodeId, depth: usize) -> Lit {
        let key = (side == Side::Sub, id);
        match self.nodes.get(&key) {
            Some(Some(lowered)) => return *lowered,
            // Being lowered further out: a schema that contains itself.
            Some(None) => return self.exprs.node(side, id),
            None if depth > MAX_DEPTH => return self.exprs.node(side, id),
            None => {}
        }
        self.nodes.insert(key, None);
        let node = &self.tree(side).nodes[id];
        let lowered = match node.boolean {
            Some(true) => Lit::TRUE,
            Some(false) => Lit::FALSE,
            None => self.keywords(side, id, node, depth),
        };
        let name = self.exprs.node(side, id);
        self.exprs.resolve_to(name, lowered);
        self.nodes.insert(key, Some(lowered));
        lowered
    }

    fn keywords(&mut self, side: Side, id: NodeId, node: &Node, depth: usize) -> Lit {
        let draft = self.tree(side).draft;
        let mut parts = Vec::new();
        self.values(node, &mut parts);
        self.numbers(node, draft, &mut parts);
        self.strings(node, draft, &mut parts);
        self.arrays(side, node, depth, &mut parts);
        self.objects(side, node, depth, &mut parts);
        for inner in node.references.iter().chain(&node.all_of) {
            parts.push(self.node(side, *inner, depth + 1));
        }
        self.variants(side, node, depth, &mut parts);
        if let Some(not) = node.not {
            let not = self.node(side, not, depth + 1).negated();
            self.exprs.note(not, Origin::Not);
            parts.push(not);
        }
        self.condition(side, node, depth, &mut parts);
        self.unevaluated(side, id, node, depth, &mut parts);
        self.exprs.and(parts)
    }

    fn numbers(&mut self, node: &Node, draft: Draft, parts: &mut Vec<Lit>) {
        let bounds = [
            node.minimum.clone().map(|bound| Atom::Above {
                bound,
                strict: false,
            }),
            node.exclusive_minimum.clone().map(|bound| Atom::Above {
                bound,
                strict: true,
            }),
            node.maximum.clone().map(|bound| Atom::Below {
                bound,
                strict: false,
            }),
            node.exclusive_maximum.clone().map(|bound| Atom::Below {
                bound,
                strict: true,
            }),
            node.multiple_of.clone().map(Atom::MultipleOf),
        ];
        for atom in bounds.into_iter().flatten() {
            parts.push(self.exprs.atom(atom));
        }
        let format = node.format.as_deref().map(|name| Format::of(name, draft));
        if let Some(Format::Range(low, high)) = format {
            let (low, high) = (
                num_rational::BigRational::from_integer(low.into()),
                num_rational::BigRational::from_integer(high.into()),
            );
            parts.push(self.exprs.atom(Atom::Above {
                bound: low,
                strict: false,
            }));
            parts.push(self.exprs.atom(Atom::Below {
                bound: high,
                strict: false,
            }));
        }
    }

    fn strings(&mut self, node: &Node, draft: Draft, parts: &mut Vec<Lit>) {
        parts.extend(
            node.min_length
                .map(|min| self.exprs.atom(Atom::MinLength(min))),
        );
        parts.extend(
            node.max_length
                .map(|max| self.exprs.atom(Atom::MaxLength(max))),
        );
        if let Some(source) = &node.pattern {
            let pattern = self.exprs.pattern_id(source);
            parts.push(self.exprs.atom(Atom::Pattern(pattern)));
        }
        if let Some(name) = node.format.as_deref() {
            match Format::of(name, draft) {
                Format::Checked => parts.push(self.exprs.atom(Atom::Format(name.into()))),
                Format::Unknown => {
                    let label = format!("the format {name:?} is not known").into();
                    parts.push(self.exprs.atom(Atom::Opaque(Type::String, label)));
                }
                Format::Range(..) | Format::Nothing => {}
            }
        }
        for content in &node.content {
            let content = content.to_string().into();
            parts.push(self.exprs.atom(Atom::Format(content)));
        }
    }

    fn variants(&mut self, side: Side, node: &Node, depth: usize, parts: &mut Vec<Lit>) {
        for (all, exactly_one) in [(&node.any_of, false), (&node.one_of, true)] {
            if all.is_empty() {
                continue;
            }
            let variants: Rc<[Lit]> = all
                .iter()
                .map(|variant| self.node(side, *variant, depth + 1))
                .collect();
            let some = self.exprs.or(variants.iter().copied());
            self.exprs
                .note(some, Origin::Variants(Rc::clone(&variants)));
            parts.push(some);
            if exactly_one {
                self.not_two(&variants, parts);
            }
        }
    }

    /// Of the variants of a `oneOf`, no two may hold: with each of them none of those after it.
    /// The order is that of the expressions, so that it is the same for both schemas.
    fn not_two(&mut self, variants: &[Lit], parts: &mut Vec<Lit>) {
        let mut variants = variants.to_vec();
        variants.sort_unstable();
        let mut pairs = 0;
        for (at, one) in variants.iter().enumerate() {
            let mut others = variants[at + 1..].to_vec();
            others.retain(|other| !self.exprs.are_disjoint(&[*one], &[*other]));
            if others.is_empty() {
                continue;
            }
            pairs += others.len();
            if pairs > MAX_PAIRS {
                self.give_up("`oneOf` has too many variants that may overlap", parts);
                return;
            }
            let another = self.exprs.or(others);
            let both = self.exprs.and([*one, another]).negated();
            self.exprs.note(both, Origin::Ambiguous);
            parts.push(both);
        }
    }

    fn condition(&mut self, side: Side, node: &Node, depth: usize, parts: &mut Vec<Lit>) {
        let Some(condition) = node.condition else {
            return;
        };
        let condition = self.node(side, condition, depth + 1);
        for (when, then) in [
            (condition, node.then),
            (condition.negated(), node.otherwise),
        ] {
            if let Some(then) = then {
                let then = self.node(side, then, depth + 1);
                let either = self.exprs.or([when.negated(), then]);
                self.exprs.note(either, Origin::Condition);
                parts.push(either);
            }
        }
    }

    /// Adds an assertion of which nothing is known, for values of all types.
    fn give_up(&mut self, why: &str, parts: &mut Vec<Lit>) {
        for of in Type::ALL {
            parts.push(self.exprs.atom(Atom::Opaque(of, why.into())));
        }
    }

    pub(crate) fn scalars(&mut self, scalars: BTreeSet<Scalar>) -> Lit {
        self.exprs.atom(Atom::Scalars(Rc::new(scalars)))
    }

    pub(crate) fn of_type(&mut self, of: Type) -> Lit {
        self.exprs.atom(Atom::Types(TypeSet::only(of)))
    }

    fn integer(&mut self) -> Lit {
        self.exprs.atom(Atom::MultipleOf(number::one()))
    }
}
