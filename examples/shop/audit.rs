//! The service `audit`: keeps a book of what happened to each order, in batches.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, EventBatch};
use event_sdk::dead_letters::DeadLetters;
use tokio::sync::watch;

use crate::events::Audited;
use crate::topology::DEAD_LETTERS;

/// What happened to orders, by kind of event.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    entries: Arc<Mutex<BTreeMap<String, Vec<&'static str>>>>,
    ended: watch::Sender<usize>,
}

pub(crate) fn consumer(bus: &EventBus, book: Book) -> Consumer<Audited> {
    bus.consumer("audit")
        .on_batches(
            100,
            Duration::from_millis(50),
            move |batch: EventBatch<Audited>| {
                book.enter(batch);
                std::future::ready(Ok(()))
            },
        )
        .dead_letters(DeadLetters::stream(DEAD_LETTERS))
}

impl Book {
    pub(crate) fn new() -> Self {
        Self {
            entries: Arc::default(),
            ended: watch::Sender::new(0),
        }
    }

    fn enter(&self, batch: EventBatch<Audited>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for (event, _) in batch {
            let (order, what) = match event {
                Audited::Placed(event) => (event.order, "placed"),
                Audited::Paid(event) => (event.order, "paid"),
                Audited::Declined(event) => (event.order, "declined"),
                Audited::Confirmed(event) => (event.order, "confirmed"),
                Audited::Cancelled(event) => (event.order, "cancelled"),
            };
            let story = entries.entry(order).or_default();
            // An event that comes again changes nothing.
            if !story.contains(&what) {
                story.push(what);
            }
        }
        let ended = entries.values().filter(|story| is_ended(story)).count();
        self.ended.send_replace(ended);
    }

    /// Waits until so many orders are confirmed or cancelled.
    pub(crate) async fn wait(&self, orders: usize) {
        let mut ended = self.ended.subscribe();
        // The sender lives as long as this book.
        let _ = ended.wait_for(|ended| *ended >= orders).await;
    }

    /// How many orders have each history.
    pub(crate) fn histories(&self) -> BTreeMap<String, usize> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut histories = BTreeMap::new();
        for story in entries.values() {
            let mut story = story.clone();
            story.sort_unstable();
            *histories.entry(story.join(" ")).or_default() += 1;
        }
        histories
    }
}

fn is_ended(story: &[&str]) -> bool {
    story.contains(&"confirmed") || story.contains(&"cancelled")
}
