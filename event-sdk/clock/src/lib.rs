//! Clocks and id sources: the system's time and version 7 ids by default, a stepped clock and
//! sequential ids for tests.
//!
//! Services reach these types as `event_sdk::time`.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sequential_ids;
mod stepped_clock;
mod suspended;
mod tokio_clock;
mod v7_ids;

pub use event_sdk_core::time::{Clock, IdSource, Reading, Sleep};
pub use sequential_ids::SequentialIds;
pub use stepped_clock::SteppedClock;
pub use tokio_clock::TokioClock;
pub use v7_ids::V7Ids;

/// The README's example, run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
