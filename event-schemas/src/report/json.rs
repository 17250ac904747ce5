//! The JSON report, for programs. Its shape only grows: `format` says which one it is.

use serde_json::{Map, Value, json};

use super::Report;
use crate::compat::{Direction, Finding, Mitigation};

/// The version of the shape.
const FORMAT: u32 = 1;

pub(super) fn render(report: &Report) -> Value {
    let counts = report.counts();
    json!({
        "format": FORMAT,
        "verdict": report.verdict().name(),
        "mode": report.options.mode.name(),
        "contentModel": report.options.content_model.name(),
        "folder": report.folder,
        "against": report.against.as_ref().map(|against| json!({
            "ref": against.reference,
            "commit": against.commit,
            "existed": against.existed,
        })),
        "summary": {
            "events": report.events,
            "errors": counts.errors,
            "warnings": counts.warnings,
            "notes": counts.notes,
            "mitigated": counts.mitigated,
            "waived": counts.waived,
            "unknown": counts.unknown,
        },
        "findings": report.findings.iter().map(|one| finding(report, one)).collect::<Vec<_>>(),
    })
}

/// What is not known of a finding is left out.
fn finding(report: &Report, finding: &Finding) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            object.insert(name.to_owned(), value);
        }
    };
    put("severity", json!(finding.severity.name()));
    let verdict = if finding.is_unknown() {
        "unknown"
    } else {
        "broken"
    };
    put("verdict", json!(verdict));
    put("rule", json!(finding.rule.id()));
    put("title", json!(finding.title()));
    put("event", json!(finding.event));
    if let Some(versions) = finding.versions {
        put("oldVersion", json!(versions.old.to_string()));
        put("newVersion", json!(versions.new.to_string()));
        put("direction", json!(versions.direction.map(Direction::name)));
    }
    put("path", json!(finding.path));
    put("why", json!(finding.why));
    if let Some(document) = &finding.document {
        put(
            "document",
            match &document.at {
                Some(at) => json!({ "what": document.what, "data": document.data, "at": at }),
                None => json!({ "what": document.what, "data": document.data }),
            },
        );
    }
    put("waysOut", json!(finding.ways_out));
    put("waivable", json!(finding.rule.is_waivable()));
    if let Some(mitigation) = &finding.mitigation {
        put("mitigatedBy", mitigated(mitigation));
    }
    if let Some(waiver) = &finding.waiver {
        let until = waiver.until.to_string();
        put(
            "waivedBy",
            json!({ "reason": waiver.reason, "until": until }),
        );
    }
    if let Some(cause) = &finding.cause {
        let cause = match &cause.field {
            Some(field) => json!({ "type": cause.ty, "field": field }),
            None => json!({ "type": cause.ty }),
        };
        put("cause", cause);
    }
    if !finding.consumers.is_empty() {
        put("consumers", json!(finding.consumers));
    }
    if let Some(place) = &finding.place {
        put("file", json!(report.file_of(place)));
        put("line", json!(place.line));
    }
    Value::Object(object)
}

fn mitigated(mitigation: &Mitigation) -> Value {
    match mitigation {
        Mitigation::Upcaster { into } => {
            json!({ "by": "upcaster", "into": into, "why": mitigation.to_string() })
        }
        Mitigation::Read { into } => {
            json!({ "by": "type", "into": into, "why": mitigation.to_string() })
        }
        Mitigation::PutBack => json!({ "by": "put-back", "why": mitigation.to_string() }),
    }
}
