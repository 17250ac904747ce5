//! Setting of the benchmark: server, runtime, connections.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use event_sdk::EventBus;
use event_sdk::stream::{Storage, StreamSpec};
use event_sdk::transport::nats::Nats;
use event_sdk_test_servers::Server;
use tokio::runtime::Runtime;

pub(crate) struct Setting {
    pub(crate) runtime: Runtime,
    pub(crate) client: async_nats::Client,
    pub(crate) jetstream: async_nats::jetstream::Context,
    pub(crate) nats: Nats,
    server: Server,
    names: AtomicU32,
}

impl Setting {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (server, client, jetstream, nats) = runtime.block_on(async {
            let server = Server::start().await.unwrap();
            let client = async_nats::connect(server.url()).await.unwrap();
            let nats = Nats::connect(Nats::options(server.url()).max_in_flight(IN_FLIGHT))
                .await
                .unwrap();
            let jetstream = ContextBuilder::new()
                .max_ack_inflight(IN_FLIGHT)
                .build(client.clone());
            (server, client, jetstream, nats)
        });
        Self {
            jetstream,
            runtime,
            client,
            nats,
            server,
            names: AtomicU32::new(0),
        }
    }

    /// A bus whose stream of this kind is there, and the stream's name.
    pub(crate) fn bus(&self) -> (EventBus, String) {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        let name = format!("BENCH{number}");
        let stream = StreamSpec::new(name.clone())
            .subject("travel.>")
            .storage(Storage::Memory)
            .max_bytes(900 << 20)
            .duplicate_window(Duration::from_secs(10));
        let bus = EventBus::builder()
            .source("bench")
            .prefix(format!("bench{number}"))
            .stream(stream)
            .transport(self.nats.clone())
            .unwrap();
        self.runtime.block_on(bus.apply_streams()).unwrap();
        (bus, name)
    }

    pub(crate) fn remove(&self, stream: &str) {
        self.runtime
            .block_on(self.jetstream.delete_stream(stream))
            .unwrap();
    }

    pub(crate) fn describe(&self) -> String {
        format!(
            "nats-server {}, on the same machine; streams in memory",
            self.client.server_info().version
        )
    }

    #[expect(dead_code, reason = "it runs as long as it is owned")]
    fn server(&self) -> &Server {
        &self.server
    }
}

/// How many publishes wait for their acks at a time, on both sides.
pub(crate) const IN_FLIGHT: usize = 1_000;
