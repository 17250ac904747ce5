//! Subscribing: the options of a consumer, the subscriber, its deliveries and its batches.

mod batch;
mod delivery;
mod options;
mod subscriber;

pub use batch::Batch;
pub use delivery::Delivery;
pub use options::Subscribe;
pub use subscriber::Subscriber;
