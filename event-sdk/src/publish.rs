//! Publishing: one event, many, or the same one again.

mod batch;
mod error;
mod prepared;
mod publisher;
mod sending;

pub use batch::{BatchError, PublishAll};
pub use error::PublishError;
pub use prepared::{IntoPrepared, Prepared};
pub use publisher::{Publisher, Publishers};
pub use sending::{Publish, PublishFuture, Published};
