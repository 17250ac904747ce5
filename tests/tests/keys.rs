//! The key of an event in its envelope (`metadata.key`): written by the publisher, and found by
//! consumers that do not know the type.

use event_sdk::event::KeyUse;
use event_sdk::transport::ErrorKind;
use event_sdk::{
    Delivery, Error, Event, EventBus, EventKey, EventSet, RawEvent, Readable, Subscriber,
};
use event_sdk_tests::orders::{
    CustomerEvents, CustomerMoved, OrderEvents, OrderPaid, OrderPlaced, placed,
};
use event_sdk_tests::raw;
use serde::{Deserialize, Serialize};

/// An event without a key.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "shop")]
struct ShopOpened {
    town: String,
}

/// An event with a text as its key, which is not in the subject.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "shop")]
struct ShopShut {
    #[event(key)]
    town: String,
}

/// Buses whose transports carry bytes, and values.
fn buses() -> [EventBus; 2] {
    let values = EventBus::builder().memory_with(|memory| memory.hand_over(true));
    [EventBus::memory(), values.unwrap()]
}

async fn next<S: EventSet>(subscriber: &mut Subscriber<S>) -> Delivery<S> {
    subscriber.next().await.unwrap().unwrap()
}

fn text(delivery: &Delivery<impl EventSet>) -> Option<String> {
    delivery.key().map(std::borrow::Cow::into_owned)
}

