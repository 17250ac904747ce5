//! One event of a catalogue.

use event_sdk::Event;
use event_sdk::envelope::Version;
use event_sdk::event::{DataError, EventSpec};
use serde_json::Value;

/// One event of a catalogue, in the version that its type writes.
#[derive(Debug, Clone)]
pub struct EventEntry {
    spec: &'static EventSpec,
    writer: Value,
    reader: Value,
    examples: Vec<Value>,
    decode: fn(Version, &[u8]) -> Result<(), DataError>,
}

impl EventEntry {
    pub(super) fn new(
        spec: &'static EventSpec,
        writer: Value,
        reader: Value,
        decode: fn(Version, &[u8]) -> Result<(), DataError>,
    ) -> Self {
        Self {
            spec,
            writer,
            reader,
            examples: Vec::new(),
            decode,
        }
    }

    pub(super) fn add_example<E: Event>(&mut self, value: &E) {
        if let Ok(value) = serde_json::to_value(value) {
            self.examples.push(value);
        }
    }

    /// The constants of the event.
    pub fn spec(&self) -> &'static EventSpec {
        self.spec
    }

    /// The JSON Schema (2020-12) of the data that a publisher writes.
    pub fn writer(&self) -> &Value {
        &self.writer
    }

    /// The JSON Schema (2020-12) of the data that a subscriber reads.
    pub fn reader(&self) -> &Value {
        &self.reader
    }

    /// Examples of the data, as real values are written.
    pub fn examples(&self) -> &[Value] {
        &self.examples
    }

    /// Reads data that were written in this version, as a subscriber does: through
    /// the event's upcasters if the version is older.
    ///
    /// # Errors
    ///
    /// [`DataError`] when they are no such event.
    pub fn decode(&self, version: Version, data: &[u8]) -> Result<(), DataError> {
        (self.decode)(version, data)
    }
}
