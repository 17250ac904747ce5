//! Tools to test services that use event-sdk: a bus on virtual time that records the published
//! events, assertions with readable failures, faults from a seed, crashes at each point of a
//! scenario, and a real NATS server.
//!
//! # Modules
//!
//! - `test_bus`: [`TestBus`], a bus on the memory transport, a stepped clock and repeatable ids;
//! - `recorder`: records each message that a stream has stored;
//! - `read_back`: decodes each published event with its own type;
//! - `recording`: what a test bus has recorded;
//! - `published`: selections of recorded events, and assertions on them;
//! - `failure`: fails a test with a text;
//! - `idle`: runs tasks until all of them wait, and lets virtual time pass;
//! - `running`: runs a consumer on virtual time until it has handled everything;
//! - `handling`: [`Handling`], one call of one handler;
//! - `faults`: duplicates, reordering, lost acknowledgements and other faults, decided by a seed;
//! - [`intercept`]: a transport around another one;
//! - `explore`: [`Explore`], a crash at each point of a scenario;
//! - `nats`: a real nats-server for tests (feature `nats`).
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod test_bus;

mod read_back;
mod recorder;
mod recording;

mod published;

mod failure;
mod idle;

mod handling;
mod running;

mod faults;
pub mod intercept;

#[cfg(feature = "nats")]
pub mod nats;

mod explore;

pub use explore::{Explore, Explored, Failure, InvalidSeed, Seed};
pub use faults::{Fault, Faults, FaultyTransport, Injected, Injector, Rates};
pub use handling::Handling;
pub use published::{Eventually, PublishedEvents, RecordedEvent};
pub use test_bus::{TestBus, TestBusBuilder};

/// The README's example, run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
