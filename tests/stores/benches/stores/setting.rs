//! Setting of the benchmark: the NATS server, connections to it, and how much is measured.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_nats::jetstream::{self, context::ContextBuilder};
use event_sdk::stream::{Storage, StreamSpec};
use event_sdk::transport::nats::Nats;
use event_sdk::{Event, EventBus};
use event_sdk_test_servers::Server;
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Debug, Clone, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    #[event(key)]
    pub(crate) customer: String,
    pub(crate) order: u64,
    pub(crate) cents: u64,
    pub(crate) note: String,
}

pub(crate) fn placed(order: u64) -> OrderPlaced {
    OrderPlaced {
        customer: key_of(order),
        order,
        cents: 1_999,
        note: "leave it at the door, and ring twice".repeat(4),
    }
}

/// The key of an order: one of [`KEYS`].
pub(crate) fn key_of(order: u64) -> String {
    format!("k{}", order % KEYS)
}

/// The number of keys.
pub(crate) const KEYS: u64 = 1_000;

/// How many publishes wait for their confirmations at a time, on both sides.
pub(crate) const IN_FLIGHT: usize = 256;

pub(crate) struct Setting {
    pub(crate) jetstream: jetstream::Context,
    pub(crate) rounds: usize,
    scale: f64,
    nats: Nats,
    version: String,
    _server: Server,
    names: AtomicU32,
}

impl Setting {
    pub(crate) async fn new(scale: f64, rounds: usize) -> Self {
        let server = Server::start().await.unwrap();
        let client = async_nats::connect(server.url()).await.unwrap();
        Self {
            version: client.server_info().version.clone(),
            jetstream: ContextBuilder::new()
                .max_ack_inflight(IN_FLIGHT)
                .build(client),
            rounds: rounds.max(1),
            scale,
            nats: Nats::connect(Nats::options(server.url())).await.unwrap(),
            _server: server,
            names: AtomicU32::new(0),
        }
    }

    /// So many events at full scale; at least 64, and a multiple of it.
    pub(crate) fn events(&self, all: u32) -> u32 {
        let parts = self.scale.recip().max(1.0);
        // The whole number of parts is at most the number of events.
        let parts = (1..=all).find(|it| f64::from(*it) >= parts).unwrap_or(all);
        (all / parts / 64).max(1) * 64
    }

    /// A bus with a stream of its own, whose prefix and name are returned.
    pub(crate) async fn bus(&self) -> (EventBus, String) {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        let name = format!("BENCH{number}");
        let stream = StreamSpec::new(name.clone())
            .subject(">")
            .storage(Storage::Memory)
            .max_bytes(900 << 20)
            .duplicate_window(Duration::from_mins(2));
        let bus = EventBus::builder()
            .source("bench")
            .prefix(format!("bench{number}"))
            .stream(stream)
            .transport(self.nats.clone())
            .unwrap();
        bus.apply_streams().await.unwrap();
        (bus, name)
    }

    pub(crate) async fn remove(&self, stream: &str) {
        self.jetstream.delete_stream(stream).await.unwrap();
    }

    /// How many messages a stream has.
    pub(crate) async fn messages(&self, stream: &str) -> u64 {
        let mut stream = self.jetstream.get_stream(stream).await.unwrap();
        stream.info().await.unwrap().state.messages
    }

    pub(crate) fn describe(&self) -> String {
        format!(
            "nats-server {} with streams in memory, PostgreSQL with fsync, SQLite with WAL and \
             synchronous=NORMAL, all on this machine; {KEYS} keys; median of {} rounds",
            self.version, self.rounds
        )
    }
}
