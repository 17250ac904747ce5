//! Test support: servers with one stream, and connections.

use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::{Nats, NatsOptions};
use event_sdk::{BusBuilder, EventBus};
use event_sdk_test_servers::{Options, Server};
use serde_json::{Value, json};

use crate::ledger::Ledger;
use crate::work::{eventually, patiently, within};

/// The stream of all events.
pub(crate) const STREAM: &str = "FAULTS";

/// Where `Counted` goes.
pub(crate) const COUNTED: &str = "events.faults.event.counted";

/// A publish takes no longer, and says before that if there is no connection; nor
/// does anything else that the server has to answer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);
const CONNECTION_WAIT: Duration = Duration::from_millis(1500);

/// A bus, and the connection behind it.
pub(crate) struct Service {
    pub(crate) bus: EventBus,
    pub(crate) nats: Nats,
}

/// The stream as it is declared unless a test needs another.
pub(crate) fn stream() -> StreamSpec {
    StreamSpec::new(STREAM).subject("faults.>")
}

/// Connects a service to a server, as the usual user.
pub(crate) async fn connect(url: impl AsRef<str>) -> Service {
    connect_with(url, stream(), |options| options).await
}

/// Connects a service that has declared this stream.
pub(crate) async fn connect_with(
    url: impl AsRef<str>,
    stream: StreamSpec,
    say: impl FnOnce(NatsOptions) -> NatsOptions,
) -> Service {
    let options = Nats::options(url)
        .connection_wait(CONNECTION_WAIT)
        .request_timeout(TIMEOUT);
    let nats = within("a connection", Nats::connect(say(options)))
        .await
        .expect("it connects");
    let bus = builder(stream)
        .transport(nats.clone())
        .expect("the bus is right");
    Service { bus, nats }
}

fn builder(stream: StreamSpec) -> BusBuilder {
    EventBus::builder()
        .source("faults")
        .publish_timeout(TIMEOUT)
        .stream(stream)
}

impl Service {
    /// Makes the declared stream. A cluster on a busy machine may take longer than [`TIMEOUT`].
    pub(crate) async fn apply(&self) {
        patiently("the stream", async || self.bus.apply_streams().await).await;
    }
}

/// A server that has the stream, and a service connected to it.
pub(crate) async fn start() -> (Server, Service) {
    start_with(Server::options()).await
}

/// The same with options of the server.
pub(crate) async fn start_with(options: Options) -> (Server, Service) {
    let server = options.start().await.expect("the server starts");
    let service = connect(server.url()).await;
    service.apply().await;
    (server, service)
}

/// How a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// It is stopped as an operator does.
    Stopped,
    /// `kill -9`.
    Killed,
}

/// Ends the server, and starts it again.
pub(crate) async fn restart(server: &mut Server, ledger: &Ledger, how: How) {
    ledger.server_is_down();
    let ended = match how {
        How::Stopped => server.stop().await,
        How::Killed => server.kill().await,
    };
    ended.expect("the server ends");
    server.restart().await.expect("it starts again");
    ledger.server_is_back();
}

/// Makes a call of the JetStream API as an operator does.
pub(crate) async fn operate(server: &Server, call: &str, request: &Value) -> Value {
    let client = async_nats::connect(server.url())
        .await
        .expect("it connects");
    let subject = format!("$JS.API.{call}");
    let payload = request.to_string().into();
    let answer = within("an answer", client.request(subject, payload)).await;
    let answer = answer.expect("the server answers");
    let answer: Value = serde_json::from_slice(&answer.payload).expect("it is JSON");
    assert!(answer.get("error").is_none(), "{call}: {answer}");
    answer
}

/// Deletes the stream, as somebody else.
pub(crate) async fn delete_stream(server: &Server) {
    operate(server, &format!("STREAM.DELETE.{STREAM}"), &json!({})).await;
}

/// What the server says of a consumer of the stream; `None` if there is none.
pub(crate) async fn consumer(server: &Server, name: &str) -> Option<Value> {
    let path = "/jsz?accounts=true&streams=true&consumers=true";
    let answer = server.monitor(path).await.ok()?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(&answer["account_details"])
        .iter()
        .flat_map(|account| list(&account["stream_detail"]))
        .filter(|stream| stream["name"] == STREAM)
        .flat_map(|stream| list(&stream["consumer_detail"]))
        .find(|consumer| consumer["name"] == name)
}

/// Waits until a consumer has delivered everything, and all of it is settled.
pub(crate) async fn all_settled(server: &Server, name: &str) {
    eventually("everything settled", async || {
        let info = consumer(server, name).await?;
        (info["num_pending"] == 0 && info["num_ack_pending"] == 0).then_some(())
    })
    .await;
}
