//! The cases of inboxes: effects with their records, dead events, letters, owners, batches, retention,
//! and a database that is away.
//!
//! - `harness`: the traits that an inbox's author implements;
//! - `effect`: the event of the suite, and what an effect does;
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

pub use effect::{EffectDue, SuiteEffect, Trouble};
pub use harness::{EffectFuture, EffectTransaction, InboxHarness, TestedInbox};
pub use suite::InboxSuite;

pub(crate) use cases::all;
