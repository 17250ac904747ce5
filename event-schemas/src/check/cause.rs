//! Finds the Rust type that causes a break, and the consumers of the event.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Catalogue;
use crate::compat::{Cause, EventRule, Finding, Rule, fields};
use crate::lock::Lock;
use crate::schema::defs;

/// Gives each finding its cause and the consumers of its event.
pub(super) fn find(findings: &mut [Finding], catalogue: &Catalogue, files: Option<&Lock>) {
    let mut consumers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in findings {
        let Some(subject) = finding.event.clone() else {
            continue;
        };
        let known = consumers
            .entry(subject.clone())
            .or_insert_with(|| consumers_of(&subject, catalogue, files));
        // A finding about the type of one consumer names that one already.
        if finding.rule == Rule::Event(EventRule::ReceiverDiffers) {
            continue;
        }
        finding.consumers.clone_from(known);
        if let Some(path) = finding.path.clone() {
            finding.cause = cause(finding, &subject, &path, catalogue, files);
        }
    }
}

fn consumers_of(subject: &str, catalogue: &Catalogue, files: Option<&Lock>) -> Vec<String> {
    let entries = catalogue.events().iter();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.spec().subject() == subject)
        .flat_map(|entry| catalogue.consumers_of(entry.spec()))
        .map(|(service, _)| service.name().to_owned())
        .collect();
    let locked = files.and_then(|lock| {
        lock.events()
            .iter()
            .find(|event| event.subject() == subject)
    });
    let newest = locked.and_then(crate::lock::LockedEvent::newest);
    names.extend(
        newest
            .into_iter()
            .flat_map(|newest| newest.consumers().iter().cloned()),
    );
    names.sort();
    names.dedup();
    names
}

/// The type of the field, as one of the schemas of both versions has it.
fn cause(
    finding: &Finding,
    subject: &str,
    path: &str,
    catalogue: &Catalogue,
    files: Option<&Lock>,
) -> Option<Cause> {
    let versions = finding.versions?;
    let of_event = catalogue.events().iter();
    let entry = of_event
        .filter(|entry| entry.spec().subject() == subject)
        .find(|entry| entry.spec().version() == versions.new)?;
    let old = files
        .and_then(|lock| {
            lock.events()
                .iter()
                .find(|event| event.subject() == subject)
        })
        .and_then(|event| event.version(versions.old));
    let mut schemas = [entry.reader(), entry.writer()]
        .into_iter()
        .chain(old.into_iter().flat_map(|old| [old.reader(), old.writer()]));
    let name = entry.spec().name();
    schemas.find_map(|schema| in_schema(schema, path, name))
}

fn in_schema(schema: &Value, path: &str, name: &str) -> Option<Cause> {
    let field = fields::of(schema)
        .into_iter()
        .find(|field| field.path == path)?;
    if let Some(ty) = schema.pointer(&field.pointer).and_then(referred) {
        return Some(Cause { ty, field: None });
    }
    let Some(inner) = field.pointer.strip_prefix("/$defs/") else {
        return Some(Cause {
            ty: name.to_owned(),
            field: Some(path.to_owned()),
        });
    };
    let (ty, within) = inner.split_once('/')?;
    Some(Cause {
        ty: unescaped(ty),
        field: Some(names(within)).filter(|names| !names.is_empty()),
    })
}

/// The definition that a schema is: itself, if there is a value, or each of its items.
fn referred(schema: &Value) -> Option<String> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return defs::name_in(reference);
    }
    let options = schema.get("anyOf").and_then(Value::as_array);
    let mut some = options
        .into_iter()
        .flatten()
        .filter(|option| option.get("type").is_none_or(|of| of != "null"));
    match (some.next(), some.next()) {
        (Some(one), None) => referred(one),
        _ => None,
    }
}

/// The names of the fields on a pointer within a type.
fn names(pointer: &str) -> String {
    let mut path = String::new();
    let mut steps = pointer.split('/');
    while let Some(step) = steps.next() {
        match step {
            "properties" => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&unescaped(steps.next().unwrap_or_default()));
            }
            "items" | "prefixItems" => path.push_str("[]"),
            "additionalProperties" | "patternProperties" => path.push_str(".*"),
            _ => {}
        }
    }
    path
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}
