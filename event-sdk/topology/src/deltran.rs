//! The topology of DelTran, a payments platform: eight streams and three consumers.
//!
//! ```
//! use event_sdk::EventBus;
//! use event_sdk_topology::deltran;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bus = deltran::TOPOLOGY.declare(EventBus::builder()).memory()?;
//! deltran::TOPOLOGY.apply(&bus).await?;
//! # Ok(())
//! # }
//! ```

use std::time::Duration;

use event_sdk::stream::StreamSpec;

use crate::covers;
use crate::durable::DurableSpec;
use crate::tier::RetentionTier;
use crate::topology::Topology;

/// The topology on one server.
pub const TOPOLOGY: Topology = Topology::new(STREAMS).consumers(CONSUMERS);

/// The topology for a cluster, with three replicas of each stream.
pub const CLUSTERED: Topology = Topology::new(CLUSTERED_STREAMS).consumers(CONSUMERS);

/// The eight streams, one for each domain.
pub const STREAMS: &[StreamSpec] = &streams(1);

const CLUSTERED_STREAMS: &[StreamSpec] = &streams(3);

/// The three consumers. Their clients have no Rust types, so each consumer reads all events of its
/// domain.
pub const CONSUMERS: &[DurableSpec] = &[
    DurableSpec::matching(
        "notification-engine-consumer",
        "NOTIFICATIONS",
        "notifications.>",
    )
    .max_deliver(3)
    .ack_wait(Duration::from_secs(30)),
    DurableSpec::matching("reporting-engine-consumer", "REPORTING", "reporting.>")
        .max_deliver(3)
        .ack_wait(Duration::from_secs(5 * 60)),
    DurableSpec::matching("compliance-tracker", "COMPLIANCE", "compliance.>"),
];

covers!(TOPOLOGY);
covers!(CLUSTERED);

const fn streams(replicas: u8) -> [StreamSpec; 8] {
    use RetentionTier::{Extended, Long, Medium, Short};
    [
        stream("TRANSACTIONS", &["transactions.>"], Short, replicas),
        stream("COMPLIANCE", &["compliance.>"], Medium, replicas),
        stream("SETTLEMENT", &["settlement.>"], Long, replicas),
        stream("CLEARING", &["clearing.>"], Medium, replicas),
        stream("NOTIFICATIONS", &["notifications.>"], Short, replicas),
        stream("REPORTING", &["reporting.>"], Long, replicas),
        stream("RISK", &["risk.>"], Medium, replicas),
        stream("AUDIT", &["audit.>"], Extended, replicas),
    ]
}

const fn stream(
    name: &'static str,
    subjects: &'static [&'static str],
    tier: RetentionTier,
    replicas: u8,
) -> StreamSpec {
    StreamSpec::constant(name, subjects)
        .max_age(tier.max_age())
        .max_message_size(1024 * 1024)
        .duplicate_window(Duration::from_secs(120))
        .replicas(replicas)
}
