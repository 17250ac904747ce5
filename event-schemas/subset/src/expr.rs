//! Expressions: assertions about a value with `and` and `not`, each stored once.
//!
//! Each expression exists once, so equal expressions have equal [`Lit`]s. Parts that are the same
//! in both schemas therefore cancel out without being examined.

mod atom;
mod digest;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use foldhash::{HashMap, HashMapExt};

pub(crate) use atom::{Atom, Keys, Scalar};

use crate::schema::NodeId;
use crate::text::Pattern;

/// An expression, or its negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Lit(u32);

impl Lit {
    /// What every value satisfies.
    pub(crate) const TRUE: Lit = Lit(0);
    /// What no value satisfies.
    pub(crate) const FALSE: Lit = Lit(1);

    pub(crate) fn negated(self) -> Self {
        Lit(self.0 ^ 1)
    }

    pub(crate) fn is_negative(self) -> bool {
        self.0 & 1 == 1
    }

    fn index(self) -> usize {
        (self.0 >> 1) as usize
    }
}

/// An expression about one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Expr {
    /// Satisfied by every value.
    True,
    /// All of these. Its negation is how `or` is written.
    And(Rc<[Lit]>),
    /// The schema of a node, which may not be lowered yet.
    Node(Side, NodeId),
    /// A single assertion.
    Atom(Atom),
}

/// Which of the two schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    Sub,
    Sup,
}

/// A pattern's place in [`Exprs`].
pub(crate) type PatternId = usize;

/// What a schema said where an expression by itself no longer shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `anyOf` or `oneOf`: at least one of these.
    Variants(Rc<[Lit]>),
    /// `oneOf`: not this variant and another one.
    Ambiguous,
    /// `enum` with values that have parts.
    Enum,
    /// `const` with a value that has parts.
    Const,
    /// `not`.
    Not,
    /// `if`, `then`, `else`.
    Condition,
    /// `dependentRequired`: with the first property also the second.
    DependentRequired(Rc<str>, Rc<str>),
    /// `dependentSchemas` for a property.
    DependentSchema(Rc<str>),
    /// `unevaluatedProperties` or `unevaluatedItems`: for each way to evaluate, when it is
    /// taken, and what it asks for then.
    Unevaluated(Rc<[(Lit, Lit)]>),
    /// `unevaluatedProperties` for a property by this name.
    UnevaluatedProperty(Rc<str>),
}

/// All expressions of a comparison.
#[derive(Debug)]
pub(crate) struct Exprs {
    all: Vec<Expr>,
    ids: HashMap<Expr, u32>,
    origins: HashMap<Lit, Origin>,
    resolved: HashMap<Lit, Lit>,
    patterns: Vec<(String, OnceCell<Option<Pattern>>)>,
    pattern_ids: HashMap<String, PatternId>,
    digests: HashMap<Lit, digest::Digest>,
}

impl Exprs {
    pub(crate) fn new() -> Self {
        let mut exprs = Self {
            all: Vec::new(),
            ids: HashMap::new(),
            origins: HashMap::new(),
            resolved: HashMap::new(),
            patterns: Vec::new(),
            pattern_ids: HashMap::new(),
            digests: HashMap::new(),
        };
        exprs.intern(Expr::True);
        exprs
    }

    fn intern(&mut self, expr: Expr) -> Lit {
        if let Some(id) = self.ids.get(&expr) {
            return Lit(id << 1);
        }
        // 2^31 expressions do not fit into memory.
        let id = u32::try_from(self.all.len()).unwrap_or(u32::MAX >> 1);
        self.all.push(expr.clone());
        self.ids.insert(expr, id);
        Lit(id << 1)
    }

    /// The expression that a literal affirms or negates.
    pub(crate) fn get(&self, lit: Lit) -> &Expr {
        &self.all[lit.index()]
    }

    pub(crate) fn atom(&mut self, atom: Atom) -> Lit {
        self.intern(Expr::Atom(atom))
    }

    /// The schema of a node that is to be lowered when it is needed.
    pub(crate) fn node(&mut self, side: Side, node: NodeId) -> Lit {
        self.intern(Expr::Node(side, node))
    }

    pub(crate) fn and(&mut self, lits: impl IntoIterator<Item = Lit>) -> Lit {
        let mut flat = BTreeSet::new();
        for lit in lits {
            match self.get(lit) {
                Expr::And(inner) if !lit.is_negative() && !self.origins.contains_key(&lit) => {
                    flat.extend(inner.iter().copied());
                }
                _ => {
                    flat.insert(lit);
                }
            }
        }
        flat.remove(&Lit::TRUE);
        if flat.contains(&Lit::FALSE) || flat.iter().any(|lit| flat.contains(&lit.negated())) {
            return Lit::FALSE;
        }
        match flat.len() {
            0 => Lit::TRUE,
            1 => flat.first().copied().unwrap_or(Lit::TRUE),
            _ => self.intern(Expr::And(flat.into_iter().collect())),
        }
    }

    pub(crate) fn or(&mut self, lits: impl IntoIterator<Item = Lit>) -> Lit {
        self.and(lits.into_iter().map(Lit::negated).collect::<Vec<_>>())
            .negated()
    }

    /// Remembers what a schema said. What was said first stays, and what an expression shows
    /// by itself is left out: a choice of one is no choice.
    pub(crate) fn note(&mut self, lit: Lit, origin: Origin) {
        let is_conjunction = matches!(self.get(lit), Expr::And(_));
        let fits = match &origin {
            Origin::Const => !lit.is_negative(),
            Origin::Variants(among) => lit.is_negative() && !among.contains(&lit),
            Origin::Unevaluated(ways) => {
                lit.is_negative() && !ways.iter().any(|(_, rest)| *rest == lit)
            }
            _ => lit.is_negative(),
        };
        if is_conjunction && fits {
            self.origins.entry(lit).or_insert(origin);
        }
    }

    pub(crate) fn origin(&self, lit: Lit) -> Option<&Origin> {
        self.origins.get(&lit)
    }

    /// Remembers what the schema of a node says.
    pub(crate) fn resolve_to(&mut self, node: Lit, lowered: Lit) {
        self.resolved.insert(node, lowered);
    }

    /// What the schema of a node says, if it was lowered; any other literal is itself.
    pub(crate) fn resolved(&self, lit: Lit) -> Option<Lit> {
        let mut at = lit;
        while matches!(self.get(at), Expr::Node(..)) {
            let positive = if at.is_negative() { at.negated() } else { at };
            let lowered = *self.resolved.get(&positive)?;
            at = if at.is_negative() {
                lowered.negated()
            } else {
                lowered
            };
        }
        Some(at)
    }

    pub(crate) fn pattern_id(&mut self, source: &str) -> PatternId {
        if let Some(id) = self.pattern_ids.get(source) {
            return *id;
        }
        let id = self.patterns.len();
        self.patterns.push((source.to_owned(), OnceCell::new()));
        self.pattern_ids.insert(source.to_owned(), id);
        id
    }

    /// The automaton of a pattern; `None` if there is none.
    pub(crate) fn pattern(&self, id: PatternId) -> Option<&Pattern> {
        let (source, automaton) = &self.patterns[id];
        automaton
            .get_or_init(|| Pattern::of_schema(source))
            .as_ref()
    }

    pub(crate) fn pattern_source(&self, id: PatternId) -> &str {
        &self.patterns[id].0
    }
}
