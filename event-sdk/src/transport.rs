//! The transports that come with the SDK (`memory`, `nats`), and the re-exported transport
//! contract.

pub use event_sdk_core::transport::*;

/// The memory transport: streams in the memory of this process.
#[cfg(feature = "memory")]
pub mod memory {
    pub use event_sdk_memory::*;
}

/// The NATS transport: streams and consumers of a JetStream server, and core NATS.
#[cfg(feature = "nats")]
pub mod nats {
    pub use event_sdk_nats::*;
}
