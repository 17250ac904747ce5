//! A service is deployed anew while its durable is in use: on a real server, and where the
//! settings, the set or the prefix of the new version differ.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{
    ConsumerChange, DeliverPolicy, ErrorKind, StreamChange, Transport, TransportExt as _,
};
use event_sdk::{
    BusBuilder, ConsumerSpec, Event, EventBus, EventSet, Pattern, RawEvent, Subscriber,
};
use event_sdk_test_servers::Server;
use serde::{Deserialize, Serialize};
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata};

macro_rules! events {
    ($($name:ident)*) => {$(
        #[derive(Debug, Event, Serialize, Deserialize)]
        #[event(domain = "orders")]
        struct $name { number: u64 }
    )*};
}

events! { OrderPlaced OrderPaid OrderCancelled }

/// What the old version knows.
#[derive(Debug, EventSet)]
enum Old {
    Placed(OrderPlaced),
    Paid(OrderPaid),
}

/// What the new version knows.
#[derive(Debug, EventSet)]
enum New {
    Placed(OrderPlaced),
    Paid(OrderPaid),
    Cancelled(OrderCancelled),
}

/// Everything, known or not.
#[derive(Debug, EventSet)]
#[event(pattern = "orders.>")]
#[expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "nothing of it ever comes"
)]
enum Any {
    Placed(OrderPlaced),
    #[event(other)]
    Other(RawEvent),
}

impl Old {
    fn number(&self) -> u64 {
        match self {
            Self::Placed(OrderPlaced { number }) | Self::Paid(OrderPaid { number }) => *number,
        }
    }
}

