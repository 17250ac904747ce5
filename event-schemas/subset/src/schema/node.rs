//! `Node`: the keywords of one schema, in one form for both drafts.

use std::collections::BTreeMap;

use num_rational::BigRational;
use serde_json::Value;

use crate::types::TypeSet;

/// A node's place in [`Tree`](super::Tree).
pub(crate) type NodeId = usize;

/// One schema: a boolean, or its keywords.
///
/// draft-07 is read into the words of 2020-12: an array of `items` is `prefix_items`,
/// `additionalItems` is `items`, `dependencies` are the two dependent keywords, and what
/// stands beside a `$ref` is not there. 2020-12 has `dependencies` still, and the validator
/// asserts them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub pointer: String,
    pub boolean: Option<bool>,
    pub references: Vec<NodeId>,
    /// The last reference as written, for errors.
    pub reference_text: Option<String>,
    pub types: Option<TypeSet>,
    pub enumeration: Option<Vec<Value>>,
    pub constant: Option<Value>,
    pub multiple_of: Option<BigRational>,
    pub minimum: Option<BigRational>,
    pub maximum: Option<BigRational>,
    pub exclusive_minimum: Option<BigRational>,
    pub exclusive_maximum: Option<BigRational>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub pattern: Option<String>,
    pub format: Option<String>,
    /// `contentEncoding` and `contentMediaType` where the draft asserts them, each as a schema.
    pub content: Vec<Value>,
    pub prefix_items: Vec<NodeId>,
    pub items: Option<NodeId>,
    pub contains: Option<NodeId>,
    pub min_contains: Option<u64>,
    pub max_contains: Option<u64>,
    pub min_items: Option<u64>,
    pub max_items: Option<u64>,
    pub unique_items: bool,
    pub unevaluated_items: Option<NodeId>,
    pub properties: BTreeMap<String, NodeId>,
    pub pattern_properties: BTreeMap<String, NodeId>,
    pub additional_properties: Option<NodeId>,
    pub unevaluated_properties: Option<NodeId>,
    pub property_names: Option<NodeId>,
    pub required: Vec<String>,
    pub min_properties: Option<u64>,
    pub max_properties: Option<u64>,
    pub dependent_required: BTreeMap<String, Vec<String>>,
    pub dependent_schemas: BTreeMap<String, NodeId>,
    /// Schemas in `dependencies` of 2020-12, which evaluate nothing.
    pub dependencies: BTreeMap<String, NodeId>,
    pub all_of: Vec<NodeId>,
    pub any_of: Vec<NodeId>,
    pub one_of: Vec<NodeId>,
    pub not: Option<NodeId>,
    pub condition: Option<NodeId>,
    pub then: Option<NodeId>,
    pub otherwise: Option<NodeId>,
}

impl Node {
    /// The schemas that speak of the same value as this one.
    pub(crate) fn in_place(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.references
            .iter()
            .chain(&self.all_of)
            .chain(&self.any_of)
            .chain(&self.one_of)
            .chain(&self.not)
            .chain(&self.condition)
            .chain(&self.then)
            .chain(&self.otherwise)
            .chain(self.dependent_schemas.values())
            .chain(self.dependencies.values())
            .copied()
    }
}
