//! The server, its streams, and who publishes to them.

use std::time::Duration;

use async_nats::jetstream;
use event_sdk::EventBus;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::BucketConfig;
use event_sdk::transport::nats::Nats;
use event_sdk_test_servers::Server;
use futures_util::TryStreamExt as _;

use crate::Sample as _;
use crate::events::BookingMade;

/// How long the server may take until it has all acknowledgements.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(60);

pub(crate) struct Setting {
    server: Server,
    /// Publishes, and looks after the streams.
    publisher: Nats,
    jetstream: jetstream::Context,
    /// What our consumers use.
    pub(crate) ours: Nats,
    /// What the consumers by hand use.
    pub(crate) by_hand: jetstream::Context,
}

/// A stream with the subject of the events.
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) subject: String,
    /// Consumes by our connection.
    pub(crate) bus: EventBus,
    pub(crate) publishing: EventBus,
}

impl Setting {
    pub(crate) async fn new() -> Self {
        let server = Server::start().await.expect("the server starts");
        let ours = async || {
            let nats = Nats::connect(Nats::options(server.url())).await;
            nats.expect("it connects")
        };
        let by_hand = async || {
            let client = async_nats::connect(server.url()).await;
            jetstream::new(client.expect("it connects"))
        };
        Self {
            publisher: ours().await,
            jetstream: by_hand().await,
            ours: ours().await,
            by_hand: by_hand().await,
            server,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn describe(&self) -> String {
        let version = self.jetstream.client().server_info().version;
        format!("nats-server {version} on the same machine, streams on disk")
    }

    /// A stream with these events.
    pub(crate) async fn stream(&self, name: &str, events: usize) -> Stream {
        let prefix = name.to_lowercase();
        let bus = |nats: &Nats| {
            EventBus::builder()
                .source("bench")
                .prefix(&prefix)
                .stream(StreamSpec::new(name).subject("travel.>"))
                .coordination(BucketConfig::default())
                .transport(nats.clone())
                .expect("the bus is right")
        };
        let (consuming, publishing) = (bus(&self.ours), bus(&self.publisher));
        publishing.apply().await.expect("it is made");
        let publisher = publishing.publisher::<BookingMade>();
        let subject = publisher.subject_of(&BookingMade::sample());
        let subject = subject.expect("it has a subject").as_str().to_owned();
        let events = vec![BookingMade::sample(); events];
        publisher
            .publish_all(events)
            .await
            .expect("they are stored");
        Stream {
            name: name.to_owned(),
            subject,
            bus: consuming,
            publishing,
        }
    }

    /// Waits until the only consumer of this stream has nothing left to deliver or to be
    /// acknowledged.
    pub(crate) async fn acknowledged(&self, stream: &Stream) {
        let consumer = self.consumer(stream).await;
        let stream = self.jetstream.get_stream(&stream.name).await;
        let stream = stream.expect("the stream is there");
        let wait = async {
            loop {
                let info = stream.consumer_info(&consumer).await;
                let info = info.expect("the consumer is there");
                if info.num_pending == 0 && info.num_ack_pending == 0 {
                    assert_eq!(info.num_redelivered, 0, "each event was delivered once");
                    return;
                }
            }
        };
        tokio::time::timeout(ACKNOWLEDGED_WITHIN, wait)
            .await
            .expect("everything is acknowledged");
    }

    pub(crate) async fn remove_consumer(&self, stream: &Stream) {
        let consumer = self.consumer(stream).await;
        let stream = self.jetstream.get_stream(&stream.name).await;
        let stream = stream.expect("the stream is there");
        let deleted = stream.delete_consumer(&consumer).await;
        deleted.expect("the consumer was there");
    }

    async fn consumer(&self, stream: &Stream) -> String {
        let stream = self.jetstream.get_stream(&stream.name).await;
        let stream = stream.expect("the stream is there");
        let names: Vec<_> = stream.consumer_names().try_collect().await.expect("names");
        let [name] = &names[..] else {
            panic!("there is one consumer at a time: {names:?}");
        };
        name.clone()
    }
}
