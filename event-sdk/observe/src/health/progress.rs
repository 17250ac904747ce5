//! `Progress`: since when a durable stands still, as seen by the checks.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use event_sdk::text::Text;
use event_sdk::transport::ConsumerInfo;

/// The positions that the durables had, each by stream and name.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// How many connections there had been.
    connections: u64,
    positions: HashMap<(Text, Text), Position>,
}

#[derive(Debug, Clone, Copy)]
struct Position {
    delivered: u64,
    acknowledged: u64,
    ack_pending: u64,
    since: Duration,
}

impl Progress {
    /// Forgets all positions if the connection is, or was since the last check, another one: a server
    /// that is away delivers nothing, and no consumer stands still because of that.
    pub(super) fn connected(&self, connected: bool, connections: u64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !connected || seen.connections != connections {
            seen.positions.clear();
            seen.connections = connections;
        }
    }

    /// For how long the durable has events to deliver, and neither delivers one for the first time nor
    /// settles one. Redeliveries do not count: nobody may handle them either.
    pub(super) fn still(
        &self,
        durable: &(Text, Text),
        info: &ConsumerInfo,
        now: Duration,
    ) -> Duration {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut position = Position {
            delivered: info.delivered,
            acknowledged: info.acknowledged,
            ack_pending: info.ack_pending,
            since: now,
        };
        if let Some(before) = seen.positions.get(durable)
            && info.pending > 0
            && before.delivered == position.delivered
            && before.acknowledged == position.acknowledged
            && before.ack_pending <= position.ack_pending
        {
            position.since = before.since;
        }
        seen.positions.insert(durable.clone(), position);
        now.saturating_sub(position.since)
    }
}
