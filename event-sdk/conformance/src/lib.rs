//! The conformance suite: runs one case for each guarantee of the `Transport` contract against
//! a transport.
//!
//! Each guarantee of the [`Transport`](event_sdk_core::transport::Transport) contract has one or
//! more [`Case`]s. [`run`] runs all cases on a transport and returns a [`Report`]. The transports
//! of this SDK pass the suite directly, as `Box<dyn Transport>` and as `Arc<dyn Transport>`.
//!
//! # How to run it on your transport
//!
//! Add this package to your `dev-dependencies`, implement [`Harness`] to start your transport, and run
//! the suite in a test:
//!
//! ```
//! # mod yours {
//! #     pub use event_sdk::transport::memory::MemoryTransport as YourTransport;
//! # }
//! use event_sdk::stream::StreamConfig;
//! use event_sdk_conformance::{Harness, HarnessError};
//! use yours::YourTransport;
//!
//! struct Yours;
//!
//! impl Harness for Yours {
//!     type Transport = YourTransport;
//!
//!     async fn start(&self, streams: Vec<StreamConfig>) -> Result<YourTransport, HarnessError> {
//!         let mut builder = YourTransport::builder();
//!         for stream in streams {
//!             builder = builder.stream(stream);
//!         }
//!         Ok(builder.build()?)
//!     }
//!
//!     // Not needed if the streams are on a server.
//!     async fn start_two(
//!         &self,
//!         streams: Vec<StreamConfig>,
//!     ) -> Result<[YourTransport; 2], HarnessError> {
//!         let first = self.start(streams).await?;
//!         let second = first.connect()?;
//!         Ok([first, second])
//!     }
//! }
//!
//! // In your tests: #[tokio::test(flavor = "multi_thread")]
//! #[tokio::main]
//! async fn main() {
//!     event_sdk_conformance::run(Yours).await.assert_all_passed();
//! }
//! ```
//!
//! Each case starts its own transport with one or two streams, whose names and subjects are fresh.
//! So the transports that [`start`](Harness::start) returns may share a server, and many cases run
//! at the same time. Some cases start [two transports](Harness::start_two) that share their
//! streams. After each case, the suite calls [`stop`](Harness::stop): close connections and remove
//! streams there. Remove buckets in [`remove_bucket`](Harness::remove_bucket).
//!
//! Cases use the transport as a `dyn Transport`, so they are compiled once, and their results do
//! not depend on the type of the transport.
//!
//! To investigate a failure, run the failed case alone:
//! `Suite::new().only(["nak_delay_is_kept"])?.run(Yours)`. [`Suite`] also sets how many cases run
//! at a time, how long they wait, and how many messages they use ([`stress`](Suite::stress)).
//!
//! # Missing capabilities
//!
//! A transport [declares](event_sdk_core::transport::Transport::capabilities) its capabilities. No
//! case is skipped without a check: if a case needs a capability that is not declared, the suite
//! uses the capability and expects
//! [`Unsupported`](event_sdk_core::transport::ErrorKind::Unsupported). Reports of gaps and of
//! exhausted messages cannot be requested; if they are not declared, they must not arrive. The
//! report shows a case without its capability as [`Unsupported`](Verdict::Unsupported).
//!
//! # What the cases rely on
//!
//! - The clock must run. Cases use an ack wait of half a second, or the one that
//!   [`ack_wait`](Suite::ack_wait) sets, and wait for at most [`patience`](Suite::patience); no
//!   case sleeps. To show that a message does not arrive, a case publishes a later message, which
//!   arrives first.
//! - A case that has to acknowledge within the ack wait fails if the machine is too slow for that.
//!   Raise [`ack_wait`](Suite::ack_wait) or lower [`parallel`](Suite::parallel) on a slow machine.
//!
//! # Modules
//!
//! - `harness`: the trait that a transport's author implements;
//! - `suite`: selects and runs the cases;
//! - `case`, `cases`: a case, and all cases by area;
//! - `counterpart`: the expected answers where a capability is missing;
//! - `fixture`, `settings`, `started`: starts and stops the transports of a case;
//! - `rig`, `reader`, `fence`: publishing and receiving with deadlines;
//! - `place`: a bucket, with deadlines;
//! - `timetable`: schedules, with deadlines;
//! - `beginning`: consumers whose start is certain;
//! - `note`: the suite's event for hand-over;
//! - `failure`, `report`: why a case failed, and the results.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;
mod suite;

mod case;
mod cases;
mod counterpart;

mod fixture;
mod settings;
mod started;

mod fence;
mod place;
mod reader;
mod rig;
mod timetable;
mod unheard;

mod beginning;
mod note;

mod failure;
mod report;

pub use case::Case;
pub use harness::{Harness, HarnessError};
pub use report::{CaseResult, Report, Verdict};
pub use suite::{Suite, UnknownCase};

/// Runs all cases on the transport that `harness` starts, with the settings of [`Suite::new`].
/// [`Suite::run`] describes the runtime that it needs.
///
/// Not cancel-safe: dropping the future leaves transports running.
pub async fn run<H: Harness>(harness: H) -> Report {
    Suite::new().run(harness).await
}

/// Returns all cases, in the order of the contract.
pub fn cases() -> impl Iterator<Item = Case> {
    cases::all()
}
