//! `bus.raw()`: bytes without a type are published and received with the options, confirmations,
//! limits and settlements of typed events, on memory and on a server.

use std::time::Duration;

use event_sdk::headers::Headers;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::transport::{DeliverPolicy, ErrorKind, Outcome};
use event_sdk::{
    BusBuilder, Delivery, EventBus, RawBus, Subscriber, TraceContext, Untyped, subject,
};
use event_sdk_test_servers::Server;
use event_sdk_tests::held::Held;
use event_sdk_tests::orders::{CustomerMoved, OrderPlaced, placed};

const PATIENCE: Duration = Duration::from_secs(90);

async fn within<T>(what: &str, future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future.into_future())
        .await
        .unwrap_or_else(|_| panic!("{what} took too long"))
}

fn builder() -> BusBuilder {
    EventBus::builder()
        .prefix("shop")
        .max_payload(10_000)
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .stream(
            StreamSpec::new("REST")
                .subject("crm.>")
                .absolute("legacy.>"),
        )
}

/// Memory with bytes, memory with values, and a server, which is stopped when it is dropped.
async fn buses() -> (Server, [EventBus; 3]) {
    let server = Server::start().await.unwrap();
    let nats = Nats::connect(Nats::options(server.url()));
    let nats = within("a connection", nats).await.unwrap();
    let nats = builder().transport(nats).unwrap();
    within("the streams", nats.apply_streams()).await.unwrap();
    let values = builder().memory_with(|memory| memory.hand_over(true));
    let buses = [builder().memory().unwrap(), values.unwrap(), nats];
    (server, buses)
}

async fn next(messages: &mut Subscriber<Untyped>) -> Delivery<Untyped> {
    let next = within("a message", messages.next()).await;
    next.unwrap().unwrap()
}

async fn kind(publish: event_sdk::RawPublish) -> ErrorKind {
    let error = within("a refusal", publish).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotDone, "{error}");
    assert!(error.subject().is_some(), "{error}");
    error.kind().clone()
}

#[tokio::test]
async fn bytes_headers_and_subjects_arrive_as_they_were_published() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = TraceContext::new(trace, None).unwrap();
        let messages = bus.raw().subscribe(subject!("orders.>")).durable("bridge");
        let mut messages = within("a subscription", messages).await.unwrap();
        let publish = bus.raw().publish("orders.a.b", &b"\xff\0 no JSON"[..]);
        let publish = publish.header("Some", "header").trace(&trace);
        let stored = within("a publish", publish).await.unwrap();
        assert_eq!(
            (stored.stream.as_deref(), stored.sequence),
            (Some("ORDERS"), Some(1))
        );
        let message = next(&mut messages).await;
        assert_eq!(message.subject().as_str(), "shop.orders.a.b");
        assert_eq!(message.relative_subject(), Some("orders.a.b"));
        assert_eq!(message.headers().get("Some"), Some("header"));
        assert_eq!(message.trace(), Some(trace));
        assert_eq!(message.body().unwrap(), &b"\xff\0 no JSON"[..]);
        assert_eq!(message.stream(), Some("ORDERS"));
        assert_eq!(message.sequence(), Some(1));
        assert!(message.stored_at().is_some());
        assert!(message.head().is_err(), "it is no envelope");
        // It is settled as a typed delivery is.
        assert_eq!(message.attempt(), 1);
        message.nak(Duration::ZERO).await.unwrap();
        let again = next(&mut messages).await;
        assert_eq!(again.attempt(), 2);
        again.ack_confirmed().await.unwrap();
        // And passed on with its headers.
        let copy = bus.raw().publish("orders.copy", again.body().unwrap());
        within("a copy", copy.headers(again.headers()))
            .await
            .unwrap();
        let copy = next(&mut messages).await;
        assert_eq!(copy.headers(), again.headers());
        copy.term("enough").await.unwrap();
    }
}

#[tokio::test]
async fn typed_events_are_bytes_too_and_the_other_way_round() {
    let (_server, buses) = buses().await;
    for bus in buses {
        within("a publish", bus.publisher().publish(placed(7)))
            .await
            .unwrap();
        let messages = bus.raw().subscribe(subject!("orders.order.*"));
        let messages = messages.deliver(DeliverPolicy::All).group("readers");
        let mut messages = within("a subscription", messages).await.unwrap();
        let message = next(&mut messages).await;
        assert_eq!(message.head().unwrap().event_type, "order.placed");
        let body = message.body().unwrap();
        let copy = bus.raw().publish("orders.order.placed", body.clone());
        within("a copy", copy.headers(message.headers()))
            .await
            .unwrap();
        let mut orders = within("a subscription", bus.subscribe::<OrderPlaced>())
            .await
            .unwrap();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let order = within("an order", orders.next()).await.unwrap().unwrap();
            assert_eq!(order.decode().unwrap(), placed(7));
            ids.push(order.event_id().unwrap());
        }
        assert_eq!(ids[0], ids[1]);
        let mut history = within("history", bus.raw().history(subject!("orders.>")))
            .await
            .unwrap();
        for sequence in [1, 2] {
            let stored = within("an event", history.next()).await.unwrap().unwrap();
            assert_eq!(stored.sequence(), sequence);
            assert_eq!(stored.body().unwrap(), body);
        }
        assert!(within("the end", history.next()).await.is_none());
    }
}

