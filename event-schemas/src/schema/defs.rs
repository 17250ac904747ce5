//! Moves subschemas into and out of `$defs`, and rewrites references.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::walk;

/// Where definitions stand.
const DEFS: &str = "#/$defs/";

/// The definitions of a document under construction.
#[derive(Debug, Default)]
pub(crate) struct Defs(Map<String, Value>);

impl Defs {
    /// Adds a schema and its own definitions, and answers the reference to it.
    /// Definitions that are there already with the same meaning are shared;
    /// others get `suffix`, and a number where that is taken too.
    pub(crate) fn add(&mut self, name: &str, suffix: &str, schema: &Value) -> String {
        let mut root = schema.clone();
        let mut own = BTreeMap::new();
        if let Some(keywords) = root.as_object_mut() {
            keywords.remove("$schema");
            if let Some(Value::Object(defs)) = keywords.remove("$defs") {
                own.extend(defs);
            }
        }
        let name = free(name, |taken| own.contains_key(taken));
        own.insert(name.clone(), root);
        for schema in own.values_mut() {
            lead(schema, |old| (old == "#").then(|| reference(&name)));
        }
        let renamed = self.names_for(&own, suffix);
        for (old, mut schema) in own {
            let new = renamed.get(&old).cloned().unwrap_or(old);
            lead(&mut schema, |old| {
                renamed.get(&name_in(old)?).map(|new| reference(new))
            });
            self.0.insert(new, schema);
        }
        reference(renamed.get(&name).unwrap_or(&name))
    }

    /// The definitions, for `$defs`.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// New names for those of `own` that mean something else than what is there,
    /// also when only something that they refer to does.
    fn names_for(&self, own: &BTreeMap<String, Value>, suffix: &str) -> BTreeMap<String, String> {
        let mut other: BTreeSet<&String> = own
            .iter()
            .filter(|(name, schema)| self.0.get(*name).is_some_and(|there| there != *schema))
            .map(|(name, _)| name)
            .collect();
        loop {
            let before = other.len();
            for (name, schema) in own {
                let refers = || references(schema).iter().any(|to| other.contains(to));
                if self.0.contains_key(name) && !other.contains(name) && refers() {
                    other.insert(name);
                }
            }
            if other.len() == before {
                break;
            }
        }
        let mut renamed = BTreeMap::new();
        for name in other {
            let new = free(&format!("{name}{suffix}"), |taken| {
                let given = renamed.values().any(|given: &String| given == taken);
                given || self.0.contains_key(taken) || own.contains_key(taken)
            });
            renamed.insert(name.clone(), new);
        }
        renamed
    }
}

/// The schema to which `reference` leads, in a document, as one that stands alone.
pub(crate) fn alone(document: &Value, reference: &str) -> Option<Value> {
    let mut root = target(document, reference)?.clone();
    let own = name_in(reference)?;
    let mut wanted: BTreeSet<String> = references(&root);
    let mut defs = BTreeMap::new();
    while let Some(name) = wanted.pop_first() {
        if name == own || defs.contains_key(&name) {
            continue;
        }
        let schema = target(document, &self::reference(&name))?.clone();
        wanted.extend(references(&schema));
        defs.insert(name, schema);
    }
    for schema in defs.values_mut().chain([&mut root]) {
        let own = own.as_str();
        lead(schema, |old| (name_in(old)? == own).then(|| "#".to_owned()));
    }
    if let Some(keywords) = root.as_object_mut() {
        let dialect = document.get("$schema").cloned();
        keywords.extend(dialect.map(|dialect| ("$schema".to_owned(), dialect)));
        if !defs.is_empty() {
            keywords.insert(
                "$defs".to_owned(),
                Value::Object(defs.into_iter().collect()),
            );
        }
    }
    Some(root)
}

/// What a reference within `document` leads to.
pub(crate) fn target<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    if reference == "#" {
        return Some(document);
    }
    document.get("$defs")?.get(&name_in(reference)?)
}

/// The reference to a definition, escaped as a JSON Pointer in a URI's fragment.
fn reference(name: &str) -> String {
    use std::fmt::Write as _;

    let mut text = DEFS.to_owned();
    for char in name.replace('~', "~0").replace('/', "~1").chars() {
        if char.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(char) {
            text.push(char);
        } else {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                // Writing into memory has no way to fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// The name of the definition to which a reference leads.
pub(crate) fn name_in(reference: &str) -> Option<String> {
    let escaped = reference.strip_prefix(DEFS)?;
    let mut bytes = Vec::new();
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    Some(name.replace("~1", "/").replace("~0", "~"))
}

/// `name`, or the first of `name2`, `name3` and so on that is not taken.
fn free(name: &str, taken: impl Fn(&str) -> bool) -> String {
    if !taken(name) {
        return name.to_owned();
    }
    let mut number = 2_u32;
    loop {
        let next = format!("{name}{number}");
        if !taken(&next) {
            return next;
        }
        number += 1;
    }
}

/// The definitions to which a schema refers.
fn references(schema: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    walk::each(schema, &mut |keywords| {
        let reference = keywords.get("$ref").and_then(Value::as_str);
        names.extend(reference.and_then(name_in));
    });
    names
}

/// Leads each reference for which `to` has another to that.
fn lead(schema: &mut Value, to: impl Fn(&str) -> Option<String>) {
    walk::each_mut(schema, &mut |keywords| {
        if let Some(reference) = keywords.get_mut("$ref")
            && let Some(new) = reference.as_str().and_then(&to)
        {
            *reference = new.into();
        }
    });
}
