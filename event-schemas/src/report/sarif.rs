//! The SARIF 2.1.0 report, for code scanning.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Report, headline};
use crate::compat::{EventRule, Finding, Rule, Severity};

pub(super) fn render(report: &Report) -> Value {
    let index: BTreeMap<_, _> = Rule::all()
        .enumerate()
        .map(|(index, rule)| (rule.id(), index))
        .collect();
    let results: Vec<_> = report
        .findings
        .iter()
        .map(|finding| result(report, finding, index[finding.rule.id()]))
        .collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "event-schemas",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": Rule::all().map(rule).collect::<Vec<_>>(),
            } },
            "results": results,
            "properties": {
                "verdict": report.verdict().name(),
                "mode": report.options.mode.name(),
                "contentModel": report.options.content_model.name(),
                "against": report.against.as_ref().map(|against| &against.commit),
            },
        }],
    })
}

fn rule(rule: Rule) -> Value {
    let level = match rule {
        Rule::Event(rule) if rule.is_warning() => "warning",
        _ => "error",
    };
    json!({
        "id": rule.id(),
        "name": rule.id(),
        "shortDescription": { "text": rule.title() },
        "fullDescription": { "text": first_sentence(rule.explanation()) },
        "help": { "text": rule.explanation(), "markdown": rule.explanation() },
        "defaultConfiguration": { "level": level },
    })
}

fn first_sentence(text: &str) -> &str {
    text.split_inclusive(". ").next().unwrap_or(text).trim_end()
}

fn result(report: &Report, finding: &Finding, index: usize) -> Value {
    let mut result = json!({
        "ruleId": finding.rule.id(),
        "ruleIndex": index,
        "level": finding.severity.name(),
        "message": { "text": message(finding) },
        "locations": [location(report, finding)],
        "partialFingerprints": { "eventSchemas/v1": fingerprint(report, finding) },
    });
    if let Some(waiver) = &finding.waiver {
        let why = format!("{} (until {})", waiver.reason, waiver.until);
        result["suppressions"] = json!([{ "kind": "external", "justification": why }]);
    }
    let mut properties =
        json!({ "verdict": if finding.is_unknown() { "unknown" } else { "broken" } });
    if let Some(document) = &finding.document {
        properties["document"] = document.data.clone();
        properties["documentIs"] = json!(document.what);
    }
    if let Some(mitigation) = &finding.mitigation {
        properties["mitigatedBy"] = json!(mitigation.to_string());
    }
    result["properties"] = properties;
    result
}

fn message(finding: &Finding) -> String {
    let mut text = headline(finding);
    if let Some(event) = &finding.event {
        text.push_str(" — ");
        text.push_str(event);
        if let Some(versions) = finding.versions {
            let _ = write!(text, " {versions}");
        }
    }
    text.push_str(".\n");
    text.push_str(&finding.why);
    if let Some(document) = &finding.document {
        let _ = write!(text, "\n{}: {}", document.what, document.data);
    }
    if finding.severity != Severity::Note {
        for way in &finding.ways_out {
            let _ = write!(text, "\nWay out: {way}");
        }
    }
    text
}

fn location(report: &Report, finding: &Finding) -> Value {
    let file = report.file_in_repository(finding.place.as_ref());
    let line = finding.place.as_ref().and_then(|place| place.line);
    let mut location = json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&file) },
        "region": { "startLine": line.unwrap_or(1) },
    } });
    if let Some(event) = &finding.event {
        let (name, kind) = match &finding.path {
            Some(path) => (format!("{event}#{path}"), "member"),
            None => (event.clone(), "type"),
        };
        location["logicalLocations"] = json!([{ "fullyQualifiedName": name, "kind": kind }]);
    }
    location
}

/// What stays the same while a finding moves in its file.
fn fingerprint(report: &Report, finding: &Finding) -> String {
    let direction = finding.versions.and_then(|versions| versions.direction);
    // These are about a file, other rules about an event alone. The sources are called as the
    // repository has them, since they may be scanned by another path on another machine.
    let file = match (&finding.place, finding.rule) {
        (Some(place), Rule::Event(EventRule::FilesDiffer)) => place.file.clone(),
        (place @ Some(_), Rule::Event(EventRule::FormUnsaid)) => {
            report.file_in_repository(place.as_ref())
        }
        _ => String::new(),
    };
    [
        finding.rule.id(),
        finding.event.as_deref().unwrap_or_default(),
        finding.path.as_deref().unwrap_or_default(),
        direction.map_or("", |direction| direction.name()),
        &file,
    ]
    .join("/")
}

/// The path as a relative reference: what is no plain character is percent-encoded.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(
            uri("contracts/a.b/1.0 é.json"),
            "contracts/a.b/1.0%20%C3%A9.json"
        );
    }
}
