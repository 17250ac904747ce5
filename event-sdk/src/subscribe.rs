//! Subscribing: the options of a consumer, the subscriber, its deliveries, batches and notices.

mod batch;
mod binding;
mod delay_unknown;
mod delivery;
mod incoming;
mod options;
mod refusal;
mod reports;
mod settings;
mod subscriber;

pub use batch::Batch;
pub use delay_unknown::DelayUnknown;
pub use delivery::Delivery;
pub use incoming::{Incoming, NoticeCounts};
pub use options::Subscribe;
pub(crate) use refusal::{End, Refusal};
pub use subscriber::Subscriber;

use event_sdk_core::EventSet;

use crate::bus::{EventBus, Wanted};

impl EventBus {
    /// Receives the events of the set `S`, or of one type.
    ///
    /// Add options, then await the subscription.
    pub fn subscribe<S: EventSet>(&self) -> Subscribe<S> {
        Subscribe::new(self.clone(), Wanted::events_of::<S>())
    }
}
