//! `Debug` and `Display` of deliveries, prepared events and errors show no event data.

use std::error::Error;
use std::fmt::Debug;

use event_sdk::{Event, EventBus, RawEvent};
use serde::{Deserialize, Serialize};

/// What must never be seen.
const SECRET: &str = "ada@example.com";

#[derive(Event, Serialize, Deserialize, Debug)]
#[event(domain = "people")]
struct PersonSeen {
    name: String,
}

/// The same event as another service has it, which takes a number.
#[derive(Event, Serialize, Deserialize, Debug)]
#[event(domain = "people", entity = "person", action = "seen")]
struct PersonCounted {
    name: u64,
}

fn assert_hidden(value: &(impl Debug + ?Sized)) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!text.contains(SECRET), "{text}");
        // Nor as a list of bytes.
        assert!(!text.contains("97, 100, 97, 64"), "{text}");
    }
}

#[tokio::test]
async fn neither_a_delivery_nor_an_error_shows_the_data() {
    for hand_over in [true, false] {
        let bus = EventBus::builder()
            .memory_with(|memory| memory.hand_over(hand_over))
            .unwrap();
        nothing_is_shown(&bus).await;
    }
}

async fn nothing_is_shown(bus: &EventBus) {
    let event = PersonSeen {
        name: SECRET.to_owned(),
    };
    let prepared = bus
        .publisher::<PersonSeen>()
        .prepare(event)
        .header("user", SECRET)
        .unwrap()
        .message_id(SECRET);
    assert_hidden(&prepared);
    assert_hidden(&bus.publisher::<PersonSeen>().publish(&prepared));
    bus.publisher::<PersonSeen>()
        .publish(&prepared)
        .await
        .unwrap();
    assert_hidden(bus.transport());
    assert_hidden(bus);

    let mut people = bus
        .subscribe::<PersonCounted>()
        .durable("counted")
        .await
        .unwrap();
    assert_hidden(&people);
    let delivery = people.next().await.unwrap().unwrap();
    assert_hidden(&delivery);
    let error = delivery.decode().unwrap_err();
    assert_hidden(&error);
    assert!(!error.to_string().contains(SECRET), "{error}");
    assert!(
        error
            .source()
            .is_none_or(|source| !source.to_string().contains(SECRET))
    );
    // It names the field, what was wanted and what kind of value is there.
    let said = error.to_string();
    assert!(
        said.contains("name: invalid type: string, expected u64"),
        "{said}"
    );
    assert_eq!(error.path(), Some("name"));
    assert!(error.expose().unwrap().contains(SECRET));
    assert_hidden(&people);

    let mut all = bus.subscribe::<RawEvent>().await.unwrap();
    let raw = all.next().await.unwrap().unwrap();
    assert_hidden(&raw);
    assert_hidden(&raw.raw().unwrap());
    assert_hidden(&raw.decode().unwrap());

    let mut history = bus.history::<PersonSeen>().await.unwrap();
    let recorded = history.next().await.unwrap().unwrap();
    assert_hidden(&recorded);

    bus.close().await.unwrap();
    let failed = bus.publisher::<PersonSeen>().publish(&prepared).await;
    let failed = failed.unwrap_err();
    assert_hidden(&failed);
    assert!(!failed.to_string().contains(SECRET));
}
