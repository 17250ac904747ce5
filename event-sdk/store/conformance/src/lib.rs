//! The conformance suite for outbox stores: runs one case for each guarantee of the
//! [`OutboxStore`](event_sdk_store::outbox::OutboxStore) contract.
//!
//! The stores of `event-sdk-sql` pass it: SQLite, PostgreSQL, and PostgreSQL behind a proxy that gives
//! each transaction another connection.
//!
//! # How to run it on your store
//!
//! Add this package to your `dev-dependencies`, implement [`Harness`], and run the suite in a test:
//!
//! ```no_run
//! use event_sdk_store_conformance::{Harness, HarnessError, Need, TestedOutbox};
//!
//! struct Mine;
//!
//! impl Harness for Mine {
//!     async fn start(&self) -> Result<Box<dyn TestedOutbox>, HarnessError> {
//!         todo!("an empty outbox with tables of its own")
//!     }
//!
//!     fn has(&self, need: Need) -> bool {
//!         true
//!     }
//! }
//!
//! // In your tests: #[tokio::test(flavor = "multi_thread")]
//! # async fn test() {
//! event_sdk_store_conformance::run(Mine).await.assert_all_passed();
//! # }
//! ```
//!
//! To investigate a failure, run its case alone: `Suite::new().only(["an_old_epoch_marks_nothing"])`.
//!
//! # What the cases rely on
//!
//! The clock of the database must run: cases use leases of 200 ms, and poll for their end. None relies
//! on something *not* having happened within a time. Cases of the area `relays` run
//! [`Relay`](event_sdk_store::Relay)s, which publish to memory.
//!
//! # Modules
//!
//! - `harness`: the traits that a store's author implements;
//! - `suite`: selects and runs the cases;
//! - `case`, `cases`: a case, and all cases by area;
//! - `need`: what a case needs that a store may lack;
//! - `lacking`: what a store that lacks something does instead;
//! - `rig`: the outbox of a case, and rows to write;
//! - `failure`, `report`: why a case failed, and the results.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;
mod suite;

mod case;
mod cases;
mod lacking;
mod need;

mod rig;

mod failure;
mod report;

pub use case::Case;
pub use harness::{Harness, HarnessError, TestedOutbox, Writing};
pub use need::Need;
pub use report::{CaseResult, Report, Verdict};
pub use suite::{Suite, UnknownCase};

/// Runs all cases on the outboxes that `harness` starts, with the settings of [`Suite::new`]. See
/// [`Suite::run`] for what it needs.
///
/// Not cancel-safe: dropping the future leaves outboxes behind.
pub async fn run<H: Harness>(harness: H) -> Report {
    Suite::new().run(harness).await
}

/// All cases, in the order of the contract.
pub fn cases() -> impl Iterator<Item = Case> {
    cases::all()
}
