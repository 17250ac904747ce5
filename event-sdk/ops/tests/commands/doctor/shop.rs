//! A set-up that is as it should be, for tests to break.

use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::BucketConfig;
use event_sdk::transport::nats::Nats;
use event_sdk_ops::Operations;
use event_sdk_test_servers::{Options, Permissions, Server, User};
use event_sdk_topology::{DeadLetterSpec, DurableSpec, Topology};
use serde_json::Value;

use super::{Diagnosis, api};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub(crate) const SHOP: Topology =
    Topology::new(const { &[StreamSpec::constant("ORDERS", &["orders.>"]).max_age(WEEK)] })
        .consumers(const { &[DurableSpec::matching("billing", "ORDERS", "orders.>")] })
        .dead_letters(const { &[DeadLetterSpec::new("DLQ", "DLQ_RETRY")] })
        .bucket(const { &BucketConfig::constant("SHOP") });

/// A server with the user `operator`, who may do what `doctor` and `apply` need.
pub(crate) struct Shop {
    pub(crate) server: Server,
    pub(crate) bus: EventBus,
}

pub(crate) fn operator() -> User {
    let publish = [
        "$JS.>",
        "$KV.>",
        "events.>",
        "dlq.>",
        "prod.>",
        "$SYS.REQ.USER.INFO",
    ];
    let may = Permissions::none()
        .publish(&publish)
        .subscribe(&["_INBOX.>"]);
    User::password("operator", "sesame").permissions(may)
}

impl Shop {
    /// With everything that the topology declares.
    pub(crate) async fn start() -> Self {
        let shop = Self::empty(Server::options()).await;
        SHOP.apply(&shop.bus).await.unwrap();
        shop
    }

    /// Without streams.
    pub(crate) async fn empty(options: Options) -> Self {
        let server = options.users([operator()]).start().await.unwrap();
        let bus = EventBus::builder()
            .transport(connect(&server).await)
            .unwrap();
        Self { server, bus }
    }

    pub(crate) fn operations(&self) -> Operations {
        Operations::new("shop").topology(SHOP).bus(self.bus.clone())
    }

    pub(crate) async fn diagnose(&self) -> Diagnosis {
        Diagnosis::of(&self.operations(), "").await
    }

    /// What somebody changes by hand.
    pub(crate) async fn call(&self, call: &str, request: &Value) -> Value {
        api::call(&self.server.url(), "operator", call, request).await
    }

    pub(crate) async fn publish(&self, subject: &str, events: usize) {
        for number in 0..events {
            let body = format!("{number}");
            let publish = self.bus.raw().absolute().publish(subject.to_owned(), body);
            publish.await.unwrap();
        }
    }
}

pub(crate) async fn connect(server: &Server) -> Nats {
    let options = Nats::options(server.url()).user("operator", "sesame");
    Nats::connect(options).await.unwrap()
}
