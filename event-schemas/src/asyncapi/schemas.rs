//! AsyncAPI schemas of payloads and headers, with references from the root of the document.

use serde_json::{Value, json};

use super::JSON_SCHEMA;
use super::model::Schema;
use crate::catalogue::EventEntry;
use crate::schema::walk;

/// The schema of an event's envelope, for the component `key`.
pub(super) fn payload(entry: &EventEntry, key: &str) -> Schema {
    let mut schema = entry.envelope();
    let lead = |reference: &mut Value| {
        // A tool resolves it in the document, not in the schema.
        if let Some(within) = reference.as_str().and_then(|text| text.strip_prefix('#')) {
            *reference = format!("#/components/schemas/{key}/schema{within}").into();
        }
    };
    walk::each_mut(&mut schema, &mut |keywords| {
        if let Some(reference) = keywords.get_mut("$ref") {
            lead(reference);
        }
    });
    for side in ["written", "read"] {
        if let Some(reference) = schema
            .get_mut("x-event")
            .and_then(|event| event.get_mut(side))
        {
            lead(reference);
        }
    }
    if let Some(keywords) = schema.as_object_mut() {
        // `schemaFormat` says it.
        keywords.remove("$schema");
    }
    Schema {
        schema_format: JSON_SCHEMA,
        schema,
    }
}

/// The headers of the wire contract.
pub(super) fn headers() -> Schema {
    Schema {
        schema_format: JSON_SCHEMA,
        schema: json!({
            "type": "object",
            "properties": {
                "Nats-Msg-Id": {
                    "type": "string",
                    "description": "Where a stream stores the event: its `event_id`, unless the \
                        publisher set another id to recognize duplicates by."
                },
                "traceparent": {
                    "type": "string",
                    "description": "W3C Trace Context, when a trace is active."
                },
                "tracestate": {
                    "type": "string",
                    "description": "W3C Trace Context, beside a valid `traceparent`."
                },
            },
            "additionalProperties": { "type": "string" },
        }),
    }
}
