//! The clock and the ids that a bus uses unless it is given others.

mod tokio_clock;
mod v7_ids;

pub use event_sdk_core::time::{Clock, IdSource, Reading, Sleep};
pub use tokio_clock::TokioClock;
pub use v7_ids::V7Ids;
