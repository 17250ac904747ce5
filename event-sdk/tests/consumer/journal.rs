//! The events of these tests, and a journal of what handlers did, with virtual times.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::transport::TransportExt as _;
use event_sdk::{Event, EventBus, EventSet};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key, in_subject)]
    pub(crate) order: String,
    pub(crate) number: u64,
}

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPaid {
    pub(crate) number: u64,
}

/// A later major of `OrderPlaced`.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(
    domain = "orders",
    entity = "order",
    action = "placed",
    version = "2.0"
)]
pub(crate) struct OrderPlacedInParts {
    #[event(key, in_subject)]
    pub(crate) order: String,
}

#[derive(Debug, EventSet)]
pub(crate) enum Orders {
    Placed(OrderPlaced),
    Paid(OrderPaid),
}

/// What handlers noted, each with the time since the start.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    start: Instant,
    notes: Arc<Mutex<Vec<(String, Duration)>>>,
    count: watch::Sender<usize>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            notes: Arc::default(),
            count: watch::Sender::new(0),
        }
    }

    pub(crate) fn note(&self, what: impl Into<String>) {
        let mut notes = self.notes.lock().unwrap();
        notes.push((what.into(), self.start.elapsed()));
        self.count.send_replace(notes.len());
    }

    /// Waits until there are so many notes.
    pub(crate) async fn wait(&self, notes: usize) {
        let mut count = self.count.subscribe();
        count.wait_for(|count| *count >= notes).await.unwrap();
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        let notes = self.notes.lock().unwrap();
        notes.iter().map(|(what, _)| what.clone()).collect()
    }

    /// The notes with the seconds at which they were made.
    pub(crate) fn timed(&self) -> Vec<(String, f64)> {
        let notes = self.notes.lock().unwrap();
        let timed = notes.iter();
        timed
            .map(|(what, at)| (what.clone(), (at.as_secs_f64() * 10.0).round() / 10.0))
            .collect()
    }
}

pub(crate) fn placed(order: &str, number: u64) -> OrderPlaced {
    OrderPlaced {
        order: order.to_owned(),
        number,
    }
}

pub(crate) async fn place(bus: &EventBus, order: &str, number: u64) {
    bus.publisher()
        .publish(placed(order, number))
        .await
        .unwrap();
}

/// How many events the durable has not settled: (unsettled, not yet delivered).
pub(crate) async fn left(bus: &EventBus, durable: &str) -> (u64, u64) {
    let info = bus
        .transport()
        .consumer_info("EVENTS", durable)
        .await
        .unwrap();
    (info.ack_pending, info.pending)
}
