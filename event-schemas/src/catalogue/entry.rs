//! `EventEntry`: one event of a catalogue, with its schemas, versions and examples.

use std::any::TypeId;

use event_schemas_subset::{Path, Schema, SchemaError};
use event_sdk::codec::EncodeError;
use event_sdk::envelope::Version;
use event_sdk::event::{DataError, EventSpec};
use event_sdk::json::WriteJson;
use serde_json::Value;

use super::collect::{Decode, Definition, KeyOf, Reread};
use super::{CatalogueFault, EventName};
use crate::schema::{self, Made, Side};

/// One event of a catalogue, in the version that its type writes.
#[derive(Debug, Clone)]
pub struct EventEntry {
    spec: &'static EventSpec,
    is_published: bool,
    /// The services that receive the event with this type, sorted, if it is only received.
    receivers: Vec<String>,
    type_id: TypeId,
    /// The name of another type that is the same version of the same event.
    rival: Option<&'static str>,
    writer: Value,
    reader: Value,
    pii: Vec<Path>,
    examples: Vec<Value>,
    unwritten: Vec<(usize, String)>,
    unsteady: Vec<String>,
    decode: Decode,
    reread: Reread,
    key: KeyOf,
}

impl EventEntry {
    /// The constants of the event.
    pub fn spec(&self) -> &'static EventSpec {
        self.spec
    }

    /// Whether the type of the event can be published; `false` if it is only received
    /// (`#[derive(Readable)]`).
    pub fn is_published(&self) -> bool {
        self.is_published
    }

    /// The JSON Schema (2020-12) of the data that a publisher writes. If the type is only received,
    /// this is the schema of the data that the type reads.
    pub fn writer(&self) -> &Value {
        &self.writer
    }

    /// The JSON Schema (2020-12) of the data that a subscriber reads.
    pub fn reader(&self) -> &Value {
        &self.reader
    }

    /// The JSON Schema (2020-12) of the whole envelope as a publisher writes it.
    pub fn envelope(&self) -> Value {
        schema::envelope::written(self.spec, &self.writer, &self.reader, &self.examples)
    }

    /// The paths of the personal data ([`Pii`](event_sdk::Pii)), sorted.
    pub fn pii(&self) -> &[Path] {
        &self.pii
    }

    /// Examples of the data, encoded from real values.
    pub fn examples(&self) -> &[Value] {
        &self.examples
    }

    /// Decodes data that were written in `version`, as a subscriber does: through the event's
    /// upcasters if the version is older.
    ///
    /// # Errors
    ///
    /// [`DataError`] if the data is not valid for the event.
    pub fn decode(&self, version: Version, data: &[u8]) -> Result<(), DataError> {
        (self.decode)(version, data)
    }

    /// Decodes data like [`decode`](Self::decode), and returns the result encoded again; `None` if
    /// the type cannot encode it.
    ///
    /// # Errors
    ///
    /// [`DataError`] if the data is not valid for the event.
    pub fn reread(&self, version: Version, data: &[u8]) -> Result<Option<Value>, DataError> {
        (self.reread)(version, data)
    }

    /// The name of the key's field in the data; `None` if the event has no key, or if the key is
    /// not found in example data.
    pub fn key_field(&self) -> Option<String> {
        schema::key::field(&self.example()?, |data| self.key_of(data))
    }

    /// The key of the event with these data; `None` if the event has none.
    pub(crate) fn key_of(&self, data: &Value) -> Option<String> {
        (self.key)(self.spec.version(), data.to_string().as_bytes())
    }

    /// An example of the data: the first of [`examples`](Self::examples). If there are none, an
    /// example is generated from the writer's schema; `None` if that yields none that the type can
    /// read.
    pub fn example(&self) -> Option<Value> {
        let given = self.examples.first().cloned();
        given.or_else(|| self.made_up().ok())
    }

    /// Data that are made up from the writer's schema and known to be read.
    ///
    /// # Errors
    ///
    /// Why none can be made up.
    pub(crate) fn made_up(&self) -> Result<Value, String> {
        let version = self.spec.version();
        schema::sample::read(&self.writer, |data| self.decode(version, data))
    }

    pub(super) fn new(definition: &Definition) -> Self {
        let Made {
            schema: mut writer,
            examples,
            mut unsteady,
        } = (definition.schema)(Side::Writer);
        let mut read = (definition.schema)(Side::Reader);
        let reread = |data: &Value| {
            (definition.reread)(definition.spec.version(), data.to_string().as_bytes())
        };
        schema::open::open(&mut read.schema, &examples, reread);
        schema::skipped::tell(&mut writer, &examples, reread);
        schema::together::tell(&mut writer, &mut read.schema, &examples, reread);
        unsteady.extend(read.unsteady);
        unsteady.sort();
        unsteady.dedup();
        Self {
            spec: definition.spec,
            is_published: definition.is_published,
            receivers: Vec::new(),
            type_id: definition.type_id,
            rival: None,
            pii: schema::personal::paths(&writer),
            writer,
            reader: read.schema,
            examples,
            unwritten: Vec::new(),
            unsteady,
            decode: definition.decode,
            reread: definition.reread,
            key: definition.key,
        }
    }

    /// Whether it was made of this type.
    pub(super) fn is_of(&self, definition: &Definition) -> bool {
        self.type_id == definition.type_id
    }

    /// Notes that a service receives the event with this type.
    pub(super) fn add_receiver(&mut self, service: &str) {
        if let Err(at) = self
            .receivers
            .binary_search_by(|one| one.as_str().cmp(service))
        {
            self.receivers.insert(at, service.to_owned());
        }
    }

    /// The services that receive the event with this type, which is not published.
    pub(crate) fn receivers(&self) -> &[String] {
        &self.receivers
    }

    /// Notes that another type is defined as this event, if it is another.
    pub(super) fn meet(&mut self, definition: &Definition) {
        if self.type_id != definition.type_id {
            self.rival.get_or_insert(definition.spec.name());
        }
    }

    pub(super) fn add_example(&mut self, value: &dyn WriteJson) {
        let mut bytes = Vec::new();
        match value.write_json(&mut bytes) {
            Ok(()) => self
                .examples
                .extend(serde_json::from_slice::<Value>(&bytes)),
            Err(why) => {
                let number = self.examples.len() + self.unwritten.len() + 1;
                self.unwritten.push((number, why.to_string()));
            }
        }
    }

    /// Puts all that is wrong with the event to `faults`.
    pub(super) fn find_faults(&self, faults: &mut Vec<CatalogueFault>) {
        let event = || EventName::of(self.spec);
        if let Some(other) = self.rival {
            faults.push(CatalogueFault::TwoTypes {
                event: event(),
                one: self.spec.name(),
                other,
            });
        }
        for pointer in &self.unsteady {
            faults.push(CatalogueFault::UnsteadySchema {
                event: event(),
                pointer: pointer.clone(),
            });
        }
        for (number, why) in &self.unwritten {
            faults.push(CatalogueFault::ExampleNotWritten {
                event: event(),
                number: *number,
                source: EncodeError::new(why),
            });
        }
        match (Schema::parse(&self.writer), Schema::parse(&self.reader)) {
            (Ok(writer), Ok(reader)) => {
                for example in &self.examples {
                    self.check_example(example, &writer, &reader, faults);
                }
            }
            (Err(source), _) | (_, Err(source)) => self.bad_schema(source, faults),
        }
    }

    fn bad_schema(&self, source: SchemaError, faults: &mut Vec<CatalogueFault>) {
        faults.push(CatalogueFault::BadSchema {
            event: EventName::of(self.spec),
            source,
        });
    }

    fn check_example(
        &self,
        example: &Value,
        writer: &Schema,
        reader: &Schema,
        faults: &mut Vec<CatalogueFault>,
    ) {
        for (side, schema) in [("writer's", writer), ("reader's", reader)] {
            for refusal in schema.validate(example) {
                faults.push(CatalogueFault::ExampleRefused {
                    event: EventName::of(self.spec),
                    side,
                    pointer: refusal.pointer,
                    why: refusal.message,
                    example: example.clone(),
                });
            }
        }
        let data = example.to_string();
        if let Err(source) = self.decode(self.spec.version(), data.as_bytes()) {
            faults.push(CatalogueFault::ExampleNotRead {
                event: EventName::of(self.spec),
                example: example.clone(),
                source,
            });
        }
    }
}
