//! The cases of inboxes: effects with their records, dead events, letters, owners, batches, retention,
//! and a database that is unavailable.
//!
//! - `effect`: the event of the suite, what an effect does, and its transaction, which an inbox's author
//!   implements;
//! - `harness`: the traits that an inbox's author implements to start it;
//! - `rig`: the inbox of a case, a bus on memory, and consumers;
//! - `cases`: all cases by area;
//! - `lacking`: what an inbox that lacks something does instead;
//! - `suite`: selects and runs the cases.

mod effect;
mod harness;
mod rig;

mod cases;
mod lacking;

mod suite;

pub use effect::{EffectDue, EffectFuture, EffectTransaction, SuiteEffect, Trouble};
pub use harness::{InboxHarness, TestedInbox};
pub use suite::InboxSuite;

pub(crate) use cases::all;
