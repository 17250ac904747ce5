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
    server: Option<Server>,
}

/// What only a server has.
impl Place {
    async fn client(&self) -> async_nats::Client {
        let server = self.server.as_ref().unwrap();
        async_nats::connect(server.url()).await.unwrap()
    }

    /// The answer to a request of the JetStream API.
    async fn ask(&self, call: &str, json: &str) -> String {
        let call = format!("$JS.API.STREAM.{call}");
        let client = self.client().await;
        let answer = client.request(call, json.to_owned().into()).await.unwrap();
        String::from_utf8_lossy(&answer.payload).into_owned()
    }

    /// Creates a stream from its JSON.
    pub(crate) async fn create(&self, json: &str) {
        let name = json.split('"').nth(3).unwrap();
        let answer = self.ask(&format!("CREATE.{name}"), json).await;
        assert!(!answer.contains(r#""error""#), "{answer}");
    }

    /// What a server says of a stream.
    pub(crate) async fn json(&self, stream: &str) -> String {
        self.ask(&format!("INFO.{stream}"), "").await
    }

    /// Deletes the streams of these names that exist.
    pub(crate) async fn delete(&self, streams: &[&str]) {
        for name in streams {
            self.ask(&format!("DELETE.{name}"), "").await;
        }
    }

    /// Publishes under these subjects of the prefix; the subjects in a copy once it has the last one.
    pub(crate) async fn copied(&self, copy: &str, publish: &[&str], last: &str) -> Vec<String> {
        let client = self.client().await;
        for subject in publish {
            let stored = client.request(format!("events.{subject}"), "".into());
            stored.await.unwrap();
        }
        let call = format!("MSG.GET.{copy}");
        let mut subjects: Vec<String> = Vec::new();
        let reading = async {
            while subjects.last().is_none_or(|it| !it.ends_with(last)) {
                let next = format!(r#"{{"seq":{}}}"#, subjects.len() + 1);
                let answer = self.ask(&call, &next).await;
                match answer.split_once(r#""subject":""#) {
                    Some((_, rest)) => subjects.push(rest.split('"').next().unwrap().to_owned()),
                    None => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let read = tokio::time::timeout(Duration::from_secs(60), reading).await;
        read.expect("the last event in the copy");
        subjects
    }
}

impl Place {
    pub(crate) fn memory() -> Self {
        let memory = MemoryTransport::builder().without_default_stream();
        let memory = memory.build().unwrap();
        let other = memory.connect().unwrap();
        Self {
            bus: bus(memory),
            other: bus(other),
            server: None,
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
            server: Some(server),
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
