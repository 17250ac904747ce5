//! Test client: async-nats with plain JetStream API requests.

use std::time::{Duration, Instant};

use async_nats::{Client, ConnectOptions, Event, Message};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Long enough for a loaded machine; nothing waits that long unless it fails.
const WITHIN: Duration = Duration::from_mins(1);

/// Connects to one of the servers, which commas separate, once and not for ever.
pub(crate) async fn connect(options: ConnectOptions, urls: &str) -> Result<Client, String> {
    let urls: Vec<_> = urls.split(',').collect();
    let connecting = options.connection_timeout(WITHIN).connect(urls);
    let connected = tokio::time::timeout(WITHIN, connecting).await;
    connected
        .map_err(|_| "no connection in time".to_owned())?
        .map_err(|error| chain(&error))
}

/// Connects without credentials.
pub(crate) async fn open(urls: &str) -> Client {
    connect(ConnectOptions::new(), urls).await.unwrap()
}

/// What the connection tells beside messages.
pub(crate) fn events(options: ConnectOptions) -> (ConnectOptions, UnboundedReceiver<Event>) {
    let (sender, events) = unbounded_channel();
    let options = options.event_callback(move |event| {
        let _ = sender.send(event);
        async {}
    });
    (options, events)
}

/// Waits for the first event whose text contains this.
pub(crate) async fn until_event(events: &mut UnboundedReceiver<Event>, text: &str) {
    let search = async {
        while let Some(event) = events.recv().await {
            if event.to_string().to_lowercase().contains(text) {
                return;
            }
        }
        panic!("the connection ended without the event `{text}`");
    };
    let found = tokio::time::timeout(WITHIN, search).await;
    assert!(found.is_ok(), "no event `{text}` in time");
}

/// One request of JetStream's API, without its prefix; its answer, also when that is an error. It is
/// asked again where no answer comes: a cluster that has just started may lose one. So `request` has
/// to be one that may be done twice.
pub(crate) async fn api(client: &Client, subject: &str, request: &Value) -> Value {
    let subject = format!("$JS.API.{subject}");
    let begun = Instant::now();
    loop {
        let asked = client.request(subject.clone(), request.to_string().into());
        match asked.await {
            Ok(answer) => return serde_json::from_slice(&answer.payload).unwrap(),
            Err(error) => assert!(begun.elapsed() < WITHIN, "{subject}: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// `JSClusterNoPeersErrF` of nats-server.
const NO_SUITABLE_PEERS: u64 = 10_005;

/// A stream of this name for the subjects `<name>.>`.
pub(crate) async fn create_stream(client: &Client, name: &str, replicas: usize) {
    let request = json!({
        "name": name, "subjects": [format!("{name}.>")],
        "storage": "file", "num_replicas": replicas,
    });
    let begun = Instant::now();
    let answer = loop {
        let answer = api(client, &format!("STREAM.CREATE.{name}"), &request).await;
        // A server of a cluster that has just started may take another one for offline.
        if answer["error"]["err_code"] != NO_SUITABLE_PEERS || begun.elapsed() >= WITHIN {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(answer["config"]["name"], name, "{answer}");
}

/// A durable pull consumer with explicit acks.
pub(crate) async fn create_consumer(client: &Client, stream: &str, name: &str, replicas: usize) {
    let config = json!({
        "durable_name": name, "ack_policy": "explicit", "num_replicas": replicas,
    });
    let request = json!({ "stream_name": stream, "config": config });
    let answer = api(
        client,
        &format!("CONSUMER.DURABLE.CREATE.{stream}.{name}"),
        &request,
    )
    .await;
    assert_eq!(answer["name"], name, "{answer}");
}

/// Publishes to a stream and waits for its ack; the sequence.
pub(crate) async fn store(client: &Client, subject: &str) -> Option<u64> {
    let answer = client
        .request(subject.to_owned(), "event".into())
        .await
        .ok()?;
    let answer: Value = serde_json::from_slice(&answer.payload).ok()?;
    answer["seq"].as_u64()
}

/// The next message of a consumer. It comes with the subject of its event, so that it cannot be
/// the answer of a `request`.
pub(crate) async fn pull(client: &Client, stream: &str, consumer: &str) -> Message {
    let inbox = client.new_inbox();
    let mut messages = client.subscribe(inbox.clone()).await.unwrap();
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
    let asked = client.publish_with_reply(next, inbox, "1".into());
    asked.await.unwrap();
    let message = tokio::time::timeout(WITHIN, messages.next()).await;
    message.expect("a message in time").expect("a message")
}

/// How many messages a stream holds.
pub(crate) async fn stored(client: &Client, stream: &str) -> u64 {
    let answer = api(client, &format!("STREAM.INFO.{stream}"), &json!({})).await;
    answer["state"]["messages"].as_u64().unwrap()
}

/// Whether a message that is published arrives at a subscription.
pub(crate) async fn round_trip(client: &Client) {
    let mut subscription = client.subscribe("round.trip").await.unwrap();
    client.publish("round.trip", "there".into()).await.unwrap();
    let message = tokio::time::timeout(WITHIN, subscription.next()).await;
    assert_eq!(message.unwrap().unwrap().payload, "there");
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
