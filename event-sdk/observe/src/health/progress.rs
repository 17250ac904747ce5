//! `Progress`: since when a durable stands still, as seen by the checks.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk::transport::{ConsumerInfo, Transport};

/// The positions that the durables had.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<HashMap<Key, Position>>);

/// The address of the transport, the stream and the name of a durable.
type Key = (usize, Text, Text);

#[derive(Debug, Clone, Copy)]
struct Position {
    /// How many connections there had been.
    connections: u64,
    pending: u64,
    delivered: u64,
    acknowledged: u64,
    ack_pending: u64,
    since: Duration,
}

impl Progress {
    /// For how long the durable has had events to deliver, and neither delivered one for the first time
    /// nor settled one, over the same connection. Redeliveries do not count: nobody may handle them
    /// either.
    pub(super) fn still(
        &self,
        transport: &Arc<dyn Transport>,
        durable: &(Text, Text),
        info: &ConsumerInfo,
        now: Duration,
    ) -> Duration {
        let mut position = Position {
            connections: transport.connections(),
            pending: info.pending,
            delivered: info.delivered,
            acknowledged: info.acknowledged,
            ack_pending: info.ack_pending,
            since: now,
        };
        let key = key(transport, durable);
        let mut positions = self.positions();
        if let Some(before) = positions.get(&key)
            && info.pending > 0
            // Without, the events may have come just now.
            && before.pending > 0
            && before.connections == position.connections
            && before.delivered == position.delivered
            && before.acknowledged == position.acknowledged
            && before.ack_pending <= position.ack_pending
        {
            position.since = before.since;
        }
        positions.insert(key, position);
        now.saturating_sub(position.since)
    }

    /// Forgets the position of a durable.
    pub(super) fn forget(&self, transport: &Arc<dyn Transport>, durable: &(Text, Text)) {
        self.positions().remove(&key(transport, durable));
    }

    /// Forgets the positions of all durables but these.
    pub(super) fn retain<'a>(
        &self,
        durables: impl Iterator<Item = (&'a Arc<dyn Transport>, &'a (Text, Text))>,
    ) {
        let these: HashSet<_> = durables.map(|(at, durable)| key(at, durable)).collect();
        self.positions().retain(|key, _| these.contains(key));
    }

    fn positions(&self) -> MutexGuard<'_, HashMap<Key, Position>> {
        // No code under this lock panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(transport: &Arc<dyn Transport>, durable: &(Text, Text)) -> Key {
    let (stream, name) = durable.clone();
    (Arc::as_ptr(transport).addr(), stream, name)
}
