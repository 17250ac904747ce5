//! Test support: the same bus on memory and on a server, a journal of handlers, and consumers in tasks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::consumer::{Consumer, ConsumerReport};
use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{BucketConfig, ConsumerInfo, TransportExt as _};
use event_sdk::{BusBuilder, Error, Event, EventBus, EventSet};
use event_sdk_test_servers::Server;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::rig::{eventually, within};

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "shop", entity = "order", action = "placed")]
pub(crate) struct Placed {
    #[event(key, in_subject)]
    pub(crate) order: String,
    pub(crate) number: u64,
}

/// A later major of it.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "shop", entity = "order", action = "placed", version = "2.0")]
pub(crate) struct PlacedInParts {
    #[event(key, in_subject)]
    pub(crate) order: String,
}

/// An order was paid; in another stream.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "money", entity = "order", action = "paid")]
pub(crate) struct Paid {
    #[event(key, in_subject)]
    pub(crate) order: String,
    pub(crate) number: u64,
}

#[derive(Debug, EventSet)]
pub(crate) enum Both {
    Placed(Placed),
    Paid(Paid),
}

fn builder() -> BusBuilder {
    let place = DeadLetterStream::new("DLQ");
    EventBus::builder()
        .source("options")
        .stream(StreamSpec::new("ORDERS").subject("shop.>"))
        .stream(StreamSpec::new("MONEY").subject("money.>"))
        .stream(place.spec())
        .stream(place.retry_spec())
        .coordination(BucketConfig::default())
}

/// Runs a test on memory and on a server at the same time.
pub(crate) async fn on_both(test: impl AsyncFn(EventBus)) {
    let server = Server::start().await.unwrap();
    let nats = within("a connection", Nats::connect(Nats::options(server.url()))).await;
    let nats = builder().transport(nats.unwrap()).unwrap();
    within("the streams", nats.apply()).await.unwrap();
    let memory = builder().memory().unwrap();
    within("the bucket", memory.apply()).await.unwrap();
    tokio::join!(
        named("memory", Box::pin(test(memory))),
        named("a server", Box::pin(test(nats))),
    );
}

/// Says on which transport a test failed.
async fn named(transport: &'static str, test: impl Future<Output = ()>) {
    struct Failed(&'static str);
    impl Drop for Failed {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("failed on {}, or was dropped with the other one", self.0);
            }
        }
    }
    let failed = Failed(transport);
    test.await;
    drop(failed);
}

pub(crate) fn placed(order: &str, number: u64) -> Placed {
    let order = order.to_owned();
    Placed { order, number }
}

pub(crate) async fn place(bus: &EventBus, order: &str, number: u64) {
    let orders = bus.publisher();
    let published = orders.publish(placed(order, number));
    within("a publish", published).await.unwrap();
}

pub(crate) async fn pay(bus: &EventBus, order: &str, number: u64) {
    let order = order.to_owned();
    let orders = bus.publisher();
    let published = orders.publish(Paid { order, number });
    within("a publish", published).await.unwrap();
}

/// What handlers noted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Waits until there are so many notes.
    pub(crate) async fn until(&self, notes: usize) {
        let what = format!("{notes} notes");
        eventually(&what, async || self.len() >= notes).await;
    }
}

/// A consumer in a task.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<ConsumerReport, Error>>,
}

pub(crate) fn run<S: EventSet>(consumer: Consumer<S>) -> Running {
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(consumer.run_until(async { drop(stopped.await) }));
    Running { stop, task }
}

impl Running {
    /// Ends it gracefully.
    pub(crate) async fn end(self) -> ConsumerReport {
        drop(self.stop);
        within("the end", self.task).await.unwrap().unwrap()
    }

    /// Crashes: it settles nothing.
    pub(crate) async fn crash(self) {
        self.task.abort();
        assert!(within("the abort", self.task).await.is_err());
    }
}

/// What the server says of the durable `billing` on this stream.
pub(crate) async fn info(bus: &EventBus, stream: &str) -> Result<ConsumerInfo, Error> {
    let info = bus.transport().consumer_info(stream, "billing");
    within("a position", info).await
}

/// Waits until the server has nothing left for `billing` on the stream of orders.
pub(crate) async fn all_settled(bus: &EventBus) {
    eventually("the settlements", async || {
        let info = info(bus, "ORDERS").await;
        info.is_ok_and(|info| (info.ack_pending, info.pending) == (0, 0))
    })
    .await;
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
