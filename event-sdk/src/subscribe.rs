//! Subscribing: options, the subscriber, its deliveries, batches of them, and notices.

mod batch;
mod delivery;
mod incoming;
mod options;
mod subscriber;

pub use batch::Batch;
pub use delivery::Delivery;
pub use incoming::{Incoming, NoticeCounts};
pub use options::Subscribe;
pub use subscriber::Subscriber;
