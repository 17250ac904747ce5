//! Finds the file and line that a finding points at.

use std::collections::BTreeMap;
use std::path::Path;

use jsonc_parser::ast::{Object, Value as Node};
use jsonc_parser::{CollectOptions, ParseOptions};

use crate::compat::{EventRule, Finding, Rule, fields};
use crate::lock::{Lock, LockedVersion};

/// Gives each finding about an event that has no place yet the file of the version that
/// is agreed on, and the line of its field there.
pub(super) fn locate(findings: &mut [Finding], folder: &Path, files: Option<&Lock>) {
    let Some(lock) = files else {
        return;
    };
    let mut texts = BTreeMap::new();
    for finding in findings
        .iter_mut()
        .filter(|finding| finding.place.is_none())
    {
        let Some(version) = version_of(finding, lock) else {
            continue;
        };
        let golden = finding.rule == Rule::Event(EventRule::GoldenRefused);
        let file = if golden {
            version.golden().path().to_owned()
        } else {
            version.schema_path().to_owned()
        };
        let text = texts.entry(file.clone()).or_insert_with(|| {
            // Without the text there is still the file to be named.
            std::fs::read_to_string(folder.join(&file)).unwrap_or_default()
        });
        let path = finding.path.as_deref();
        let line = path.and_then(|path| line_of_field(version, path, text));
        finding.place = Some(crate::compat::Place::of_contracts(file, line));
    }
}

/// The version whose file is shown: the old one, which others rely on.
fn version_of<'a>(finding: &Finding, lock: &'a Lock) -> Option<&'a LockedVersion> {
    let subject = finding.event.as_ref()?;
    let event = lock
        .events()
        .iter()
        .find(|event| event.subject() == subject)?;
    let versions = finding.versions;
    let old = versions.and_then(|versions| event.version(versions.old));
    let new = versions.and_then(|versions| event.version(versions.new));
    old.or(new).or(event.newest())
}

/// The line of the field, or of what it lies in if this version does not have it.
fn line_of_field(version: &LockedVersion, path: &str, text: &str) -> Option<usize> {
    for side in ["read", "written"] {
        let reference = version.envelope().get("x-event")?.get(side)?.as_str()?;
        let base = fields::pointer_of(reference);
        let schema = if side == "read" {
            version.reader()
        } else {
            version.writer()
        };
        let field = fields::of(schema)
            .into_iter()
            .find(|field| field.path == path);
        if let Some(field) = field {
            return line_of(text, &in_file(&base, &field.pointer));
        }
    }
    let reference = version.envelope().get("x-event")?.get("read")?.as_str()?;
    line_of(text, &fields::pointer_of(reference))
}

/// The pointer in the file: definitions stand beside the schema of the data there.
fn in_file(base: &str, pointer: &str) -> String {
    if pointer.starts_with("/$defs/") {
        pointer.to_owned()
    } else {
        format!("{base}{pointer}")
    }
}

/// The line, counted from 1, at which the value of a JSON Pointer begins.
fn line_of(text: &str, pointer: &str) -> Option<usize> {
    let parsed =
        jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    let mut node = parsed.ok()?.value?;
    let mut at = start(&node);
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        (at, node) = within(node, &step)?;
    }
    let before = text.get(..at)?;
    Some(before.matches('\n').count() + 1)
}

fn within<'a>(node: Node<'a>, step: &str) -> Option<(usize, Node<'a>)> {
    match node {
        Node::Object(Object { properties, .. }) => {
            let mut properties = properties.into_iter();
            let property = properties.find(|property| property.name.as_str() == step)?;
            Some((property.range.start, property.value))
        }
        Node::Array(array) => {
            let node = array.elements.into_iter().nth(step.parse().ok()?)?;
            Some((start(&node), node))
        }
        _ => None,
    }
}

fn start(node: &Node<'_>) -> usize {
    use jsonc_parser::common::Ranged as _;
    node.range().start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_found_at_its_name() {
        let text = "{\n  \"a/b\": {\n    \"list\": [\n      1,\n      2\n    ]\n  }\n}\n";
        assert_eq!(line_of(text, ""), Some(1));
        assert_eq!(line_of(text, "/a~1b"), Some(2));
        assert_eq!(line_of(text, "/a~1b/list/1"), Some(5));
        assert_eq!(line_of(text, "/nothing"), None);
        assert_eq!(line_of("no json", ""), None);
    }
}
