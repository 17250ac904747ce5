//! Bad messages through the public API: each gives a typed error, and the subscription
//! continues.

use std::time::Duration;

use event_sdk::codec::DecodeErrorKind;
use event_sdk::transport::ErrorKind;
use event_sdk::{EventBus, Subscriber};
use event_sdk_tests::orders::{
    AllOrderEvents, CustomerMoved, OrderEvents, OrderPaid, OrderPlaced, placed,
};
use event_sdk_tests::raw::{self, envelope};

const PLACED: &str = "events.orders.order.placed";
const GOOD: &str = r#"{"id":1,"item":"x"}"#;

/// Publishes each body, and a good event after it: the bad one arrives as a
/// value with its raw bytes, is terminated, and the good one still arrives.
async fn survives(subject: &str, body: impl Into<Vec<u8>>, kind: DecodeErrorKind) -> String {
    let bus = EventBus::memory();
    let mut orders: Subscriber<OrderEvents> = bus.subscribe().await.unwrap();
    let body = body.into();
    raw::publish(&bus, subject, body.clone()).await.unwrap();
    bus.publisher::<OrderPlaced>()
        .publish(placed(7))
        .await
        .unwrap();

    let bad = orders.next().await.unwrap().unwrap();
    let error = bad.decode().unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert_eq!(error.body(), &body, "the error keeps the raw bytes");
    assert_eq!(bad.body().unwrap(), body, "and so does the delivery");
    assert_eq!(error.subject().as_str(), subject);
    assert!(error.to_string().contains(subject), "{error}");
    bad.term(&error).await.unwrap();

    let good = orders.next().await.unwrap().unwrap();
    assert_eq!(good.decode().unwrap(), OrderEvents::Placed(placed(7)));
    good.ack().await.unwrap();
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[tokio::test]
async fn malformed_envelopes() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../golden/envelopes.json")).unwrap();
    for vector in golden["refused"].as_array().unwrap() {
        let body = vector["body"].as_str().unwrap();
        survives(PLACED, body, DecodeErrorKind::Malformed).await;
    }
    survives(PLACED, [0xff, 0xfe, 0x00], DecodeErrorKind::Malformed).await;
    let mut invalid_utf8 = envelope("order.placed", "1.0", r#"{"id":1,"item":"xyz"}"#).into_bytes();
    let at = invalid_utf8
        .windows(3)
        .position(|window| window == b"xyz")
        .unwrap();
    invalid_utf8[at] = 0xff;
    survives(PLACED, invalid_utf8, DecodeErrorKind::Malformed).await;
}

#[tokio::test]
async fn the_wrong_type_for_a_subject() {
    let body = envelope("order.paid", "1.0", GOOD);
    let error = survives(PLACED, body, DecodeErrorKind::TypeMismatch).await;
    assert!(
        error.contains("order.paid") && error.contains("order.placed"),
        "{error}"
    );
}

#[tokio::test]
async fn data_that_do_not_fit() {
    for data in [
        "null",
        "7",
        "[]",
        r#"{"id":1}"#,
        r#"{"id":"one","item":"x"}"#,
        r#"{"id":-1,"item":"x"}"#,
    ] {
        survives(
            PLACED,
            envelope("order.placed", "1.0", data),
            DecodeErrorKind::Data,
        )
        .await;
    }
}

#[tokio::test]
async fn deep_nesting() {
    for depth in [129, 200_000] {
        let deep = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let data = format!(r#"{{"id":1,"item":{deep}}}"#);
        survives(
            PLACED,
            envelope("order.placed", "1.0", &data),
            DecodeErrorKind::Data,
        )
        .await;
    }
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    survives(PLACED, deep, DecodeErrorKind::Malformed).await;
}

#[tokio::test]
async fn an_older_major_without_upcaster() {
    let body = envelope("order.paid", "1.0", r#"{"id":1,"amount":2}"#);
    let error = survives("events.orders.order.paid", body, DecodeErrorKind::Older).await;
    assert!(
        error.contains("1.0") && error.contains("upcast_from"),
        "{error}"
    );
}

#[tokio::test]
async fn a_newer_major_is_put_back_and_not_terminated() {
    let bus = EventBus::memory();
    let mut orders = bus.subscribe::<OrderEvents>().await.unwrap();
    let body = envelope("order.placed", "2.0", r#"{"order":{"id":1}}"#);
    raw::publish(&bus, PLACED, body).await.unwrap();

    let early = orders.next().await.unwrap().unwrap();
    let error = early.decode().unwrap_err();
    assert!(error.is_newer());
    early
        .refuse(&error, Duration::from_millis(1))
        .await
        .unwrap();
    let again = orders.next().await.unwrap().unwrap();
    assert_eq!((again.sequence(), again.attempt()), (early.sequence(), 2));

    // A newer minor is for everyone.
    again.ack().await.unwrap();
    let body = envelope("order.placed", "1.9", r#"{"id":1,"item":"x","added":true}"#);
    raw::publish(&bus, PLACED, body).await.unwrap();
    assert!(orders.next().await.unwrap().unwrap().decode().is_ok());
}

#[tokio::test]
async fn an_oversized_body_is_not_read() {
    let bus = EventBus::builder().max_payload(1000).memory().unwrap();
    let mut orders = bus.subscribe::<OrderEvents>().await.unwrap();
    let item = "x".repeat(2000);
    let body = envelope(
        "order.placed",
        "1.0",
        &format!(r#"{{"id":1,"item":"{item}"}}"#),
    );
    raw::publish(&bus, PLACED, body).await.unwrap();
    let delivery = orders.next().await.unwrap().unwrap();
    let error = delivery.decode().unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::TooLarge);
    assert!(error.to_string().contains("1000"), "{error}");
}

#[tokio::test]
async fn an_event_of_a_megabyte_is_refused_before_it_is_sent() {
    let bus = EventBus::memory();
    let publisher = bus.publisher::<OrderPlaced>();
    let big = OrderPlaced {
        id: 1,
        item: "x".repeat(1024 * 1024),
    };
    let error = publisher.publish(big.clone()).await.unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::TooLarge {
                limit: 1_048_576,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(error.prepared().event(), &big, "the event is given back");
    // A little less goes through, whole.
    let fits = OrderPlaced {
        id: 1,
        item: "x".repeat(1024 * 1024 - 1000),
    };
    let mut orders = bus.subscribe::<OrderPlaced>().await.unwrap();
    publisher.publish(fits.clone()).await.unwrap();
    assert_eq!(
        orders.next().await.unwrap().unwrap().decode().unwrap(),
        fits
    );
}

#[tokio::test]
async fn numbers_that_json_has_not() {
    let bus = EventBus::memory();
    for amount in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = bus
            .publisher::<OrderPaid>()
            .publish(OrderPaid { id: 1, amount })
            .await
            .unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Encode);
        assert!(
            error.to_string().contains("events.orders.order.paid"),
            "{error}"
        );
        let error = error.into_error();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("JSON has no"), "{source}");
    }
    assert_eq!(bus.stream_state("EVENTS").await.unwrap().messages, 0);
}

#[tokio::test]
async fn hostile_keys_are_one_token() {
    let bus = EventBus::memory();
    let publisher = bus.publisher::<CustomerMoved>();
    let moved = |customer: &str| CustomerMoved {
        customer: customer.into(),
        city: "Oslo".into(),
    };
    let keys = [
        "",
        ".",
        "a.b",
        "*",
        ">",
        "a b",
        "\r\nPUB x 0\r\n",
        "\0",
        "ü",
        "=41",
        "$JS.API",
        "😀",
    ];
    let mut customers = bus.subscribe::<CustomerMoved>().await.unwrap();
    for key in keys {
        publisher
            .publish(moved(key))
            .await
            .unwrap_or_else(|why| panic!("{key:?}: {why}"));
        let delivery = customers.next().await.unwrap().unwrap();
        assert_eq!(delivery.subject().as_str().split('.').count(), 5, "{key:?}");
        assert_eq!(delivery.decode().unwrap().customer, key);
    }
    let error = publisher
        .publish(moved(&"k".repeat(256)))
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidSubject);
    assert!(error.error().to_string().contains("255"), "{error}");
    assert!(publisher.publish(moved(&"k".repeat(255))).await.is_ok());
}

#[tokio::test]
async fn hostile_headers_and_ids() {
    let bus = EventBus::memory();
    let publisher = bus.publisher::<OrderPlaced>();
    let values = [
        ("x", "a\r\nb"),
        ("x", "a\0"),
        ("a b", "x"),
        ("", "x"),
        ("a:b", "x"),
        ("ä", "x"),
        ("Nats-Msg-Id", "x"),
        ("nats-rollup", "all"),
        ("tracestate", "k=v"),
    ];
    for (name, value) in values {
        let error = publisher
            .publish(placed(1))
            .header(name, value)
            .await
            .unwrap_err();
        assert_eq!(
            *error.kind(),
            ErrorKind::InvalidHeader,
            "{name:?}: {value:?}"
        );
    }
    for id in ["", "a\nb", " 42", "42\u{a0}"] {
        let error = publisher
            .publish(placed(1))
            .message_id(id)
            .await
            .unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidHeader, "{id:?}");
    }
    assert_eq!(bus.stream_state("EVENTS").await.unwrap().messages, 0);
}

#[test]
fn hostile_prefixes_and_streams() {
    use event_sdk::stream::StreamSpec;
    for prefix in [
        "", ".", "a.", "A", "a b", "$JS", "a.*", ">", "_INBOX", "a\nb",
    ] {
        let error = EventBus::builder().prefix(prefix).memory().unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidSubject, "{prefix:?}");
    }
    let long = "p".repeat(129);
    assert!(EventBus::builder().prefix(long).memory().is_err());
    for stream in [
        StreamSpec::new("").subject(">"),
        StreamSpec::new("a.b").subject(">"),
        StreamSpec::new("NONE"),
        StreamSpec::new("BAD").subject("a..b"),
        StreamSpec::new("BAD").subject("a.>.b"),
        StreamSpec::new("TWICE").subject("a.*").subject("a.b"),
        StreamSpec::new("UNCOPIED").subject("a").replicas(0),
        StreamSpec::new("COPIED").subject("a").replicas(6),
        StreamSpec::new("FORGETFUL")
            .subject("a")
            .duplicate_capacity(0),
    ] {
        let error = EventBus::builder()
            .stream(stream.clone())
            .memory()
            .unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::InvalidOption, "{stream:?}");
        assert!(error.to_string().contains(stream.name()), "{error}");
    }
}

#[tokio::test]
async fn an_unknown_subject_is_a_variant_or_an_error() {
    let bus = EventBus::memory();
    let mut all = bus.subscribe::<AllOrderEvents>().await.unwrap();
    let body = envelope("order.shipped", "4.2", r#"{"id":1}"#);
    raw::publish(&bus, "events.orders.order.shipped", body)
        .await
        .unwrap();
    let delivery = all.next().await.unwrap().unwrap();
    let AllOrderEvents::Other(other) = delivery.decode().unwrap() else {
        panic!("the subject is unknown");
    };
    assert_eq!(other.head.version.to_string(), "4.2");
    assert_eq!(other.read::<serde_json::Value>().unwrap()["id"], 1);
}
