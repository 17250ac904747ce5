//! The schema of a whole envelope around an event's data, as the wire contract defines it.

use event_sdk::EventKey;
use event_sdk::event::{EventSpec, KeyUse};
use serde_json::{Value, json};

use super::defs::Defs;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of the envelope as a publisher writes it, with data of the schema
/// `writer`. It has what a reader takes (`reader`) in its `$defs`, and says in
/// `x-event` which of them is which.
pub(crate) fn written(
    spec: &EventSpec,
    writer: &Value,
    reader: &Value,
    examples: &[Value],
) -> Value {
    let mut shown = writer.clone();
    if let Some(keywords) = shown.as_object_mut()
        && !examples.is_empty()
    {
        keywords.insert("examples".to_owned(), examples.into());
    }
    let mut defs = Defs::default();
    let written = defs.add(spec.name(), "", &shown);
    let read = if reader == writer {
        written.clone()
    } else {
        defs.add(spec.name(), "Read", reader)
    };
    let mut event = json!({
        "name": spec.name(),
        "subject": spec.subject(),
        "key": key_use(spec.key_use()),
        "written": written,
        "read": read,
    });
    if spec.is_absolute() {
        event["absolute"] = true.into();
    }
    let mut schema = json!({
        "$schema": DIALECT,
        "title": format!("{} {}", spec.event_type(), spec.version()),
        "type": "object",
        "properties": {
            "event_id": {
                "type": "string",
                "format": "uuid",
                "description": "A UUID of version 7. A retry has the same one."
            },
            "event_type": { "type": "string", "const": spec.event_type() },
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "When it happened: RFC 3339, in UTC with `Z` and six fractional digits."
            },
            "source": { "type": "string", "description": "The service that published it." },
            "version": {
                "type": "string",
                "const": spec.version().to_string(),
                "description": "The version of the data."
            },
            "data": { "$ref": written },
            "metadata": metadata(spec.key_use()),
        },
        "required": ["data", "event_id", "event_type", "metadata", "source", "timestamp", "version"],
        "x-event": event,
        "$defs": defs.into_value(),
    });
    if !spec.description().is_empty() {
        schema["description"] = spec.description().into();
    }
    schema
}

/// The schema of any envelope that a reader takes, whatever its event and data.
pub(crate) fn read() -> Value {
    let mut metadata = metadata(KeyUse::None);
    metadata["type"] = json!(["object", "null"]);
    metadata["description"] = "Missing or null: empty.".into();
    // A value that is no text is no id or key, but an entry like others.
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("properties");
    }
    json!({
        "$schema": DIALECT,
        "title": "Envelope",
        "description": "What a reader takes as the envelope of an event. What a publisher writes \
            is narrower: see the schemas of the events.",
        "type": "object",
        "properties": {
            "event_id": {
                "type": "string",
                "description": "A UUID of any version, in any case, with hyphens or as 32 digits."
            },
            "event_type": {
                "type": "string",
                "description": "The type of the event with this subject."
            },
            "timestamp": {
                "type": "string",
                "format": "date-time",
                "description": "RFC 3339 with any offset and up to nine digits."
            },
            "source": { "type": ["string", "null"], "default": "unknown" },
            "version": {
                "type": ["string", "null"],
                "pattern": "^[0-9]+(\\.[0-9]+)?$",
                "default": "1.0",
                "description": "`major.minor`, each up to 65535; `2` is `2.0`."
            },
            "data": { "description": "The event, any JSON value." },
            "metadata": metadata,
        },
        "required": ["data", "event_id", "event_type", "timestamp"],
    })
}

/// The metadata of an event that has such a key. It is not required: what was published before
/// keys were written is in streams without it.
fn metadata(key: KeyUse) -> Value {
    let mut metadata = json!({
        "type": "object",
        "maxProperties": 256,
        "properties": {
            "correlation_id": {
                "type": "string",
                "description": "The story that the event belongs to: the `event_id` of its first event, unless something else began it."
            },
            "causation_id": {
                "type": "string",
                "description": "The `event_id` of the event that caused this one; absent at the first of a story."
            },
        },
        "additionalProperties": true,
    });
    if key != KeyUse::None {
        metadata["properties"]["key"] = json!({
            "type": "string",
            "maxLength": EventKey::MAX_LEN,
            "description": "The key of the event, not escaped: events with the same key stay in order."
        });
    }
    metadata
}

/// What an event does with its key, in a word.
pub(crate) fn key_use(key: KeyUse) -> &'static str {
    match key {
        KeyUse::None => "none",
        KeyUse::Order => "order",
        KeyUse::InSubject => "subject",
    }
}