#[tokio::test]
async fn ids_and_expectations_hold() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let publish = |subject: &str| bus.raw().publish(subject, "x");
        let twice = || publish("orders.a").message_id("one");
        assert!(!within("a publish", twice()).await.unwrap().duplicate);
        let again = within("a publish", twice()).await.unwrap();
        assert_eq!((again.duplicate, again.sequence), (true, Some(1)));
        // Without an id nothing is a duplicate.
        for sequence in [2, 3] {
            let stored = within("a publish", publish("orders.b")).await.unwrap();
            assert_eq!(stored.sequence, Some(sequence));
        }
        let wrong = |last| ErrorKind::WrongLastSequence { last: Some(last) };
        let expecting = publish("orders.a").expect_last_sequence(2);
        assert_eq!(kind(expecting).await, wrong(3));
        let expecting = publish("orders.a").expect_last_subject_sequence(3);
        assert_eq!(kind(expecting).await, wrong(1));
        let pattern = subject!("orders.*");
        let expecting = publish("orders.a").expect_last_pattern_sequence(&pattern, 1);
        assert_eq!(kind(expecting).await, wrong(3));
        let expecting = publish("orders.a")
            .expect_last_sequence(3)
            .expect_last_pattern_sequence(&pattern, 3);
        within("a publish", expecting).await.unwrap();
    }
}

#[tokio::test]
async fn whole_subjects_take_no_prefix() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let whole: RawBus = bus.raw().absolute();
        let both = [subject!("legacy.*"), subject!("shop.crm.>")];
        let mut messages = within("a subscription", whole.subscribe_all(both))
            .await
            .unwrap();
        within("a publish", whole.publish("legacy.tx", "1"))
            .await
            .unwrap();
        let moved = CustomerMoved {
            customer: "Ada".to_owned(),
            city: "London".to_owned(),
        };
        within("a publish", bus.publisher().publish(moved))
            .await
            .unwrap();
        let message = next(&mut messages).await;
        assert_eq!(message.subject().as_str(), "legacy.tx");
        assert_eq!(message.relative_subject(), None);
        let message = next(&mut messages).await;
        assert_eq!(message.relative_subject(), Some("crm.customer.moved.Ada"));
        let narrowed = whole
            .history(subject!("legacy.>"))
            .subject(subject!("*.tx"));
        let mut history = within("history", narrowed).await.unwrap();
        assert!(within("an event", history.next()).await.is_some());
        // The same text under the prefix is another subject.
        let relative = within("a refusal", bus.raw().publish("legacy.tx", "1")).await;
        let error = relative.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::NoStream, "{error}");
        assert!(error.to_string().contains("shop.legacy.tx"), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_published_is_refused() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let publish = |subject: &str| bus.raw().publish(subject, "x");
        for subject in ["", "orders..a", "orders.*", "orders.a b", "orders.>"] {
            let error = within("a refusal", publish(subject)).await.unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::InvalidSubject, "{error}");
        }
        let header =
            |name: &str, value: &str| publish("orders.a").header(name.to_owned(), value.to_owned());
        for publish in [
            header("Nats-Msg-Id", "1"),
            header("a b", "1"),
            header("a", "1\n2"),
            header("traceparent", "1"),
            publish("orders.a").message_id(""),
        ] {
            assert_eq!(kind(publish).await, ErrorKind::InvalidHeader);
        }
        let large = kind(bus.raw().publish("orders.a", vec![b'x'; 10_001])).await;
        let (size, limit) = (10_001, 10_000);
        assert_eq!(large, ErrorKind::TooLarge { size, limit });
        within(
            "the largest",
            bus.raw().publish("orders.a", vec![b'x'; 10_000]),
        )
        .await
        .unwrap();
        let nothing = bus
            .raw()
            .subscribe(subject!("orders.a"))
            .subject(subject!("orders.b"));
        let error = within("a refusal", nothing).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidSubject, "{error}");
        let error = within("a refusal", bus.raw().subscribe_all([]))
            .await
            .unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{error}");
        let error = within("a refusal", bus.raw().subscribe(subject!("none.>"))).await;
        assert_eq!(*error.unwrap_err().kind(), ErrorKind::NoStream);
        within("the end", bus.close()).await.unwrap();
        assert_eq!(kind(publish("orders.a")).await, ErrorKind::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_publish_that_is_not_confirmed_ends_after_its_time() {
    let held = Held::new();
    let bus = EventBus::builder().transport(held.clone()).unwrap();
    // Not handed over, and not confirmed.
    for permits in [0, 1] {
        held.handing_over.add_permits(permits);
        let publish = bus
            .raw()
            .publish("orders.a", "x")
            .timeout(Duration::from_secs(3));
        let before = tokio::time::Instant::now();
        let error = publish.await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert!(before.elapsed() >= Duration::from_secs(3));
        assert!(before.elapsed() < Duration::from_secs(4));
        // Nothing recognizes it as a duplicate.
        assert!(error.to_string().contains("look for it"), "{error}");
        held.handing_over.add_permits(permits);
        let publish = bus.raw().publish("orders.a", "x").message_id("1");
        let error = publish.timeout(Duration::from_secs(3)).await.unwrap_err();
        assert!(error.to_string().contains("same message id"), "{error}");
    }
}

#[tokio::test]
async fn a_copy_has_no_headers_that_a_server_would_obey() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let mut headers = Headers::new();
        for (name, value) in [
            ("Nats-Stream-Source", "ORDERS 7 > > orders.a"),
            ("nats-rollup", "all"),
            ("X-Tenant", "7"),
        ] {
            headers.insert(name, value).unwrap();
        }
        let publish = bus.raw().publish("orders.a", "x").headers(&headers);
        within("a copy", publish).await.unwrap();
        let history = bus.raw().history(subject!("orders.a"));
        let mut history = within("history", history).await.unwrap();
        let copy = within("the copy", history.next()).await.unwrap().unwrap();
        let names: Vec<_> = copy.headers().iter().collect();
        assert_eq!(names, [("X-Tenant", "7")]);
    }
}
