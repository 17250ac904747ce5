//! The events and streams of the program `letters`, which redrives dead letters or handles them, and
//! is killed by `tests/dead_letters/processes.rs`.

use std::time::Duration;

use event_sdk::consumer::{Consumer, Retry};
use event_sdk::dead_letters::{DeadLetterStream, DeadLetters, LetterFilter};
use event_sdk::stream::StreamSpec;
use event_sdk::{BusBuilder, Event, EventBus};
use serde::{Deserialize, Serialize};

/// An event with a number.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "tallies", entity = "item", action = "tallied")]
pub struct Tallied {
    /// The number.
    pub number: u64,
}

/// Declares the stream, those of the dead letters, and the bucket of the attempt records.
#[must_use]
pub fn builder() -> BusBuilder {
    let place = DeadLetterStream::new("DLQ");
    EventBus::builder()
        .source("letters")
        .stream(StreamSpec::new("TALLIES").subject("tallies.>"))
        .stream(place.spec())
        .stream(place.retry_spec())
        .coordination("LETTERS")
}

/// The consumer of the events, without handlers.
pub fn billing(bus: &EventBus) -> Consumer<Tallied> {
    bus.consumer::<Tallied>("billing")
        .concurrency(8)
        .ack_wait(Duration::from_secs(1))
        // A process that is killed again and again is no reason to give an event up.
        .retry(Retry::steps([Duration::from_millis(100)]).max_attempts(100))
        .dead_letters(DeadLetters::stream("DLQ"))
}

/// The letters that are redriven.
#[must_use]
pub fn open_letters() -> LetterFilter {
    LetterFilter::open().consumer("billing")
}
