//! Closes a schema to properties that it does not name.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Draft, NodeId, Schema, SchemaError, Tree, upgrade};

pub(super) fn close(schema: &Schema) -> Result<Schema, SchemaError> {
    let upgraded = match schema.draft() {
        Draft::Draft202012 => schema.clone(),
        Draft::Draft7 => Schema::parse(&upgrade::to_202012(schema.as_value()))?,
    };
    let tree = upgraded.tree();
    let mut closed = upgraded.as_value().clone();
    let mut changed = false;
    for place in places(tree) {
        if !names_properties(&upgraded, place) {
            continue;
        }
        let target = closed
            .pointer_mut(&tree.nodes[place].pointer)
            .and_then(Value::as_object_mut);
        if let Some(keywords) = target
            && !keywords.contains_key("unevaluatedProperties")
        {
            keywords.insert("unevaluatedProperties".to_owned(), json!(false));
            changed = true;
        }
    }
    if changed {
        // What was added is a keyword of 2020-12: nothing is to be checked again.
        Schema::of_checked(&closed, Draft::Draft202012)
    } else {
        Ok(upgraded)
    }
}

/// The nodes that describe a value of their own, from the root inward.
fn places(tree: &Tree) -> Vec<NodeId> {
    let mut places = vec![Tree::root()];
    let mut seen = HashSet::from([Tree::root()]);
    let mut at = 0;
    while let Some(place) = places.get(at).copied() {
        at += 1;
        for node in described(tree, place) {
            let node = &tree.nodes[node];
            let inner = node
                .prefix_items
                .iter()
                .chain(&node.items)
                .chain(&node.unevaluated_items)
                .chain(node.properties.values())
                .chain(node.pattern_properties.values())
                .chain(&node.additional_properties)
                .chain(&node.unevaluated_properties);
            places.extend(inner.copied().filter(|id| seen.insert(*id)));
        }
    }
    places
}

/// A node and those in place that describe the same value.
fn described(tree: &Tree, place: NodeId) -> Vec<NodeId> {
    let mut nodes = vec![place];
    let mut at = 0;
    while let Some(id) = nodes.get(at).copied() {
        at += 1;
        let node = &tree.nodes[id];
        for next in node.in_place() {
            let decides = Some(next) == node.not || Some(next) == node.condition;
            if !decides && !nodes.contains(&next) {
                nodes.push(next);
            }
        }
    }
    nodes
}

/// Whether the value is said to have properties, be it none (`"properties": {}`).
fn names_properties(schema: &Schema, place: NodeId) -> bool {
    let tree = schema.tree();
    described(tree, place).into_iter().any(|id| {
        let node = schema.as_value().pointer(&tree.nodes[id].pointer);
        node.is_some_and(|node| node.get("properties").is_some())
    })
}
