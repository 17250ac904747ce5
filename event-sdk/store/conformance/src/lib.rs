//! The conformance suites for outboxes and inboxes: they run one case for each guarantee of the
//! [`OutboxStore`](event_sdk_store::outbox::OutboxStore) contract, and of the contract between a consumer
//! and its [`Inbox`](event_sdk::consumer::Inbox).
//!
//! The stores of `event-sdk-sql` pass them: SQLite, PostgreSQL, and PostgreSQL behind a proxy that gives
//! each transaction another connection.
//!
//! # How to run them on your store
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
//! For an inbox, implement [`InboxHarness`], and call [`run_inbox`]. The cases run consumers whose
//! events are in memory. Each effect of a case writes a name into a table in the database of the
//! inbox.
//!
//! To investigate a failure, run its case alone: `Suite::new().only(["an_old_epoch_marks_nothing"])`.
//!
//! # What the cases rely on
//!
//! The clock of the database must run: cases use leases of 200 ms, and poll for their end. No case
//! assumes that something has *not* happened within a certain time. Cases of the area `relays` run
//! [`Relay`](event_sdk_store::Relay)s, which publish to memory.
//!
//! # Modules
//!
//! - `harness`: the traits that a store's author implements;
//! - `suite`, `runner`: selects and runs the cases;
//! - `case`, `cases`: a case, and all cases of outboxes by area;
//! - `inboxes`: the same for inboxes;
//! - `need`: what a case needs that a store may lack;
//! - `lacking`: what a store that lacks something does instead;
//! - `rig`: the outbox of a case, and rows to write;
//! - `failure`, `report`: why a case failed, and the results.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;
mod suite;

mod runner;

mod case;
mod cases;
mod lacking;
mod need;

mod inboxes;

mod rig;

mod failure;
mod report;

pub use case::Case;
pub use harness::{Harness, HarnessError, TestedOutbox, Writing};
pub use inboxes::{
    EffectDue, EffectFuture, EffectTransaction, InboxHarness, InboxSuite, SuiteEffect, TestedInbox,
    Trouble,
};
pub use need::Need;
pub use report::{CaseResult, Report, Verdict};
pub use runner::UnknownCase;
pub use suite::Suite;

/// Runs all cases on the outboxes that `harness` starts, with the settings of [`Suite::new`].
/// [`Suite::run`] says what it needs.
///
/// Not cancel-safe: dropping the future leaves outboxes behind.
pub async fn run<H: Harness>(harness: H) -> Report {
    Suite::new().run(harness).await
}

/// Runs all cases of inboxes on the inboxes that `harness` starts, with the settings of
/// [`InboxSuite::new`]. [`InboxSuite::run`] says what it needs.
///
/// Not cancel-safe: dropping the future leaves inboxes behind.
pub async fn run_inbox<H: InboxHarness>(harness: H) -> Report {
    InboxSuite::new().run(harness).await
}

/// All cases of outboxes, in the order of the contract.
pub fn cases() -> impl Iterator<Item = Case> {
    cases::all().map(|tried| tried.case)
}

/// All cases of inboxes, in the order of an event's life: from its first effect to the end of its
/// record.
pub fn inbox_cases() -> impl Iterator<Item = Case> {
    inboxes::all().map(|tried| tried.case)
}
