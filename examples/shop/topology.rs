//! What the shop needs on a server: streams, consumers, dead letters, a bucket; and the users of its
//! services, each with the least permissions.

use event_sdk::stream::StreamSpec;
use event_sdk::transport::BucketConfig;
use event_sdk_topology::permissions::{Consumes, PermissionsBuilder, Service};
use event_sdk_topology::{DeadLetterSpec, DurableSpec, Topology, covers};

use crate::events::{
    Audited, InvoiceDeclined, InvoicePaid, OrderCancelled, OrderConfirmed, OrderPlaced, Payments,
};

/// The prefix that the users may use. The configuration sets it (`EVENT_SDK_PREFIX`), for the services and for the
/// commands of operation.
pub(crate) const PREFIX: &str = "shop";
pub(crate) const DEAD_LETTERS: &str = "DLQ";

/// The instances of `orders` share the keys of its events by these: no more of them have work at a time.
pub(crate) const PARTITIONS: u32 = 6;

/// On a single server.
pub(crate) const SINGLE: Topology = Topology::new(const { &streams(1) })
    .consumers(CONSUMERS)
    .dead_letters(const { &[letters(1)] })
    .bucket(const { &BucketConfig::constant("SHOP") });

/// On a cluster, with three replicas of everything.
pub(crate) const CLUSTERED: Topology = Topology::new(const { &streams(3) })
    .consumers(CONSUMERS)
    .dead_letters(const { &[letters(3)] })
    .bucket(const { &BucketConfig::constant("SHOP").replicas(3) });

const CONSUMERS: &[DurableSpec] = &[
    DurableSpec::of::<Payments>("orders").partitions(PARTITIONS),
    DurableSpec::of::<OrderPlaced>("billing"),
    DurableSpec::of::<Audited>("audit"),
];

covers!(SINGLE, Payments, Audited);
covers!(CLUSTERED, Payments, Audited);

const fn streams(replicas: u8) -> [StreamSpec; 1] {
    [StreamSpec::constant("SHOP", &["orders.>", "billing.>"]).replicas(replicas)]
}

const fn letters(replicas: u8) -> DeadLetterSpec {
    DeadLetterSpec::new(DEAD_LETTERS, "DLQ_RETRY").replicas(replicas)
}

/// The users: one for each service, and those of the people around them.
pub(crate) fn users(topology: &Topology) -> PermissionsBuilder {
    let consumes = |name: &str| Consumes::durable(name).dead_letters(DEAD_LETTERS);
    let orders = Service::new("orders")
        .publishes::<OrderPlaced>()
        .publishes::<OrderConfirmed>()
        .publishes::<OrderCancelled>()
        .consumes(consumes("orders"));
    let billing = Service::new("billing")
        .publishes::<InvoicePaid>()
        .publishes::<InvoiceDeclined>()
        .consumes(consumes("billing"));
    topology
        .permissions(PREFIX)
        .account("SHOP")
        .passwords_file("passwords.conf")
        .private_inboxes()
        .service(orders)
        .service(billing)
        .service(Service::new("audit").consumes(consumes("audit")))
        .deployment("deploy")
        .operator("operator")
        .monitor("monitor")
}
