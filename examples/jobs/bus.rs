//! The topology with its users, and the bus over it.

use std::time::Duration;

use event_sdk::config::Config;
use event_sdk::stream::StreamSpec;
use event_sdk::{Error, EventBus};
use event_sdk_topology::permissions::{Consumes, PermissionsBuilder, Service};
use event_sdk_topology::{DurableSpec, Topology, covers};

use crate::events::{Everything, JobScheduled};
use crate::worker::GROUP;

pub(crate) const PREFIX: &str = "hodei.events";
pub(crate) const STREAM: &str = "HODEI_EVENTS";

/// How many events the stream keeps.
const KEEPS: u64 = 1_000_000;

/// For how long the outcome of a job is published once only: longer than any
/// job takes, or a server is unavailable.
const REMEMBERS: Duration = Duration::from_mins(15);

/// After this time an event that was not acknowledged is delivered again, such as one whose delivery was lost with a
/// connection, or a job whose worker is gone.
pub(crate) const ACK_WAIT: Duration = Duration::from_secs(5);

/// The stream and the durable that the program needs on a server.
pub(crate) const TOPOLOGY: Topology = Topology::new(
    const {
        &[StreamSpec::constant(STREAM, &[">"])
            .max_messages(KEEPS)
            .duplicate_window(REMEMBERS)]
    },
)
.consumers(const { &[DurableSpec::of::<JobScheduled>(GROUP).ack_wait(ACK_WAIT)] });

covers!(TOPOLOGY, Everything);

/// The users: the program, and the step that deploys it.
pub(crate) fn users() -> PermissionsBuilder {
    let program = Service::new("jobs")
        .publishes::<Everything>()
        .consumes(Consumes::durable(GROUP).by_subscription())
        // All but the workers.
        .subscribes_unnamed::<Everything>()
        // The ledger.
        .reads_history::<Everything>();
    TOPOLOGY
        .permissions(PREFIX)
        .account("JOBS")
        .private_inboxes()
        .service(program)
        .deployment("deploy")
}

/// Opens the bus that the configuration describes.
///
/// # Errors
///
/// When there is no such server.
pub(crate) async fn open(config: &Config) -> Result<EventBus, Error> {
    let bus = EventBus::builder().source("jobs").prefix(PREFIX);
    TOPOLOGY.declare(bus).connect(config).await
}
