//! Test support: the events and sets of two versions of a service, its replicas, and what they
//! handled.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{ConsumerInfo, TransportExt as _};
use event_sdk::{BusBuilder, Event, EventBus, EventSet, Incoming, Subscriber};
use event_sdk_test_servers::Server;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

macro_rules! events {
    ($($name:ident)*) => {$(
        #[derive(Debug, Event, Serialize, Deserialize)]
        #[event(domain = "orders")]
        pub(crate) struct $name { pub(crate) number: u64 }
    )*};
}

events! { OrderPlaced OrderPaid OrderCancelled }

/// What the old version knows.
#[derive(Debug, EventSet)]
pub(crate) enum Old {
    Placed(OrderPlaced),
    Paid(OrderPaid),
}

/// What the new version knows.
#[derive(Debug, EventSet)]
pub(crate) enum New {
    Placed(OrderPlaced),
    Paid(OrderPaid),
    Cancelled(OrderCancelled),
}

impl Old {
    pub(crate) fn number(&self) -> u64 {
        match self {
            Self::Placed(OrderPlaced { number }) | Self::Paid(OrderPaid { number }) => *number,
        }
    }
}

impl New {
    pub(crate) fn number(&self) -> u64 {
        match self {
            Self::Placed(OrderPlaced { number })
            | Self::Paid(OrderPaid { number })
            | Self::Cancelled(OrderCancelled { number }) => *number,
        }
    }
}

/// A cluster of three on a busy machine takes its time; and an event that an old replica has refused
/// again and again waits for as long as it has waited before.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// The first delay of an event that a replica does not know.
const DELAY: Duration = Duration::from_millis(50);

pub(crate) fn orders() -> StreamSpec {
    StreamSpec::new("ORDERS").subject("orders.>")
}

pub(crate) async fn server() -> Server {
    Server::options().start().await.unwrap()
}

pub(crate) async fn nats(url: impl AsRef<str>) -> Nats {
    let options = Nats::options(url).request_timeout(PATIENCE);
    Nats::connect(options).await.unwrap()
}

pub(crate) fn declares(stream: StreamSpec) -> BusBuilder {
    EventBus::builder().stream(stream)
}

/// Publishes a number: every third one is an event of which the old version knows nothing.
pub(crate) async fn publish(bus: &EventBus, number: u64) {
    let stored = match number % 3 {
        0 => bus
            .publisher()
            .publish(OrderPlaced { number })
            .await
            .is_ok(),
        1 => bus.publisher().publish(OrderPaid { number }).await.is_ok(),
        _ => {
            let cancelled = OrderCancelled { number };
            bus.publisher().publish(cancelled).await.is_ok()
        }
    };
    assert!(stored, "{number} was not stored");
}

/// The attempts in which each number was handled.
pub(crate) type Handled = Arc<Mutex<BTreeMap<u64, Vec<u32>>>>;

/// A running replica, and the sequences that it has terminated.
pub(crate) struct Replica {
    task: JoinHandle<u64>,
    terminated: Arc<Mutex<Vec<u64>>>,
}

impl Replica {
    /// Acknowledges what it knows, and refuses what it does not.
    pub(crate) fn start<S: EventSet>(
        mut events: Subscriber<S>,
        number: fn(&S) -> u64,
        handled: &Handled,
    ) -> Self {
        let handled = Arc::clone(handled);
        let terminated = Arc::<Mutex<Vec<u64>>>::default();
        let reported = Arc::clone(&terminated);
        let task = tokio::spawn(async move {
            while let Some(incoming) = events.next_incoming().await {
                let delivery = match incoming.expect("the subscription goes on") {
                    Incoming::Delivery(delivery) => delivery,
                    Incoming::Notice(notice) => {
                        let terminated = notice.terminated().map(|one| one.sequence);
                        reported.lock().unwrap().extend(terminated);
                        continue;
                    }
                };
                match delivery.decode() {
                    Ok(event) => {
                        delivery.ack_confirmed().await.unwrap();
                        let mut handled = handled.lock().unwrap();
                        let attempts = handled.entry(number(&event)).or_default();
                        attempts.push(delivery.attempt());
                    }
                    Err(error) => delivery.refuse(&error, DELAY).await.unwrap(),
                }
            }
            events.notices().terminated
        });
        Self { task, terminated }
    }

    /// The sequences that it has terminated, as its notices say.
    pub(crate) fn terminated(&self) -> Vec<u64> {
        self.terminated.lock().unwrap().clone()
    }

    /// Waits for its end, once its bus is closed or drained; how many it has terminated.
    pub(crate) async fn ended(self) -> u64 {
        self.task.await.unwrap()
    }
}

/// Waits until `seen` says that it is so of the durable `billing`.
pub(crate) async fn until(bus: &EventBus, mut seen: impl FnMut(&ConsumerInfo) -> bool) {
    let begun = Instant::now();
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    loop {
        pace.tick().await;
        let info = bus.transport().consumer_info("ORDERS", "billing").await;
        let info = info.unwrap();
        if seen(&info) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{info:?}");
    }
}

/// Waits until each of these numbers was handled, and the durable has nothing left; all
/// that were.
pub(crate) async fn all_handled(bus: &EventBus, handled: &Handled, wanted: &[u64]) -> Vec<u64> {
    let numbers = || -> Vec<u64> { handled.lock().unwrap().keys().copied().collect() };
    until(bus, |info| {
        let numbers = numbers();
        let all = wanted.iter().all(|number| numbers.contains(number));
        all && info.ack_pending == 0 && info.pending == 0
    })
    .await;
    numbers()
}

/// Numbers that were handled more than once, with their attempts.
pub(crate) fn repeated(handled: &Handled) -> Vec<(u64, Vec<u32>)> {
    let handled = handled.lock().unwrap();
    let repeated = handled.iter().filter(|(_, attempts)| attempts.len() > 1);
    repeated
        .map(|(number, attempts)| (*number, attempts.clone()))
        .collect()
}

pub(crate) fn numbers(range: std::ops::Range<u64>, known: impl Fn(u64) -> bool) -> Vec<u64> {
    range.filter(|number| known(*number)).collect()
}
