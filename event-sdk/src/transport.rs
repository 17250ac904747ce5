//! The transports that come with the SDK, and the contract that all obey.

pub use event_sdk_core::transport::*;

#[cfg(feature = "memory")]
pub mod memory;

#[cfg(feature = "nats")]
pub mod nats;
