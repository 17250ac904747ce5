//! Test support: a server, a bus and the shared events.

use event_sdk::json::RawJson;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::{Delivery, Event, EventBus, EventSet, Subscriber};
use event_sdk_test_servers::Server;
use serde::{Deserialize, Serialize};

use crate::client::within;

/// A station has measured.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(
    domain = "weather",
    entity = "reading",
    action = "taken",
    version = "2.3"
)]
pub(crate) struct ReadingTaken {
    /// Which station.
    #[event(key, in_subject)]
    pub(crate) station: String,
    /// Any JSON value, as it is written.
    pub(crate) values: RawJson,
    /// What the observer says.
    pub(crate) note: Option<String>,
}

/// A reading was checked.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "weather", entity = "reading", action = "checked")]
pub(crate) struct ReadingChecked {
    /// Which station.
    #[event(key)]
    pub(crate) station: String,
    /// Whether it is plausible.
    pub(crate) good: bool,
}

/// A station has written into its log: an older relative subject.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(subject = "stations.log", type = "station.logged")]
pub(crate) struct StationLogged {
    /// What.
    pub(crate) line: String,
}

/// An alarm of another system: a whole subject.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(absolute = "legacy.ALARM.raised", type = "alarm")]
pub(crate) struct AlarmRaised {
    /// How bad.
    pub(crate) level: u8,
}

/// What is known of the weather.
#[derive(Debug, PartialEq, EventSet)]
pub(crate) enum Weather {
    /// A station has measured.
    Taken(ReadingTaken),
    /// A reading was checked.
    Checked(ReadingChecked),
    /// A station has written into its log.
    Logged(StationLogged),
    /// An alarm of somebody else's.
    Raised(AlarmRaised),
}

/// The same events as a client is told them.
pub(crate) const KNOWN: &str = r#"{
    "prefix": "prod.eu",
    "events": [
        { "subject": "weather.reading.taken", "version": "2.3", "key_in_subject": true },
        { "subject": "weather.reading.checked" },
        { "subject": "stations.log", "type": "station.logged" },
        { "subject": "legacy.ALARM.raised", "type": "alarm", "absolute": true }
    ]
}"#;

/// The stream that stores all of them.
pub(crate) const STREAM: &str = "WEATHER";

/// A server and our bus on it.
pub(crate) struct Rig {
    pub(crate) server: Server,
    pub(crate) bus: EventBus,
}

impl Rig {
    /// Starts the server and creates the stream.
    pub(crate) async fn start() -> Self {
        let server = Server::start().await.unwrap();
        let nats = Nats::connect(Nats::options(server.url())).await.unwrap();
        let stream = StreamSpec::new(STREAM)
            .subject("weather.>")
            .subject("stations.>")
            .absolute("legacy.>");
        let bus = EventBus::builder()
            .prefix("prod.eu")
            .source("rust")
            .metadata("region", "eu-west-1")
            .stream(stream)
            .transport(nats)
            .unwrap();
        bus.apply_streams().await.unwrap();
        Self { server, bus }
    }

    /// Receives all of it from the beginning.
    pub(crate) async fn weather(&self) -> Subscriber<Weather> {
        within(self.bus.subscribe::<Weather>().durable("rust"))
            .await
            .unwrap()
    }

    /// How many messages the stream has.
    pub(crate) async fn stored(&self) -> u64 {
        self.bus.stream_state(STREAM).await.unwrap().messages
    }
}

/// The next delivery, which is owed.
pub(crate) async fn next<S: EventSet>(subscriber: &mut Subscriber<S>) -> Delivery<S> {
    within(subscriber.next()).await.unwrap().unwrap()
}

/// A reading with these values.
pub(crate) fn reading(station: &str, values: &str) -> ReadingTaken {
    ReadingTaken {
        station: station.to_owned(),
        values: json(values),
        note: None,
    }
}

/// A JSON text.
pub(crate) fn json(text: &str) -> RawJson {
    RawJson::parse(text).unwrap()
}
