//! Publishing: one event, several pipelined, one at a later time, a prepared event again, or an encoded
//! one.

mod batch;
mod dispatch;
mod encoded;
mod error;
mod later;
mod prepared;
mod publishable;
mod publisher;
mod raw;
mod sending;
mod window;

pub use batch::{PublishAll, PublishAllError};
pub use encoded::EncodedEvent;
pub use error::PublishError;
pub use later::{PublishLater, PublishedLater};
pub use prepared::Prepared;
pub use publishable::{IntoPublishable, Publishable};
pub use publisher::{Publisher, PublisherSet};
pub use raw::RawPublish;
pub use sending::{Publish, PublishFuture, Published};

use event_sdk_core::{Event, EventSet};

use crate::bus::EventBus;

impl EventBus {
    /// Publishes events of the type `E`.
    #[must_use]
    pub fn publisher<E: Event>(&self) -> Publisher<E> {
        Publisher::new(self.clone())
    }

    /// Returns a value that makes publishers for the events of the set `S`, and for no other
    /// events. So the compiler checks which events the service publishes.
    #[must_use]
    pub fn publisher_set<S: EventSet>(&self) -> PublisherSet<S> {
        PublisherSet::new(self.clone())
    }
}
