//! The servers, and a stream for each round.

use std::time::Duration;

use async_nats::jetstream::{self, stream};
use event_sdk::transport::nats::Nats;
use event_sdk_test_servers::Server;
use event_sdk_test_servers::postgres::{Database, Postgres};

/// The name of the stream, whose subjects are all below [`PREFIX`].
const STREAM: &str = "PEERS";
/// The first token of all subjects.
pub(crate) const PREFIX: &str = "peers";
/// The subject of the events, without the key.
pub(crate) const SUBJECT: &str = "peers.orders.order.placed";

pub(crate) struct Setting {
    server: Server,
    postgres: Postgres,
    /// What our relay uses.
    pub(crate) ours: Nats,
    /// What publishes by hand, and looks after the stream.
    pub(crate) jetstream: jetstream::Context,
}

impl Setting {
    pub(crate) async fn new() -> Self {
        let server = Server::start().await.expect("the server starts");
        let client = async_nats::connect(server.url()).await;
        let ours = Nats::connect(Nats::options(server.url())).await;
        let postgres = Postgres::options().durable().start().await;
        Self {
            ours: ours.expect("it connects"),
            jetstream: jetstream::new(client.expect("it connects")),
            postgres: postgres.expect("PostgreSQL starts"),
            server,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) async fn database(&self) -> Database {
        self.postgres.database().await.expect("a database")
    }

    pub(crate) fn describe(&self) -> String {
        let version = self.jetstream.client().server_info().version;
        format!("nats-server {version} with the stream in memory, PostgreSQL with fsync")
    }

    /// An empty stream.
    pub(crate) async fn begin(&self) {
        let stream = stream::Config {
            name: STREAM.to_owned(),
            subjects: vec![format!("{PREFIX}.>")],
            storage: stream::StorageType::Memory,
            duplicate_window: Duration::from_mins(2),
            ..stream::Config::default()
        };
        let made = self.jetstream.create_stream(stream).await;
        made.expect("it is made");
    }

    /// Removes the stream, which has this number of messages.
    pub(crate) async fn end(&self, rows: u32) {
        assert_eq!(self.messages().await, u64::from(rows));
        let removed = self.jetstream.delete_stream(STREAM).await;
        removed.expect("it was there");
    }

    pub(crate) async fn messages(&self) -> u64 {
        let stream = self.jetstream.get_stream(STREAM).await;
        let mut stream = stream.expect("it is there");
        stream.info().await.expect("its state").state.messages
    }
}
