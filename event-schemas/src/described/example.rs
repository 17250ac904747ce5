//! Wraps an example of data into an envelope.

use serde_json::{Value, json};

use crate::EventEntry;

/// The envelope of an example, the `number`th of its event, as the service `source` would publish
/// it at the first moment of 2026. Its id is as fixed as its time, so that a document made of it
/// is the same each time.
pub(crate) fn envelope(entry: &EventEntry, source: &str, number: usize, data: &Value) -> Value {
    let spec = entry.spec();
    // A UUID of version 7 begins with the time: 2026-01-01T00:00:00Z in milliseconds.
    let id = format!("019b76da-a800-7000-8000-{number:012x}");
    let mut metadata = json!({ "correlation_id": id });
    if let Some(key) = entry.key_of(data) {
        metadata["key"] = key.into();
    }
    json!({
        "event_id": id,
        "event_type": spec.event_type(),
        "timestamp": "2026-01-01T00:00:00.000000Z",
        "source": source,
        "version": spec.version().to_string(),
        "data": data,
        "metadata": metadata,
    })
}
