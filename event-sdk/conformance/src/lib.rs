//! The conformance suite: runs one case for each guarantee of the `Transport` contract against
//! a transport.
//!
//! Each sentence of the [`Transport`](event_sdk_core::transport::Transport) contract has a
//! [`Case`] here, or several. [`run`] tries all of them on a transport and
//! answers with a [`Report`]. The transports of this SDK pass it, as they are
//! and behind `Box<dyn Transport>` and `Arc<dyn Transport>`; a transport of your
//! own can be held to the same.
//!
//! # How to run it on your transport
//!
//! Depend on this package among your `dev-dependencies`, say how your transport is
//! started, and run the suite in a test:
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
//!     // Where the streams are on a server this need not be said.
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
//! Each case starts a transport of its own, with one or two streams whose names
//! and subjects nobody else uses; some start [two](Harness::start_two) that share
//! their streams. So the transports that
//! [`start`](Harness::start) answers with may share a server, and many cases run
//! at once. [`stop`](Harness::stop) is called when the case is over; close
//! connections and remove streams there.
//!
//! The cases call it as a `dyn Transport`, whatever it is: they are compiled
//! once, and what they find does not depend on how a transport is held.
//!
//! To find out about one failure, run its case alone:
//! `Suite::new().only(["nak_delay_is_kept"])?.run(Yours)`. [`Suite`] also says how
//! many cases run at a time, how long they wait, and how many messages they use
//! ([`stress`](Suite::stress)).
//!
//! # What a transport cannot do
//!
//! Not every transport can do everything, and what it can do it
//! [declares](event_sdk_core::transport::Transport::capabilities). Nothing is skipped
//! because of that: in place of a case that needs a capability that is not
//! declared, the suite asks for it all the same and wants to hear
//! [`Unsupported`](event_sdk_core::transport::ErrorKind::Unsupported). What nobody can ask
//! for (reports of gaps and of messages that ran out of deliveries) must not
//! arrive either. The report shows such a case as
//! [`Unsupported`](Verdict::Unsupported).
//!
//! # What the cases rely on
//!
//! - The clock runs. Cases wait for what happens after an ack wait of half a
//!   second, and for at most [`patience`](Suite::patience); no case sleeps.
//!   That nothing comes is shown by a message that is published later and
//!   comes first.
//! - The machine gets on: a case that acknowledges within an ack wait fails
//!   when its task does not run for half a second. Lower
//!   [`parallel`](Suite::parallel) where that happens.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod beginning;
mod case;
mod cases;
mod counterpart;
mod failure;
mod fence;
mod fixture;
mod harness;
mod note;
mod reader;
mod report;
mod rig;
mod settings;
mod started;
mod suite;

pub use case::Case;
pub use harness::{Harness, HarnessError};
pub use report::{CaseResult, Report, Verdict};
pub use suite::{Suite, UnknownCase};

/// Tries all cases on the transport that `harness` starts, as
/// [`Suite::new`] has it; [`Suite::run`] says what that needs.
///
/// Not cancel-safe: what is dropped on the way leaves transports running.
pub async fn run<H: Harness>(harness: H) -> Report {
    Suite::new().run(harness).await
}

/// All cases, in the order of the contract.
pub fn cases() -> impl Iterator<Item = Case> {
    cases::all()
}
