//! Finds subschemas by `$id`, `$anchor` and JSON pointer.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Draft, SchemaError};

/// The places and names of the schemas in a value.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Base URI of the schema at a pointer, for all that were walked.
    bases: HashMap<String, String>,
    /// Pointer of a resource, by its URI.
    resources: HashMap<String, String>,
    /// Pointer of an anchor, by the URI of its resource and its name.
    anchors: HashMap<(String, String), String>,
    /// How often a `$dynamicAnchor` has this name.
    dynamic: HashMap<String, usize>,
}

/// Where a reference leads.
pub(super) enum Target {
    At(String),
    Missing,
    Remote,
}

impl Index {
    pub(super) fn of(root: &Value, draft: Draft) -> Result<Self, SchemaError> {
        let mut index = Index::default();
        index.resources.insert(String::new(), String::new());
        index.walk(root, String::new(), String::new(), draft)?;
        Ok(index)
    }

    /// Walks the schema at `pointer` and all under it.
    pub(super) fn walk(
        &mut self,
        schema: &Value,
        pointer: String,
        base: String,
        draft: Draft,
    ) -> Result<(), SchemaError> {
        let mut open = vec![(schema, pointer, base)];
        while let Some((schema, pointer, mut base)) = open.pop() {
            if let Some(keywords) = schema.as_object() {
                self.name(keywords, &pointer, &mut base, draft)?;
                for (child, step) in children(keywords, draft) {
                    open.push((child, format!("{pointer}{step}"), base.clone()));
                }
            }
            self.bases.insert(pointer, base);
        }
        Ok(())
    }

    /// Notes what the schema at `pointer` is called.
    fn name(
        &mut self,
        keywords: &Map<String, Value>,
        pointer: &str,
        base: &mut String,
        draft: Draft,
    ) -> Result<(), SchemaError> {
        if let Some(dialect) = keywords.get("$schema").and_then(Value::as_str)
            && Draft::named(dialect) != Some(draft)
        {
            return Err(SchemaError::UnknownDialect {
                pointer: pointer.to_owned(),
                dialect: dialect.to_owned(),
            });
        }
        let hidden = draft == Draft::Draft7 && keywords.contains_key("$ref");
        if let Some(id) = keywords
            .get("$id")
            .and_then(Value::as_str)
            .filter(|_| !hidden)
        {
            let (uri, anchor) = split_fragment(id);
            if !uri.is_empty() {
                *base = join(base, uri);
                self.resources.insert(base.clone(), pointer.to_owned());
            }
            if draft == Draft::Draft7 && !anchor.is_empty() {
                self.anchors
                    .insert((base.clone(), anchor.to_owned()), pointer.to_owned());
            }
        }
        if draft == Draft::Draft202012 {
            if let Some(anchor) = keywords.get("$anchor").and_then(Value::as_str) {
                self.anchors
                    .insert((base.clone(), anchor.to_owned()), pointer.to_owned());
            }
            if let Some(anchor) = keywords.get("$dynamicAnchor").and_then(Value::as_str) {
                self.anchors
                    .insert((base.clone(), anchor.to_owned()), pointer.to_owned());
                *self.dynamic.entry(anchor.to_owned()).or_default() += 1;
            }
        }
        Ok(())
    }

    /// The base URI of the schema at a pointer: its own, or that of the nearest one around it.
    pub(super) fn base(&self, pointer: &str) -> &str {
        let mut at = pointer;
        loop {
            if let Some(base) = self.bases.get(at) {
                return base;
            }
            match at.rfind('/') {
                Some(end) => at = &at[..end],
                None => return "",
            }
        }
    }

    /// Whether the schema at a pointer was walked.
    pub(super) fn knows(&self, pointer: &str) -> bool {
        self.bases.contains_key(pointer)
    }

    /// Whether a `$dynamicRef` to this has one target, however it is reached.
    pub(super) fn is_static(&self, reference: &str) -> bool {
        self.dynamic
            .get(split_fragment(reference).1)
            .is_none_or(|count| *count == 1)
    }

