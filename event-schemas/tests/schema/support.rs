//! Test support: checks an event's schemas against values.

use event_schemas::{Catalogue, EventEntry};
use event_schemas_subset::Schema;
use event_sdk::{Event, Version};
use schemars::JsonSchema;
use serde_json::Value;

/// Both schemas of an event.
pub(crate) struct Schemas {
    entry: EventEntry,
    writer: Schema,
    reader: Schema,
}

/// Those of `E`, whose values these are: what serde writes must be accepted by both
/// schemas and be read again.
pub(crate) fn of<E: Event + JsonSchema>(values: impl IntoIterator<Item = E>) -> Schemas {
    let mut catalogue = Catalogue::new("Test").events_of::<E>();
    for value in values {
        catalogue = catalogue.example(value);
    }
    let faults: Vec<String> = catalogue.faults().iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let entry = catalogue.events()[0].clone();
    Schemas {
        writer: Schema::parse(entry.writer()).unwrap(),
        reader: Schema::parse(entry.reader()).unwrap(),
        entry,
    }
}

impl Schemas {
    /// The schema of what is written.
    pub(crate) fn writer(&self) -> &Value {
        self.entry.writer()
    }

    /// The schema of what is read.
    pub(crate) fn reader(&self) -> &Value {
        self.entry.reader()
    }

    /// The first example.
    pub(crate) fn written(&self) -> &Value {
        &self.entry.examples()[0]
    }

    /// Says that the reader's schema accepts the document, and that it is read.
    pub(crate) fn reads(&self, document: &Value) -> &Self {
        assert!(
            self.reader.accepts(document),
            "the schema refuses {document}"
        );
        self.decode(document).unwrap();
        self
    }

    /// Says that neither the reader's schema nor serde takes the document.
    pub(crate) fn refuses(&self, document: &Value) -> &Self {
        assert!(
            !self.reader.accepts(document),
            "the schema accepts {document}"
        );
        assert!(self.decode(document).is_err(), "{document} is read");
        self
    }

    /// Says that no publisher writes the document.
    pub(crate) fn never_writes(&self, document: &Value) -> &Self {
        assert!(
            !self.writer.accepts(document),
            "the schema accepts {document}"
        );
        self
    }

    fn decode(&self, document: &Value) -> Result<(), event_sdk::event::DataError> {
        let version: Version = self.entry.spec().version();
        self.entry.decode(version, document.to_string().as_bytes())
    }
}
