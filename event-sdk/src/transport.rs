//! The transports that come with the SDK, and the contract that all obey.

pub use event_sdk_core::transport::*;

/// The memory transport: streams in the memory of this process.
#[cfg(feature = "memory")]
pub mod memory {
    pub use event_sdk_memory::*;
}

#[cfg(feature = "nats")]
pub mod nats;