    /// Where a reference leads from the schema at a pointer.
    pub(super) fn resolve(&self, root: &Value, pointer: &str, reference: &str) -> Target {
        let (uri, fragment) = split_fragment(reference);
        let base = self.base(pointer);
        let uri = if uri.is_empty() {
            base.to_owned()
        } else {
            join(base, uri)
        };
        let Some(resource) = self.resources.get(&uri) else {
            return Target::Remote;
        };
        let fragment = percent_decode(fragment);
        if fragment.is_empty() || fragment.starts_with('/') {
            let target = format!("{resource}{fragment}");
            return match root.pointer(&target) {
                Some(_) => Target::At(target),
                None => Target::Missing,
            };
        }
        match self.anchors.get(&(uri, fragment)) {
            Some(target) => Target::At(target.clone()),
            None => Target::Missing,
        }
    }
}

/// The schemas directly in a schema, each with the pointer from it.
pub(super) fn children(
    keywords: &Map<String, Value>,
    draft: Draft,
) -> impl Iterator<Item = (&Value, String)> {
    const ONE: [&str; 12] = [
        "additionalProperties",
        "additionalItems",
        "propertyNames",
        "contains",
        "not",
        "if",
        "then",
        "else",
        "items",
        "unevaluatedProperties",
        "unevaluatedItems",
        "contentSchema",
    ];
    const MANY: [&str; 5] = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];
    const NAMED: [&str; 6] = [
        "properties",
        "patternProperties",
        "$defs",
        "definitions",
        "dependentSchemas",
        "dependencies",
    ];
    let hidden = draft == Draft::Draft7 && keywords.contains_key("$ref");
    let mut found = Vec::new();
    for (keyword, value) in keywords {
        let keyword = keyword.as_str();
        // Beside a `$ref`, draft-07 knows no keywords; definitions are still referred to.
        if hidden && keyword != "definitions" && keyword != "$defs" {
            continue;
        }
        match value {
            Value::Array(items) if MANY.contains(&keyword) => {
                for (at, item) in items.iter().enumerate() {
                    found.push((item, format!("/{keyword}/{at}")));
                }
            }
            Value::Object(members) if NAMED.contains(&keyword) => {
                for (name, member) in members {
                    if !member.is_array() {
                        found.push((member, format!("/{keyword}/{}", escape(name))));
                    }
                }
            }
            Value::Object(_) | Value::Bool(_) if ONE.contains(&keyword) => {
                found.push((value, format!("/{keyword}")));
            }
            _ => {}
        }
    }
    found.into_iter()
}

/// A property's name as a part of a JSON Pointer.
pub(super) fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn split_fragment(reference: &str) -> (&str, &str) {
    reference.split_once('#').unwrap_or((reference, ""))
}

/// Resolves a reference without a fragment against a base, for the forms that schemas use:
/// absolute, from the root of the authority, and relative to the folder of the base.
fn join(base: &str, reference: &str) -> String {
    let is_absolute = reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if is_absolute {
        return reference.to_owned();
    }
    let authority_end = base.find("://").map_or(0, |at| {
        base[at + 3..]
            .find('/')
            .map_or(base.len(), |slash| at + 3 + slash)
    });
    if reference.starts_with('/') {
        return format!("{}{reference}", &base[..authority_end]);
    }
    let mut folder: Vec<&str> = base[authority_end..].split('/').collect();
    folder.pop();
    let mut parts = reference;
    while let Some(rest) = parts.strip_prefix("../") {
        if folder.len() > 1 {
            folder.pop();
        }
        parts = rest;
    }
    folder.push(parts.strip_prefix("./").unwrap_or(parts));
    let path = folder.join("/");
    let slash = if authority_end > 0 && !path.starts_with('/') {
        "/"
    } else {
        ""
    };
    format!("{}{slash}{path}", &base[..authority_end])
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match tail {
            [high, low, ..] if *first == b'%' => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|hex| u8::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        if let Some(byte) = code {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_joined_to_their_base() {
        assert_eq!(
            join("https://a.example/x/y.json", "z.json"),
            "https://a.example/x/z.json"
        );
        assert_eq!(
            join("https://a.example/x/y.json", "../z.json"),
            "https://a.example/z.json"
        );
        assert_eq!(
            join("https://a.example/x/y.json", "/z.json"),
            "https://a.example/z.json"
        );
        assert_eq!(
            join("https://a.example", "z.json"),
            "https://a.example/z.json"
        );
        assert_eq!(join("https://a.example/x", "urn:b:c"), "urn:b:c");
        assert_eq!(join("", "z.json"), "z.json");
        assert_eq!(percent_decode("/a%20b%zz"), "/a b%zz");
    }
}
