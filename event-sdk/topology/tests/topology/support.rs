//! Test support: transports to apply a topology to, events, and a small topology.

use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{BucketConfig, Transport};
use event_sdk::{Event, EventBus};
use event_sdk_test_servers::{Server, programs};
use event_sdk_topology::{DeadLetterSpec, DurableSpec, Topology, covers};
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) id: u64,
}

/// An order was shipped.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderShipped {
    #[event(key, in_subject)]
    pub(crate) id: u64,
}

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// One of everything.
pub(crate) const SHOP: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("ORDERS", &["orders.>"]).max_age(HOUR),
            StreamSpec::constant("CRM", &["crm.*.*", "letters.>"]),
        ]
    },
)
.consumers(
    const {
        &[
            DurableSpec::of::<OrderPlaced>("billing").ack_wait(Duration::from_secs(60)),
            DurableSpec::of::<OrderShipped>("shipping").partitions(2),
        ]
    },
)
.dead_letters(const { &[DeadLetterSpec::new("DLQ", "DLQ_RETRY")] })
.bucket(const { &BucketConfig::constant("SHOP") });
covers!(SHOP, OrderPlaced, OrderShipped);

/// Where a topology is applied. What is started ends with it.
pub(crate) struct Place {
    pub(crate) bus: EventBus,
    /// Another connection to the same streams.
    pub(crate) other: EventBus,
    _server: Option<Server>,
}

impl Place {
    pub(crate) fn memory() -> Self {
        let memory = MemoryTransport::builder().without_default_stream();
        let memory = memory.build().unwrap();
        let other = memory.connect().unwrap();
        Self {
            bus: bus(memory),
            other: bus(other),
            _server: None,
        }
    }

    pub(crate) async fn current() -> Self {
        Self::on(Server::start().await.unwrap()).await
    }

    pub(crate) async fn oldest() -> Self {
        let program = programs::nats::oldest().unwrap();
        let server = Server::options().program(program).start().await;
        Self::on(server.unwrap()).await
    }

    async fn on(server: Server) -> Self {
        let url = server.url();
        let connect = async || bus(Nats::connect(Nats::options(url.clone())).await.unwrap());
        Self {
            bus: connect().await,
            other: connect().await,
            _server: Some(server),
        }
    }
}

/// A bus that declares nothing.
pub(crate) fn bus(transport: impl Transport) -> EventBus {
    EventBus::builder().transport(transport).unwrap()
}

/// A stream that another application has made, or a person.
pub(crate) async fn by_hand(bus: &EventBus, stream: StreamSpec) {
    let config = stream.config(bus.prefix()).unwrap();
    let transport = bus.transport();
    let streams = transport.stream_admin().unwrap();
    streams.apply(&config).await.unwrap();
}

/// Each test on memory, the current server and the oldest supported one.
macro_rules! everywhere {
    ($($story:ident)*) => {$(
        mod $story {
            use crate::support::Place;

            #[tokio::test]
            async fn memory() {
                super::$story(&Place::memory()).await;
            }

            #[tokio::test]
            async fn current() {
                super::$story(&Place::current().await).await;
            }

            #[tokio::test]
            async fn oldest() {
                super::$story(&Place::oldest().await).await;
            }
        }
    )*};
}
pub(crate) use everywhere;
