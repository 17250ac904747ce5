//! Subscribing: options, the subscriber, its deliveries and batches of them.

mod batch;
mod binding;
mod delivery;
mod options;
mod subscriber;

pub use batch::Batch;
pub use delivery::Delivery;
pub use options::Subscribe;
pub use subscriber::Subscriber;
