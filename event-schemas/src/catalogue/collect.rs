//! `Collect`: takes the schemas and decoders of each event of a set.

use std::any::TypeId;

use event_sdk::envelope::Version;
use event_sdk::event::{DataError, EventSpec, decode_data};
use event_sdk::json::WriteJson;
use event_sdk::{Readable, Visitor};
use schemars::JsonSchema;
use serde_json::Value;

use crate::schema::{self, Made, Side};

/// A visitor that collects the events of a set for a catalogue. Each event has to derive
/// [`JsonSchema`].
#[derive(Debug, Default)]
pub struct Collect(Vec<Definition>);

impl Collect {
    pub(super) fn into_definitions(self) -> Vec<Definition> {
        self.0
    }
}

impl<E: Readable + JsonSchema> Visitor<E> for Collect {
    fn visit(&mut self) {
        self.0.push(Definition::of::<E>());
    }
}

/// What a catalogue has to know of the type of an event: functions, so that
/// schemas are made once an event, however many sets have it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Definition {
    pub(super) spec: &'static EventSpec,
    /// Whether the type is published, and not only received (`#[derive(Readable)]`).
    pub(super) is_published: bool,
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
    pub(super) fn of<E: Readable + JsonSchema>() -> Self {
        Self {
            spec: &E::SPEC,
            is_published: E::__AS_JSON.is_some(),
            type_id: TypeId::of::<E>(),
            schema: |side| match E::__AS_JSON {
                Some(_) => schema::of_data::<E>(side),
                // What is written is not known here: the least is what is read.
                None => schema::of_data::<E>(Side::Reader),
            },
            decode: |version, data| decode_data::<E>(version, data).map(drop),
            key: |version, data| {
                let event = decode_data::<E>(version, data).ok()?;
                event.key().map(ToString::to_string)
            },
            reread: |version, data| {
                let event = decode_data::<E>(version, data)?;
                Ok(E::__AS_JSON.and_then(|as_json| written(as_json(&event))))
            },
        }
    }
}

/// What an event writes; `None` if it cannot.
fn written(event: &dyn WriteJson) -> Option<Value> {
    let mut bytes = Vec::new();
    event.write_json(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}
