//! Rewrites draft-07 keywords as 2020-12.

use serde_json::{Map, Value, json};

use super::Draft;
use super::index::children;

/// The same schema in 2020-12.
pub(super) fn to_202012(root: &Value) -> Value {
    let mut upgraded = root.clone();
    let mut open = vec![String::new()];
    let mut found = Vec::new();
    while let Some(pointer) = open.pop() {
        if let Some(keywords) = root.pointer(&pointer).and_then(Value::as_object) {
            open.extend(
                children(keywords, Draft::Draft7).map(|(_, step)| format!("{pointer}{step}")),
            );
            found.push(pointer);
        }
    }
    // Inner schemas first: their places are those of the old words.
    found.sort_by_key(|pointer| std::cmp::Reverse(pointer.len()));
    for pointer in found {
        if let Some(keywords) = upgraded
            .pointer_mut(&pointer)
            .and_then(Value::as_object_mut)
        {
            rewrite(keywords);
        }
    }
    if let Some(keywords) = upgraded.as_object_mut() {
        keywords.insert(
            "$schema".to_owned(),
            json!("https://json-schema.org/draft/2020-12/schema"),
        );
    }
    upgraded
}

fn rewrite(keywords: &mut Map<String, Value>) {
    keywords.remove("$schema");
    if keywords.contains_key("$ref") {
        keywords.retain(|keyword, _| ["$ref", "definitions", "$defs"].contains(&keyword.as_str()));
        if let Some(Value::String(reference)) = keywords.get_mut("$ref") {
            *reference = moved(reference);
        }
        return;
    }
    for of_other_drafts in [
        "dependentRequired",
        "dependentSchemas",
        "prefixItems",
        "minContains",
        "maxContains",
        "unevaluatedItems",
        "unevaluatedProperties",
        "$anchor",
        "$dynamicRef",
    ] {
        keywords.remove(of_other_drafts);
    }
    if let Some(id) = keywords
        .get("$id")
        .and_then(Value::as_str)
        .map(str::to_owned)
        && let Some((uri, anchor)) = id.split_once('#')
    {
        keywords.remove("$id");
        if !uri.is_empty() {
            keywords.insert("$id".to_owned(), json!(uri));
        }
        if !anchor.is_empty() {
            keywords.insert("$anchor".to_owned(), json!(anchor));
        }
    }
    if keywords.get("items").is_some_and(Value::is_array) {
        if let Some(items) = keywords.remove("items") {
            keywords.insert("prefixItems".to_owned(), items);
        }
        if let Some(items) = keywords.remove("additionalItems") {
            keywords.insert("items".to_owned(), items);
        }
    } else {
        keywords.remove("additionalItems");
    }
    if let Some(Value::Object(dependencies)) = keywords.remove("dependencies") {
        let (required, schemas): (Map<_, _>, Map<_, _>) = dependencies
            .into_iter()
            .partition(|(_, needs)| needs.is_array());
        if !required.is_empty() {
            keywords.insert("dependentRequired".to_owned(), Value::Object(required));
        }
        if !schemas.is_empty() {
            keywords.insert("dependentSchemas".to_owned(), Value::Object(schemas));
        }
    }
    if keywords
        .get("prefixItems")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty)
    {
        keywords.remove("prefixItems");
    }
}

/// Where a reference leads once the keywords on its way have their names of 2020-12.
fn moved(reference: &str) -> String {
    let mut steps: Vec<&str> = reference.split('/').collect();
    for at in 1..steps.len() {
        let next = steps.get(at + 1).copied();
        let is_index =
            |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
        steps[at] = match steps[at] {
            "dependencies" if next.is_some() => "dependentSchemas",
            "items" if next.is_some_and(is_index) => "prefixItems",
            "additionalItems" => "items",
            as_it_is => as_it_is,
        };
    }
    steps.join("/")
}
