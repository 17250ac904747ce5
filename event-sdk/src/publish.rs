//! Publishing: one event, several pipelined, or a prepared event again.

mod batch;
mod error;
mod prepared;
mod publishable;
mod publisher;
mod sending;
mod window;

pub use batch::{PublishAll, PublishAllError};
pub use error::PublishError;
pub use prepared::Prepared;
pub use publishable::{IntoPublishable, Publishable};
pub use publisher::{Publisher, PublisherSet};
pub use sending::{Publish, PublishFuture, Published};
