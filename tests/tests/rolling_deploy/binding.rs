//! Bindings of a new version whose settings, set or prefix differ from the durable's.

use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::transport::{DeliverPolicy, ErrorKind};
use event_sdk::{EventBus, EventSet, Pattern, RawEvent};
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata};

use crate::rig::{Old, OrderPlaced, declares, nats, orders, server};

/// Everything, known or not.
#[derive(Debug, EventSet)]
#[event(pattern = "orders.>")]
#[expect(clippy::large_enum_variant, reason = "nothing of it ever comes")]
enum Any {
    Placed(OrderPlaced),
    #[event(other)]
    Other(RawEvent),
}

#[tokio::test]
async fn other_settings_bind_with_one_warning() {
    let server = server().await;
    let bus = declares(orders())
        .transport(nats(server.url()).await)
        .unwrap();
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
    let right = declares(orders())
        .transport(nats(server.url()).await)
        .unwrap();
    right.apply().await.unwrap();
    let prod = || EventBus::builder().prefix("prod");
    let declared = prod().stream(orders()).transport(nats(server.url()).await);
    let undeclared = prod().transport(nats(server.url()).await).unwrap();
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
    let mut request = event_sdk::transport::SubscribeRequest::new("ORDERS", config);
    request.prefetch = 1.into();
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
