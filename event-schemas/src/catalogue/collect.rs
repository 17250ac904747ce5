//! `Collect`: takes the schemas and decoders of each event of a set.

use std::any::TypeId;

use event_sdk::envelope::Version;
use event_sdk::event::{DataError, EventSpec, decode_data};
use event_sdk::{Event, Visitor};
use schemars::JsonSchema;
use serde_json::Value;

use crate::schema::{self, Made, Side};

/// Visits the events of a set for a catalogue: each has to derive [`JsonSchema`].
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
/// schemas are made once an event, however many sets have it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Definition {
    pub(super) spec: &'static EventSpec,
    pub(super) type_id: TypeId,
    pub(super) schema: fn(Side) -> Made,
    pub(super) decode: Decode,
    pub(super) reread: Reread,
    pub(super) key: KeyOf,
}

/// Reads data of a version as a type, and forgets the value.
pub(super) type Decode = fn(Version, &[u8]) -> Result<(), DataError>;

/// Reads data of a version as a type, and answers what the type writes of it; nothing if it
/// does not write what it read.
pub(super) type Reread = fn(Version, &[u8]) -> Result<Option<Value>, DataError>;

/// The key of an event with such data; `None` if it has none, or the data are not read.
pub(super) type KeyOf = fn(Version, &[u8]) -> Option<String>;

impl Definition {
    pub(super) fn of<E: Event + JsonSchema>() -> Self {
        Self {
            spec: &E::SPEC,
            type_id: TypeId::of::<E>(),
            schema: schema::of_data::<E>,
            decode: |version, data| decode_data::<E>(version, data).map(drop),
            key: |version, data| {
                let event = decode_data::<E>(version, data).ok()?;
                event.key().map(ToString::to_string)
            },
            reread: |version, data| {
                decode_data::<E>(version, data).map(|event| serde_json::to_value(&event).ok())
            },
        }
    }
}
