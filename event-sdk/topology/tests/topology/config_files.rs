//! The JSON files of the `nats` command line: what is exported makes the topology on a real server,
//! as another client makes it.

use event_sdk::stream::{Deduplication, Discard, StreamSpec};
use event_sdk::transport::nats::config_file;
use event_sdk::transport::{DeliverPolicy, StreamState, TransportExt as _};
use event_sdk::{EventBus, Pattern};
use event_sdk_test_servers::Server;
use event_sdk_topology::{DeadLetterSpec, DurableSpec, Topology, deltran};

use crate::support::{HOUR, OrderPlaced, Place, bus};

/// A call of the JetStream API, as the command line makes it.
async fn call(client: &async_nats::Client, call: &str, request: String) {
    let subject = format!("$JS.API.{call}");
    let answer = client.request(subject, request.into()).await.unwrap();
    let answer = String::from_utf8_lossy(&answer.payload).into_owned();
    assert!(!answer.contains(r#""error""#), "{call}: {answer}");
}

async fn states(bus: &EventBus) -> Vec<StreamState> {
    let names = bus.transport().streams_for(&Pattern::everything());
    let mut states = Vec::new();
    for name in names.await.unwrap() {
        states.push(bus.stream_state(&name).await.unwrap());
    }
    states
}

/// The files of a topology make it, and files of what was made say the same.
async fn made_from_files(topology: Topology, server: Server) {
    let declared = topology.declare(EventBus::builder()).memory().unwrap();
    let client = async_nats::connect(server.url()).await.unwrap();
    let declarations = states(&declared).await;
    assert!(!declarations.is_empty());
    for StreamState { config, .. } in &declarations {
        let file = config_file::export_stream(config);
        assert_eq!(file.left_out, [], "{}", config.name);
        call(
            &client,
            &format!("STREAM.CREATE.{}", config.name),
            file.json,
        )
        .await;
    }
    let durables = declared.durables().await.unwrap();
    for (stream, config) in &durables {
        let name = config.name.as_str().unwrap();
        let file = config_file::export_consumer(config);
        assert_eq!(file.left_out, [], "{name}");
        let request = format!(r#"{{"stream_name":"{stream}","config":{}}}"#, file.json);
        let durable = format!("CONSUMER.DURABLE.CREATE.{stream}.{name}");
        call(&client, &durable, request).await;
    }
    let nats = event_sdk::transport::nats::Nats::options(server.url());
    let bus = bus(event_sdk::transport::nats::Nats::connect(nats)
        .await
        .unwrap());
    let verified = topology.verify(&bus).await.unwrap();
    assert!(verified.is_clean(), "{verified}");
    assert!(topology.apply(&bus).await.unwrap().is_unchanged());
    for StreamState { config, .. } in &declarations {
        let made = bus.stream_state(&config.name).await.unwrap();
        assert_eq!(made.foreign, [], "{}", config.name);
        let file = config_file::export_stream(&made.config);
        let imported = config_file::import_stream(&file.json).unwrap();
        assert_eq!(imported.left_out, []);
        let mut config = config.clone();
        // A server bounds the window by time alone.
        config.deduplication.capacity = Deduplication::DEFAULT.capacity;
        assert_eq!(imported.config, config);
    }
    for (stream, config) in &durables {
        let name = config.name.as_str().unwrap();
        let made = bus.transport().consumer_info(stream, name).await.unwrap();
        let file = config_file::export_consumer(&made.config);
        let imported = config_file::import_consumer(&file.json).unwrap();
        assert_eq!(&imported.config, config, "{name}");
    }
}

#[tokio::test]
async fn deltran_comes_out_and_in_unchanged() {
    made_from_files(deltran::TOPOLOGY, Server::start().await.unwrap()).await;
    let oldest = event_sdk_test_servers::programs::nats::oldest().unwrap();
    let oldest = Server::options().program(oldest).start().await.unwrap();
    made_from_files(deltran::TOPOLOGY, oldest).await;
}

/// One of everything that has a file: a bucket has none.
const SHOP: Topology = Topology::new(
    const {
        &[
            StreamSpec::constant("ORDERS", &["orders.>"])
                .max_age(HOUR)
                .schedules(),
            StreamSpec::constant("CRM", &["crm.*.*", "letters.>"]).when_full(Discard::New),
        ]
    },
)
.consumers(
    const {
        &[
            DurableSpec::of::<OrderPlaced>("billing")
                .ack_wait(HOUR)
                .max_deliver(3)
                .server_backoff(&[HOUR, HOUR]),
            DurableSpec::matching("crm", "CRM", "crm.*.*").deliver(DeliverPolicy::New),
        ]
    },
)
.dead_letters(const { &[DeadLetterSpec::new("DLQ", "DLQ_RETRY")] });

#[tokio::test]
async fn a_topology_with_one_of_everything_comes_out_and_in() {
    let server = Server::start().await.unwrap();
    made_from_files(SHOP, server).await;
}

/// What the server has beside a configuration is told with the state, and said in a file.
#[tokio::test]
async fn settings_without_a_word_are_told() {
    let place = Place::memory();
    assert!(
        states(&place.bus)
            .await
            .iter()
            .all(|state| state.foreign.is_empty())
    );
    let server = Server::start().await.unwrap();
    let client = async_nats::connect(server.url()).await.unwrap();
    let file = r#"{"name":"S","subjects":["s.>"],"description":"by hand","max_consumers":3,
        "metadata":{"team":"shop"},"sources":[{"name":"T"}]}"#;
    call(
        &client,
        "STREAM.CREATE.T",
        r#"{"name":"T","subjects":["t.>"]}"#.to_owned(),
    )
    .await;
    call(&client, "STREAM.CREATE.S", file.to_owned()).await;
    let nats = event_sdk::transport::nats::Nats::options(server.url());
    let bus = bus(event_sdk::transport::nats::Nats::connect(nats)
        .await
        .unwrap());
    let state = bus.stream_state("S").await.unwrap();
    let fields: Vec<_> = state
        .foreign
        .iter()
        .map(|setting| &*setting.field)
        .collect();
    assert_eq!(
        fields,
        ["allow_direct", "description", "max_consumers", "metadata"]
    );
}
