//! The testing kit: a clock that is stepped by hand, ids that repeat, and the
//! suite that holds a transport to its contract.
//!
//! - [`SteppedClock`] and [`SequentialIds`] make a bus deterministic, so that
//!   a test can name the timestamp and the id of each event in advance.
//! - [`conformance`] runs the cases of the
//!   [`Transport`](crate::transport::Transport) contract on any transport.

mod clock;
pub mod conformance;
mod ids;

pub use clock::SteppedClock;
pub use ids::SequentialIds;
