//! Tests of the test kit: recording, assertions, reading back, virtual time, faults.

mod assertions;
mod conformance;
mod consumers;
mod events;
mod explore;
mod faults;
#[cfg(feature = "nats")]
mod nats;
mod read_back;
mod time;