#[tokio::test]
async fn an_event_carries_its_key_as_text() {
    for bus in buses() {
        let mut all = bus.subscribe::<RawEvent>().await.unwrap();
        bus.publisher().publish(placed(7)).await.unwrap();
        let customer = "a.b \"ü\"".to_owned();
        let moved = CustomerMoved {
            customer: customer.clone(),
            city: "Ulm".to_owned(),
        };
        bus.publisher().publish(moved).await.unwrap();
        let town = "Ulm".to_owned();
        bus.publisher().publish(ShopOpened { town }).await.unwrap();

        // The set knows none of the types.
        for (key, metadata) in [
            (Some("7"), r#","key":"7"}}"#),
            (Some(&*customer), r#","key":"a.b \"ü\""}}"#),
            (None, "}}"),
        ] {
            let delivery = next(&mut all).await;
            assert_eq!(text(&delivery).as_deref(), key);
            let head = &delivery.head().unwrap().metadata;
            assert_eq!(head.key.as_ref().map(EventKey::text).as_deref(), key);
            let raw = delivery.decode().unwrap();
            assert_eq!(
                raw.head
                    .metadata
                    .key
                    .as_ref()
                    .map(EventKey::text)
                    .as_deref(),
                key
            );
            let id = head.correlation_id.clone().unwrap();
            let body = String::from_utf8(delivery.body().unwrap().to_vec()).unwrap();
            let end = format!(r#""metadata":{{"correlation_id":"{id}"{metadata}"#);
            assert!(body.ends_with(&end), "{body}");
        }
    }
}

#[tokio::test]
async fn the_key_stays_whatever_else_is_said_of_the_event() {
    let bus = |hand_over| {
        let builder = EventBus::builder().metadata("region", "eu");
        builder.memory_with(|memory| memory.hand_over(hand_over))
    };
    for bus in [bus(false).unwrap(), bus(true).unwrap()] {
        let mut all = bus.subscribe::<OrderEvents>().await.unwrap();
        let publisher = bus.publisher::<OrderPlaced>();
        publisher.publish(placed(7)).await.unwrap();
        let cause = next(&mut all).await;
        let prepared = publisher
            .prepare(placed(8))
            .caused_by(&cause)
            .metadata("tenant", "t");
        assert_eq!(
            prepared
                .head()
                .metadata
                .key
                .as_ref()
                .map(EventKey::text)
                .as_deref(),
            Some("8")
        );
        publisher.publish(prepared).await.unwrap();
        let delivery = next(&mut all).await;
        assert_eq!(text(&delivery).as_deref(), Some("8"));
        let metadata = &delivery.head().unwrap().metadata;
        assert_eq!(
            metadata.key.as_ref().map(EventKey::text).as_deref(),
            Some("8")
        );
        assert_eq!(metadata.get("tenant"), Some("t"));
        assert_eq!(metadata.get("region"), Some("eu"));
        assert_eq!(metadata.len(), 5);
    }
}

/// An envelope of a later major, with this metadata.
fn later(event_type: &str, metadata: &str) -> String {
    let body = raw::envelope(event_type, "9.0", "{}");
    let open = body.strip_suffix('}').unwrap();
    format!("{open},\"metadata\":{metadata}}}")
}

#[tokio::test]
async fn a_newer_event_has_its_key() {
    let bus = EventBus::memory();
    let mut orders = bus.subscribe::<OrderEvents>().await.unwrap();
    let body = later("order.placed", r#"{"key":"7"}"#);
    raw::publish(&bus, "events.orders.order.placed", body)
        .await
        .unwrap();
    let delivery = next(&mut orders).await;
    assert!(delivery.decode().unwrap_err().is_newer());
    assert_eq!(text(&delivery).as_deref(), Some("7"));
}

#[tokio::test]
async fn a_key_is_found_in_the_subject_if_the_envelope_lacks_it() {
    let bus = EventBus::memory();
    let mut customers = bus.subscribe::<CustomerEvents>().await.unwrap();
    let data = r#"{"customer":"a.b","city":"Ulm"}"#;
    let older = raw::envelope("customer.moved", "1.0", data);
    let both = later("customer.moved", r#"{"key":"in the envelope"}"#);
    for (subject, body, key) in [
        ("moved.a=2Eb", older.clone(), Some("a.b")),
        ("moved.a=2Eb", both, Some("in the envelope")),
        // Not an envelope at all.
        ("moved.a=2Eb", "?".to_owned(), Some("a.b")),
        ("moved.=", later("customer.moved", "{}"), Some("")),
        // Not an escaped key.
        ("moved.=2e", older, None),
    ] {
        raw::publish(&bus, &format!("events.crm.customer.{subject}"), body)
            .await
            .unwrap();
        let delivery = next(&mut customers).await;
        assert_eq!(text(&delivery).as_deref(), key, "{subject}");
    }
    // Without the set's knowledge the last token is not a key.
    let mut all = bus.subscribe::<RawEvent>().await.unwrap();
    assert_eq!(text(&next(&mut all).await), None);
}

fn refused<T: std::fmt::Debug>(result: Result<T, impl Into<Error>>, kind: &ErrorKind, says: &str) {
    let error: Error = result.unwrap_err().into();
    assert_eq!(error.kind(), kind, "{error}");
    let source = std::error::Error::source(&error).map(ToString::to_string);
    let shown = format!("{error}: {}", source.unwrap_or_default());
    assert!(shown.contains(says), "{shown}");
}

#[tokio::test]
async fn metadata_cannot_replace_the_key_of_the_event() {
    for bus in buses() {
        let orders = bus.publisher::<OrderPaid>();
        let paid = OrderPaid { id: 7, amount: 1.0 };
        let result = orders.publish(paid.clone()).metadata("key", "8").await;
        refused(result, &ErrorKind::InvalidOption, "#[event(key)]");
        // Not even by the same value, since the field may change.
        let prepared = orders.prepare(paid).metadata("key", "7");
        let result = orders.publish(&prepared).await;
        refused(result, &ErrorKind::InvalidOption, "OrderPaid");
        let all = orders.publish_all([prepared]).await;
        let all = all.unwrap_err();
        let source = std::error::Error::source(&all).unwrap().to_string();
        assert!(source.contains("#[event(key)]"), "{all}: {source}");
        assert_eq!(bus.stream_state("EVENTS").await.unwrap().messages, 0);
    }
    refused(
        EventBus::builder().metadata("key", "7").memory(),
        &ErrorKind::InvalidOption,
        "`key`",
    );
}

#[tokio::test]
async fn an_event_without_a_key_can_be_given_one() {
    for bus in buses() {
        let mut all = bus.subscribe::<ShopOpened>().await.unwrap();
        let shops = bus.publisher::<ShopOpened>();
        assert_eq!(ShopOpened::SPEC.key_use(), KeyUse::None);
        let town = "Ulm".to_owned();
        let opened = ShopOpened { town };
        let longest = "k".repeat(EventKey::MAX_LEN);
        for key in ["", &longest] {
            let publish = shops.publish(opened.clone()).metadata("key", key);
            publish.await.unwrap();
            let delivery = next(&mut all).await;
            assert_eq!(text(&delivery).as_deref(), Some(key));
            assert_eq!(
                delivery
                    .head()
                    .unwrap()
                    .metadata
                    .key
                    .as_ref()
                    .map(EventKey::text)
                    .as_deref(),
                Some(key)
            );
        }
        let publish = shops.publish(opened).metadata("key", longest + "k");
        refused(publish.await, &ErrorKind::InvalidOption, "255 bytes");
    }
}

#[tokio::test]
async fn a_key_that_is_too_long_is_not_published() {
    for bus in buses() {
        let mut all = bus.subscribe::<ShopShut>().await.unwrap();
        let shops = bus.publisher::<ShopShut>();
        // It is longer than 255 once it is escaped, and need not be.
        let town = "ü".repeat(127);
        let longest = ShopShut { town: town.clone() };
        shops.publish(longest.clone()).await.unwrap();
        let delivery = next(&mut all).await;
        assert_eq!(delivery.decode().unwrap(), longest);
        assert_eq!(text(&delivery), Some(town.clone()));

        let town = town + "xy";
        let result = shops.publish(ShopShut { town: town.clone() }).await;
        refused(result, &ErrorKind::Encode, "255 bytes");
        let prepared = shops.prepare(ShopShut { town: town.clone() });
        let result = shops.publish(prepared.metadata("tenant", "t")).await;
        refused(result, &ErrorKind::Encode, "255 bytes");
        let moved = CustomerMoved {
            customer: town,
            city: String::new(),
        };
        let result = bus.publisher().publish(moved).await;
        refused(result, &ErrorKind::InvalidSubject, "255 bytes");
    }
}
