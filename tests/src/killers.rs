//! The events and streams of the service `killers`, which its test and its program share.

use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::stream::StreamSpec;
use event_sdk::{BusBuilder, Event, EventBus};
use serde::{Deserialize, Serialize};

/// An event with a number.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "killers", entity = "event", action = "counted")]
pub struct Counted {
    /// The number.
    pub number: u64,
}

/// The answer to an event.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "killers", entity = "event", action = "echoed")]
pub struct Echoed {
    /// Its number.
    pub number: u64,
}

/// Declares the stream, those of the dead letters, and the bucket of the attempt records.
#[must_use]
pub fn builder() -> BusBuilder {
    let place = DeadLetterStream::new("DLQ");
    EventBus::builder()
        .source("killers")
        .stream(StreamSpec::new("KILLERS").subject("killers.>"))
        .stream(place.spec())
        .stream(place.retry_spec())
        .coordination("KILLERS")
}
