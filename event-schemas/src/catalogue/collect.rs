//! Asks each event of a set for its schemas and for how it is read.

use event_sdk::envelope::Version;
use event_sdk::event::{DataError, EventSpec, decode_data};
use event_sdk::{Event, Visitor};
use schemars::JsonSchema;

use super::EventEntry;
use crate::schema::{self, Side};

/// Visits the events of a set for a catalogue.
#[derive(Debug, Default)]
pub struct Collect(Vec<Definition>);

impl Collect {
    pub(super) fn into_definitions(self) -> Vec<Definition> {
        self.0
    }
}

impl<E: Event + JsonSchema> Visitor<E> for Collect {
    fn visit(&mut self) {
        self.0.push(Definition::of::<E>());
    }
}

/// What a catalogue has to know of the type of an event: functions, so that
/// schemas are only made once an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Definition {
    spec: &'static EventSpec,
    schema: fn(Side) -> serde_json::Value,
    decode: fn(Version, &[u8]) -> Result<(), DataError>,
}

impl Definition {
    pub(super) fn of<E: Event + JsonSchema>() -> Self {
        Self {
            spec: &E::SPEC,
            schema: schema::of_data::<E>,
            decode: |version, data| decode_data::<E>(version, data).map(drop),
        }
    }

    pub(super) fn spec(&self) -> &'static EventSpec {
        self.spec
    }

    pub(super) fn into_entry(self) -> EventEntry {
        EventEntry::new(
            self.spec,
            (self.schema)(Side::Writer),
            (self.schema)(Side::Reader),
            self.decode,
        )
    }
}
