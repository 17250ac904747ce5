//! `CatalogueFault`: contradictions in a catalogue, such as two types for one version of an event.

use event_sdk::envelope::Version;
use event_sdk::event::EventSpec;
use event_sdk::stream::InvalidStream;
use serde_json::Value;
use thiserror::Error;

/// A fault of a catalogue. Nothing is generated from a catalogue with a fault.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CatalogueFault {
    /// Two types are declared as the same version of the same event.
    #[error(
        "{event}: the types `{one}` and `{other}` are both its version; give one of them another version, or leave it out"
    )]
    TwoTypes {
        /// The event and its version.
        event: EventName,
        /// The name of the first type.
        one: &'static str,
        /// The name of the second type.
        other: &'static str,
    },
    /// A service is declared to publish a type that cannot be published.
    #[error(
        "{event}: the service {service} publishes it with the type `{ty}`, which can only be received (`#[derive(Readable)]`); derive `Event`, or take it out of `publishes`"
    )]
    NotPublishable {
        /// The event and its version.
        event: EventName,
        /// The name of the service.
        service: String,
        /// The name of the type.
        ty: &'static str,
    },
    /// A type generates a different schema each time.
    #[error(
        "{event}: its schema is not the same each time it is made, at {pointer}; an example or a constant is made of the time, an id or a hash map: give it a fixed value"
    )]
    UnsteadySchema {
        /// The event and its version.
        event: EventName,
        /// The place of the difference, as a JSON Pointer into the schema.
        pointer: String,
    },
    /// The schema that a type generates is not a JSON Schema.
    #[error("{event}: the schema that its type generates for the data cannot be used")]
    BadSchema {
        /// The event and its version.
        event: EventName,
        /// The cause.
        source: event_schemas_subset::SchemaError,
    },
    /// An example cannot be encoded as JSON.
    #[error("{event}: the example with number {number} cannot be written")]
    ExampleNotWritten {
        /// The event and its version.
        event: EventName,
        /// The number of the example, counted from 1.
        number: usize,
        /// The cause.
        source: event_sdk::codec::EncodeError,
    },
    /// The schema does not accept an example as serde writes it.
    #[error(
        "{event}: at {pointer} the {side} schema refuses what is written: {why}; if a function writes the field (`#[serde(serialize_with = …)]`), say what it writes with `#[schemars(with = …)]`. The example: {example}"
    )]
    ExampleRefused {
        /// The event and its version.
        event: EventName,
        /// Which schema: `writer's` or `reader's`.
        side: &'static str,
        /// The place, as a JSON Pointer into the example.
        pointer: String,
        /// The validator's message.
        why: String,
        /// The example.
        example: Value,
    },
    /// An example cannot be decoded as the type from which it was encoded.
    #[error("{event}: an example cannot be decoded after it was encoded: {example}")]
    ExampleNotRead {
        /// The event and its version.
        event: EventName,
        /// The example.
        example: Value,
        /// The cause.
        source: event_sdk::event::DataError,
    },
    /// The declaration of a stream is invalid.
    #[error(transparent)]
    BadStream(#[from] InvalidStream),
    /// Two streams would store the same event.
    #[error(
        "{event}: the streams {one} and {other} both store it; change the subjects of one of them"
    )]
    StoredTwice {
        /// The event and its version.
        event: EventName,
        /// The name of the first stream.
        one: String,
        /// The name of the second stream.
        other: String,
    },
    /// Two services, two streams, or two consumers of one service have the same name.
    #[error(
        "there are two {what} with the name {name:?}; give one of them another, or make one of the two"
    )]
    TwoOfAName {
        /// What has the same name: `services`, `streams`, or `consumers of the service "…"`.
        what: String,
        /// The name.
        name: String,
    },
}

/// An event and its version, as error messages show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventName {
    /// The subject.
    pub subject: &'static str,
    /// The version.
    pub version: Version,
}

impl EventName {
    pub(super) fn of(spec: &'static EventSpec) -> Self {
        Self {
            subject: spec.subject(),
            version: spec.version(),
        }
    }
}

impl std::fmt::Display for EventName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.subject, self.version)
    }
}
