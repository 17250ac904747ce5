//! The events of a set, each with the schema of its data.

use event_sdk::event::EventSpec;
use event_sdk::{Event, Visit, Visitor};
use schemars::JsonSchema;
use serde_json::Value;

/// The events of one or several sets, each with the JSON Schema of its data, in
/// the order of the sets' variants.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

/// One event of a catalogue.
#[derive(Debug, Clone)]
pub struct Entry {
    spec: &'static EventSpec,
    schema: Value,
}

impl Catalogue {
    /// The events of the set `S`; each of them has to derive [`JsonSchema`].
    #[must_use]
    pub fn of<S: Visit<Schemas>>() -> Self {
        Self::default().with::<S>()
    }

    /// These events, and those of the set `S` that are not among them.
    #[must_use]
    pub fn with<S: Visit<Schemas>>(self) -> Self {
        let mut schemas = Schemas(self);
        S::visit_all(&mut schemas);
        schemas.0
    }

    /// The events.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl Entry {
    /// The constants of the event.
    #[must_use]
    pub fn spec(&self) -> &'static EventSpec {
        self.spec
    }

    /// The JSON Schema (2020-12) of its data, as a reader takes them.
    #[must_use]
    pub fn schema(&self) -> &Value {
        &self.schema
    }
}

/// Asks each event of a set for its schema.
#[derive(Debug)]
pub struct Schemas(Catalogue);

impl<E: Event + JsonSchema> Visitor<E> for Schemas {
    fn visit(&mut self) {
        let spec = &E::SPEC;
        let same = |entry: &Entry| {
            let known = entry.spec;
            (known.subject(), known.is_absolute(), known.version())
                == (spec.subject(), spec.is_absolute(), spec.version())
        };
        if !self.0.entries.iter().any(same) {
            let schema = schemars::schema_for!(E).to_value();
            self.0.entries.push(Entry { spec, schema });
        }
    }
}
