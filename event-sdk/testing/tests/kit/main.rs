//! Tests of the test kit: recording, assertions, reading back, virtual time, faults.

mod assertions;
mod conformance;
mod events;
mod explore;
mod faults;
mod read_back;
mod time;
