//! Notices: a subscriber continues after them, and ends without an error on drain and close.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::stream::StreamSpec;
use event_sdk::time::SteppedClock;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{AckPolicy, DeliverPolicy, Error, ErrorKind, NoticeKind};
use event_sdk::{EventBus, Incoming, NoticeCounts, Subscriber};
use event_sdk_test_servers::Server;
use event_sdk_tests::orders::{OrderPlaced, placed};
use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tracing::field::{Field, Visit};

const MINUTE: Duration = Duration::from_mins(1);

async fn within<T>(what: &str, future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(MINUTE, future.into_future())
        .await
        .unwrap_or_else(|_| panic!("{what} took more than a minute"))
}

/// What a loop has handled so far, and what it was told beside.
#[derive(Debug, Default)]
struct Handled {
    ids: Vec<u64>,
    notices: NoticeCounts,
}

/// The loop of the README, which says after each event which it was. It puts back event 2.
async fn handle(
    mut orders: Subscriber<OrderPlaced>,
    handled: watch::Sender<Handled>,
) -> Result<Subscriber<OrderPlaced>, Error> {
    while let Some(delivery) = orders.next().await {
        let delivery = delivery?;
        let id = delivery.decode().expect("it is an order").id;
        if id == 2 {
            delivery.nak(Duration::ZERO).await?;
        } else {
            delivery.ack().await?;
        }
        handled.send_modify(|handled| {
            handled.ids.push(id);
            handled.notices = orders.notices();
        });
    }
    Ok(orders)
}

fn stream() -> StreamSpec {
    StreamSpec::new("ORDERS").subject("orders.>")
}

async fn publish(bus: &EventBus, ids: impl IntoIterator<Item = u64>) {
    for id in ids {
        within("a publish", bus.publisher().publish(placed(id)))
            .await
            .unwrap();
    }
}

