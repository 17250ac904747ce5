//! The inbox: records of the events that are done or dead. A database keeps the records beside the
//! effects of the events. This module has what does not depend on the database: batches, and the
//! retention of records.

mod cleaner;
mod parts;
mod source;

pub use cleaner::{CleanReport, InboxCleaner, KeptBecause};
pub use parts::{PartFailure, PartOutcome, in_parts};
pub use source::{InboxSource, InboxStatus, InboxStore};
