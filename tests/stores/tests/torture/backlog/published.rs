//! `Published`: which rows of the backlog were published, and each one that came behind a later one of its
//! key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use event_sdk::transport::{Completion, Confirmation, Error, PublishRequest, Transport};
use event_sdk_testing::intercept::Intercept;

#[derive(Debug, Clone)]
pub(super) struct Published(Arc<Mutex<Order>>);

#[derive(Debug)]
struct Order {
    latest: HashMap<u64, u64>,
    /// By row. It has its whole size from the start, since the memory is measured.
    seen: Vec<bool>,
    count: u64,
    reordered: Vec<u64>,
}

impl Published {
    /// For the rows from 1 to `rows`.
    pub(super) fn new(rows: u64) -> Self {
        Self(Arc::new(Mutex::new(Order {
            latest: HashMap::new(),
            // Written, so that the pages are there.
            seen: (0..=rows).map(|row| row == 0).collect(),
            count: 0,
            reordered: Vec::new(),
        })))
    }

    /// Checks the order in each key. A row that is published again, as after a lease that ended, counts
    /// once.
    fn note(&self, row: u64) {
        // As in the statements.
        let is_hot = !row.is_multiple_of(10);
        let key = if is_hot { 1_000 } else { row % 999 };
        let order = &mut *self.0.lock().unwrap();
        let seen = &mut order.seen[usize::try_from(row).unwrap()];
        if !std::mem::replace(seen, true) {
            order.count += 1;
            let latest = order.latest.entry(key).or_default();
            if row < *latest {
                order.reordered.push(row);
            }
            *latest = row.max(*latest);
        }
    }

    /// How many rows were published.
    pub(super) fn count(&self) -> u64 {
        self.0.lock().unwrap().count
    }

    /// The rows that came late.
    pub(super) fn reordered(&self) -> Vec<u64> {
        self.0.lock().unwrap().reordered.clone()
    }
}

impl Intercept for Published {
    fn publish(
        &self,
        inner: &dyn Transport,
        message: PublishRequest<'_>,
    ) -> Completion<Result<Confirmation, Error>> {
        let id = message.message_id.as_ref().map(ToString::to_string);
        if let Some(row) = id.as_deref().and_then(|id| id.strip_prefix("row-")) {
            self.note(row.parse().unwrap());
        }
        inner.publish(message)
    }
}
