//! Broken promise: publishing waits for the slowest subscription.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use event_sdk::transport::Deliveries;
use futures_util::StreamExt;

/// How far a deliveries may lag behind before publishers wait for it.
const ROOM: u64 = 100;

/// How far the subscriptions are.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    readers: Mutex<Vec<Weak<Progress>>>,
}

/// How many messages were published since a deliveries began, and read by it.
#[derive(Debug, Default)]
struct Progress {
    published: AtomicU64,
    read: AtomicU64,
}

/// A deliveries that is about to be read.
pub(super) struct Reading(Arc<Progress>);

impl Waiting {
    pub(super) fn begin(&self) -> Reading {
        let progress = Arc::default();
        self.readers.lock().unwrap().push(Arc::downgrade(&progress));
        Reading(progress)
    }

    /// Waits until every deliveries has room for one message more.
    pub(super) fn turn(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut readers = self.readers.lock().unwrap();
        readers.retain(|reader| reader.strong_count() > 0);
        for reader in readers.iter().filter_map(Weak::upgrade) {
            reader.published.fetch_add(1, Ordering::SeqCst);
        }
        let readers = readers.clone();
        async move {
            let full = |reader: &Weak<Progress>| {
                reader.upgrade().is_some_and(|reader| {
                    reader.published.load(Ordering::SeqCst)
                        > reader.read.load(Ordering::SeqCst) + ROOM
                })
            };
            let mut pace = tokio::time::interval(Duration::from_millis(1));
            while readers.iter().any(full) {
                pace.tick().await;
            }
        }
    }
}

impl Reading {
    pub(super) fn count(self, deliveries: Deliveries) -> Deliveries {
        Box::pin(deliveries.inspect(move |_| {
            self.0.read.fetch_add(1, Ordering::SeqCst);
        }))
    }
}