async fn until(handled: &mut watch::Receiver<Handled>, id: u64) {
    within(
        "an event",
        handled.wait_for(|handled| handled.ids.contains(&id)),
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn on_memory_the_loop_goes_on_and_ends_with_a_drain() {
    let bus = EventBus::builder()
        .stream(stream().max_messages(3))
        .memory()
        .unwrap();
    let orders = bus.subscribe::<OrderPlaced>().durable("d").max_deliver(1);
    let orders = orders.await.unwrap();
    // Dropped before they are read, since nothing else runs meanwhile.
    publish(&bus, 100..103).await;
    publish(&bus, [1, 2, 3]).await;
    let (handled, mut is_handled) = watch::channel(Handled::default());
    let task = tokio::spawn(handle(orders, handled));
    until(&mut is_handled, 3).await;
    publish(&bus, [4]).await;
    until(&mut is_handled, 4).await;
    bus.drain(MINUTE).await.unwrap();
    let orders = within("the end", task).await.unwrap().unwrap();
    assert_eq!(is_handled.borrow().ids, [1, 2, 3, 4]);
    let notices = orders.notices();
    assert_eq!(
        (notices.gaps, notices.exhausted, notices.total()),
        (1, 1, 2)
    );
}

#[tokio::test]
async fn on_memory_the_loop_ends_with_closing() {
    let bus = EventBus::memory();
    let orders = bus.subscribe::<OrderPlaced>().await.unwrap();
    let (handled, mut is_handled) = watch::channel(Handled::default());
    let task = tokio::spawn(handle(orders, handled));
    publish(&bus, [1]).await;
    until(&mut is_handled, 1).await;
    bus.close().await.unwrap();
    within("the end", task).await.unwrap().unwrap();
}

async fn connect(server: &Server) -> EventBus {
    let options = Nats::options(server.url())
        .reconnect_delay(Duration::from_millis(10), Duration::from_millis(100));
    let nats = within("a connection", Nats::connect(options))
        .await
        .unwrap();
    let bus = EventBus::builder()
        .stream(stream())
        .transport(nats)
        .unwrap();
    within("the stream", bus.apply_streams()).await.unwrap();
    bus
}

async fn operate(server: &Server, call: &str, request: Value) {
    let client = async_nats::connect(server.url()).await.unwrap();
    let answer = client.request(format!("$JS.API.{call}"), request.to_string().into());
    let answer = within("an answer", answer).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert!(answer.get("error").is_none(), "{call}: {answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_server_the_loop_goes_on_and_ends_with_a_drain() {
    let mut server = Server::start().await.unwrap();
    let bus = connect(&server).await;
    let ready = bus.subscribe::<OrderPlaced>().durable("d").max_deliver(1);
    drop(within("a durable", ready).await.unwrap());
    publish(&bus, [100, 1, 2, 3]).await;
    operate(&server, "STREAM.MSG.DELETE.ORDERS", json!({"seq": 1})).await;
    let orders = bus.subscribe::<OrderPlaced>().durable("d").max_deliver(1);
    let orders = within("a subscription", orders).await.unwrap();
    let (handled, mut is_handled) = watch::channel(Handled::default());
    let task = tokio::spawn(handle(orders, handled));
    until(&mut is_handled, 3).await;
    // The server says that 2 is not delivered again when it likes to.
    for id in 10.. {
        publish(&bus, [id]).await;
        until(&mut is_handled, id).await;
        if is_handled.borrow().notices.exhausted == 1 {
            break;
        }
        assert!(id < 10_000, "nothing says that 2 is not delivered again");
    }
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    publish(&bus, [4]).await;
    until(&mut is_handled, 4).await;
    within("the drain", bus.drain(MINUTE)).await.unwrap();
    let orders = within("the end", task).await.unwrap().unwrap();
    let mut ids = is_handled.borrow().ids.clone();
    // What was acknowledged just before the server was killed may come again.
    ids.retain(|id| *id < 10);
    assert!(ids.starts_with(&[1, 2, 3]) && ids.contains(&4), "{ids:?}");
    let notices = orders.notices();
    assert!(notices.exhausted >= 1, "{notices:?}");
    assert!(notices.reconnected >= 1, "{notices:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_stream_a_new_connection_is_a_notice() {
    let mut server = Server::start().await.unwrap();
    let options = Nats::options(server.url())
        .reconnect_delay(Duration::from_millis(10), Duration::from_millis(100));
    let nats = within("a connection", Nats::connect(options))
        .await
        .unwrap();
    let bus = EventBus::builder().transport(nats.core()).unwrap();
    let orders = bus
        .subscribe::<OrderPlaced>()
        .ack_policy(AckPolicy::None)
        .deliver(DeliverPolicy::New);
    let mut orders = within("a subscription", orders).await.unwrap();
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    let notice = within("a notice", orders.next_incoming()).await;
    let Some(Ok(Incoming::Notice(notice))) = notice else {
        panic!("{notice:?} came instead of a notice");
    };
    assert!(matches!(notice.kind(), NoticeKind::Reconnected), "{notice}");
    within("closing", bus.close()).await.unwrap();
    assert!(within("the end", orders.next()).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_a_subscription_is_an_error_and_the_last() {
    let server = Server::start().await.unwrap();
    let bus = connect(&server).await;
    let orders = bus.subscribe::<OrderPlaced>().durable("d");
    let mut orders = within("a subscription", orders).await.unwrap();
    operate(&server, "CONSUMER.DELETE.ORDERS.d", json!({})).await;
    let error = within("an error", orders.next())
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::ConsumerNotFound, "{error}");
    assert!(within("the end", orders.next()).await.is_none());
}

/// Keeps the fields of each line that is chosen.
struct Log {
    text: Arc<Mutex<String>>,
    of: fn(&tracing::Metadata<'_>) -> bool,
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        (self.of)(metadata)
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = self.text.lock().unwrap();
        write!(text, "{} ", event.metadata().level()).unwrap();
        event.record(&mut Fields(&mut text));
        text.push('\n');
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

#[tokio::test]
async fn notices_come_in_their_place_and_are_logged_once() {
    let text = Arc::new(Mutex::new(String::new()));
    let warnings = Log {
        text: Arc::clone(&text),
        of: |it| it.target() == "event_sdk" && *it.level() == tracing::Level::WARN,
    };
    tracing::subscriber::set_global_default(warnings).unwrap();
    let logged = StreamSpec::new("LOGGED").subject("orders.>");
    let bus = EventBus::builder()
        .stream(logged.max_messages(2))
        .memory()
        .unwrap();
    let mut orders = bus.subscribe::<OrderPlaced>().durable("d").await.unwrap();
    let mut came = Vec::new();
    for ids in [1..3, 3..8] {
        publish(&bus, ids).await;
        // Cancelled while it waits, it loses nothing.
        while let Some(incoming) = orders.next_incoming().now_or_never() {
            came.push(match incoming.unwrap().unwrap() {
                Incoming::Delivery(delivery) => {
                    delivery.ack().await.unwrap();
                    delivery.decode().unwrap().id.to_string()
                }
                Incoming::Notice(notice) => {
                    assert_eq!(notice.stream(), Some("LOGGED"));
                    assert_eq!(notice.consumer(), Some("d"));
                    let gap = notice.gap().unwrap();
                    format!("{} to {}", gap.from, gap.to)
                }
            });
        }
    }
    assert_eq!(came, ["1", "2", "3 to 5", "6", "7"]);
    assert_eq!(orders.notices().gaps, 1);
    let text = text.lock().unwrap().clone();
    // Other tests log beside this one.
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.contains("LOGGED"))
        .collect();
    let [line] = lines[..] else {
        panic!("{text}");
    };
    for part in [
        "WARN",
        r#"stream="LOGGED""#,
        r#"consumer="d""#,
        r#"kind="gap""#,
    ] {
        assert!(line.contains(part), "{line}");
    }
}

/// What docs/production.md says of the target `async_nats=warn`, beside which nothing is lost.
#[tokio::test]
async fn each_connect_and_disconnect_is_logged_once() {
    let text = Arc::new(Mutex::new(String::new()));
    let log = Log {
        text: Arc::clone(&text),
        of: |it| match it.target().split(':').next() {
            Some("async_nats") => *it.level() <= tracing::Level::WARN,
            _ => it.target() == "event_sdk::nats" && *it.level() <= tracing::Level::INFO,
        },
    };
    // All tasks of the test run on this thread.
    let _log = tracing::subscriber::set_default(log);
    let mut server = Server::start().await.unwrap();
    let bus = connect(&server).await;
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    publish(&bus, [1]).await;
    let text = text.lock().unwrap().clone();
    let lines = text.lines().filter(|line| line.contains("onnect"));
    // Attempts that fail have lines of their own.
    let lines: Vec<_> = lines.filter(|line| !line.contains("attempt")).collect();
    let said = [
        ("INFO", "connected to NATS"),
        ("WARN", "the connection to NATS was lost"),
        ("INFO", "connected to NATS"),
    ];
    assert_eq!(lines.len(), said.len(), "{text}");
    for (line, (level, words)) in lines.iter().zip(said) {
        assert!(line.starts_with(level) && line.contains(words), "{line}");
    }
}

#[tokio::test]
async fn a_notice_neither_ends_nor_breaks_a_batch() {
    let clock = SteppedClock::new();
    let bus = EventBus::builder()
        .clock(Arc::new(clock.clone()))
        .stream(stream().max_messages(3))
        .memory()
        .unwrap();
    let mut orders = bus.subscribe::<OrderPlaced>().durable("d").await.unwrap();
    publish(&bus, 1..3).await;
    {
        let mut batch = std::pin::pin!(orders.next_batch(9, Duration::from_secs(1)));
        assert!(batch.as_mut().now_or_never().is_none());
        publish(&bus, 3..11).await;
        assert!(batch.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_secs(1));
        let batch = batch.now_or_never().unwrap().unwrap().unwrap();
        let ids = batch.iter().map(|delivery| delivery.decode().unwrap().id);
        assert_eq!(ids.collect::<Vec<_>>(), [1, 2, 8, 9, 10]);
        batch.ack().await.unwrap();
    }
    publish(&bus, 11..20).await;
    // A gap is the first thing that is due.
    let batch = orders.next_batch(3, Duration::ZERO).await.unwrap().unwrap();
    assert_eq!(batch.len(), 3);
    assert_eq!(orders.notices().gaps, 2);
    bus.close().await.unwrap();
    assert!(orders.next_batch(3, Duration::ZERO).await.is_none());
}
