//! The inbox: records of which events are done or dead. A database keeps them beside the effects; this
//! is what does not depend on the database: batches, and the retention.

mod cleaner;
mod parts;
mod source;

pub use cleaner::{CleanReport, InboxCleaner, KeptBecause};
pub use parts::{PartFailure, PartOutcome, in_parts};
pub use source::{InboxSource, InboxStatus, InboxStore};