impl New {
    fn number(&self) -> u64 {
        match self {
            Self::Placed(OrderPlaced { number })
            | Self::Paid(OrderPaid { number })
            | Self::Cancelled(OrderCancelled { number }) => *number,
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

fn orders() -> StreamSpec {
    StreamSpec::new("ORDERS").subject("orders.>")
}

async fn server() -> Server {
    Server::options().start().await.unwrap()
}

async fn nats(server: &Server) -> Nats {
    Nats::connect(Nats::options(server.url())).await.unwrap()
}

fn declares(stream: StreamSpec) -> BusBuilder {
    EventBus::builder().stream(stream)
}

async fn publish(bus: &EventBus, number: u64) {
    match number % 3 {
        0 => drop(
            bus.publisher()
                .publish(OrderPlaced { number })
                .await
                .unwrap(),
        ),
        1 => drop(bus.publisher().publish(OrderPaid { number }).await.unwrap()),
        _ => drop(
            bus.publisher()
                .publish(OrderCancelled { number })
                .await
                .unwrap(),
        ),
    }
}

/// How often each number was handled.
type Handled = Arc<Mutex<BTreeMap<u64, u32>>>;

/// A replica: it acknowledges what it knows, and puts back what it does not.
fn replica<S: EventSet>(
    mut events: Subscriber<S>,
    number: fn(&S) -> u64,
    handled: &Handled,
) -> tokio::task::JoinHandle<()> {
    let handled = Arc::clone(handled);
    tokio::spawn(async move {
        while let Some(Ok(delivery)) = events.next().await {
            match delivery.decode() {
                Ok(event) => {
                    *handled.lock().unwrap().entry(number(&event)).or_default() += 1;
                    delivery.ack_confirmed().await.unwrap();
                }
                Err(_) => delivery.nak(Duration::from_millis(50)).await.unwrap(),
            }
        }
    })
}

/// Waits until each of these numbers was handled, and the durable has nothing left; all
/// that were.
async fn all_handled(bus: &EventBus, handled: &Handled, wanted: &[u64]) -> Vec<u64> {
    let begun = Instant::now();
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    loop {
        let info = bus.transport().consumer_info("ORDERS", "billing").await;
        let info = info.unwrap();
        let numbers: Vec<u64> = handled.lock().unwrap().keys().copied().collect();
        let all = wanted.iter().all(|number| numbers.contains(number));
        if all && info.ack_pending == 0 && info.pending == 0 {
            return numbers;
        }
        assert!(begun.elapsed() < PATIENCE, "{info:?}: {numbers:?}");
        pace.tick().await;
    }
}

fn numbers(range: std::ops::Range<u64>, known: impl Fn(u64) -> bool) -> Vec<u64> {
    range.filter(|number| known(*number)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_set_gains_an_event_while_old_replicas_go_on() {
    let server = server().await;
    let old = declares(orders()).consumer(ConsumerSpec::durable::<Old>("billing"));
    let old = old.transport(nats(&server).await).unwrap();
    let applied = old.apply().await.unwrap();
    assert_eq!(applied.streams, [("ORDERS".into(), StreamChange::Created)]);
    assert_eq!(applied.consumers[0].change, ConsumerChange::Created);
    let handled = Handled::default();
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let events = old.subscribe::<Old>().durable("billing").must_exist();
        replicas.push(replica(events.await.unwrap(), Old::number, &handled));
    }
    for number in 0..30 {
        publish(&old, number).await;
    }
    // What the old version does not know is not for its durable.
    let known = numbers(0..30, |number| number % 3 != 2);
    assert_eq!(all_handled(&old, &handled, &known).await, known);

    let spec = ConsumerSpec::durable::<New>("billing")
        .ack_wait(Duration::from_secs(10))
        .deliver(DeliverPolicy::ByStartTime(jiff::Timestamp::now()));
    let new = declares(orders()).consumer(spec);
    let new = new.transport(nats(&server).await).unwrap();
    let error = new.subscribe::<New>().durable("billing").await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::ConsumerMismatch { .. }),
        "{error}"
    );
    let text = error.to_string();
    for said in ["events.orders.order.cancelled", "`apply`"] {
        assert!(text.contains(said), "{text}");
    }
    // Events come all the time.
    let publishing = {
        let old = old.clone();
        tokio::spawn(async move {
            for number in 30..60 {
                publish(&old, number).await;
            }
        })
    };
    let applied = new.apply().await.unwrap();
    let ConsumerChange::Updated { differences } = &applied.consumers[0].change else {
        panic!("{applied}");
    };
    let fields: Vec<_> = differences.iter().map(|one| one.field).collect();
    assert_eq!(fields, ["filters", "ack wait"]);
    assert!(new.apply().await.unwrap().is_unchanged());
    publishing.await.unwrap();
    for _ in 0..2 {
        let events = new.subscribe::<New>().durable("billing").must_exist();
        let events = events.await.unwrap();
        assert_eq!(events.differences().count(), 0);
        replicas.push(replica(events, New::number, &handled));
    }
    for number in 60..120 {
        publish(&new, number).await;
    }
    // What was cancelled just before the change comes if the durable had not passed it.
    let known = numbers(0..120, |number| number % 3 != 2 || number >= 60);
    let all = all_handled(&new, &handled, &known).await;
    let others = numbers(30..60, |number| number % 3 == 2);
    let mut unexpected = all.iter().filter(|number| !known.contains(number));
    assert!(unexpected.all(|number| others.contains(number)), "{all:?}");
    let twice: Vec<_> = handled
        .lock()
        .unwrap()
        .iter()
        .filter(|(_, times)| **times > 1)
        .map(|(number, _)| *number)
        .collect();
    assert!(twice.is_empty(), "handled more than once: {twice:?}");
    for bus in [old, new] {
        bus.close().await.unwrap();
    }
    for replica in replicas {
        replica.await.unwrap();
    }
}

#[tokio::test]
async fn other_settings_bind_with_one_warning() {
    let server = server().await;
    let bus = declares(orders()).transport(nats(&server).await).unwrap();
    bus.apply().await.unwrap();
    let hour = jiff::SignedDuration::from_hours(1);
    let subscribe = || {
        let start = jiff::Timestamp::now() - hour;
        let deliver = DeliverPolicy::ByStartTime(start);
        bus.subscribe::<Old>().durable("board").deliver(deliver)
    };
    drop(subscribe().await.unwrap());
    let log = Log::default();
    async {
        assert_eq!(subscribe().await.unwrap().differences().count(), 0);
        let changed = subscribe().ack_wait(Duration::from_secs(5)).max_deliver(4);
        let changed = changed.await.unwrap();
        let fields: Vec<_> = changed.differences().map(|(_, one)| one.field).collect();
        assert_eq!(fields, ["ack wait", "max deliver"]);
        let fewer = bus.subscribe::<OrderPlaced>().durable("board");
        drop(fewer.await.unwrap());
        // The set knows what it does not ask for.
        let narrow = event_sdk::subject!("orders.order.placed");
        let narrowed = bus.subscribe::<Old>().durable("board").subject(narrow);
        drop(narrowed.await.unwrap());
        let longest = bus.subscribe::<Old>().durable("longest");
        let longest = longest.ack_wait(Duration::MAX).await.unwrap();
        assert_eq!(longest.differences().count(), 0);
    }
    .with_subscriber(log.clone())
    .await;
    let lines = log.0.lock().unwrap().clone();
    let [changed, fewer, narrowed] = &lines[..] else {
        panic!("{lines:?}");
    };
    for said in [
        "consumer=board",
        "ack wait is 30s, wanted 5s",
        "max deliver",
    ] {
        assert!(changed.contains(said), "{changed}");
    }
    for said in [
        "beyond=events.orders.order.paid ",
        "known=events.orders.order.placed ",
    ] {
        assert!(fewer.contains(said), "{fewer}");
    }
    assert!(!narrowed.contains("beyond"), "{narrowed}");
}

#[tokio::test]
async fn a_prefix_that_is_not_the_streams_is_refused_before_anything_is_created() {
    let server = server().await;
    let right = declares(orders()).transport(nats(&server).await).unwrap();
    right.apply().await.unwrap();
    let prod = || EventBus::builder().prefix("prod");
    let declared = prod().stream(orders()).transport(nats(&server).await);
    let undeclared = prod().transport(nats(&server).await).unwrap();
    let errors = [
        refused(&declared.unwrap(), |subscribe| subscribe).await,
        refused(&undeclared, |subscribe| subscribe.stream("ORDERS")).await,
    ];
    for error in errors.into_iter().flatten() {
        for said in ["prod.orders.", "events.orders.>"] {
            assert!(error.contains(said), "{error} does not name {said}");
        }
    }
    for error in refused(&undeclared, |subscribe| subscribe).await {
        assert!(error.contains("the prefix of this bus is prod"), "{error}");
    }
    // The same by hand.
    let config = event_sdk::transport::ConsumerConfig::new(
        event_sdk::transport::ConsumerName::Ephemeral,
        vec![Pattern::parse("prod.>").unwrap()],
    );
    let request = event_sdk::transport::SubscribeRequest {
        stream: "ORDERS".into(),
        config,
        prefetch: 1,
        must_exist: false,
    };
    let error = right.transport().subscribe(request).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidSubject, "{error}");
    assert_eq!(right.stream_state("ORDERS").await.unwrap().consumers, 0);
}

/// The errors of subscriptions to exact subjects and to a wildcard.
async fn refused(
    bus: &EventBus,
    say: impl Fn(event_sdk::Subscribe<Any>) -> event_sdk::Subscribe<Any>,
) -> Vec<String> {
    let any = say(bus.subscribe::<Any>()).await.unwrap_err();
    let durable = say(bus.subscribe::<Any>().durable("billing"))
        .await
        .unwrap_err();
    vec![any.to_string(), durable.to_string()]
}

/// The warnings of this SDK, a line each.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "event_sdk" && *metadata.level() == Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, "{field}={value} ");
    }
}
