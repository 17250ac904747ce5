//! Subscribing: options, the subscriber, and its deliveries.

mod delivery;
mod options;
mod subscriber;

pub use delivery::Delivery;
pub use options::Subscribe;
pub use subscriber::Subscriber;
