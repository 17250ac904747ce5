//! Events that are only received (`#[derive(Readable)]`) in a catalogue.

use event_schemas::{Catalogue, CatalogueFault, Consumer, Service};
use event_sdk::{Event, EventSet, Readable};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod theirs {
    use super::*;

    /// An order was placed.
    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(domain = "orders")]
    pub(super) struct OrderPlaced {
        pub(super) id: u64,
        pub(super) item: String,
    }
}

#[derive(Readable, Deserialize, JsonSchema)]
#[event(domain = "orders")]
#[expect(dead_code, reason = "only its schema is made")]
struct OrderPlaced {
    #[serde(default)]
    id: u64,
}

#[derive(EventSet)]
enum Received {
    Placed(OrderPlaced),
}

fn consuming() -> Service {
    Service::new("billing").consumes(Consumer::of::<Received>("billing"))
}

#[test]
fn of_an_event_that_is_only_received_what_is_read_is_known() {
    let catalogue = Catalogue::new("orders").service(consuming());
    assert!(catalogue.faults().is_empty(), "{:?}", catalogue.faults());
    let [entry] = catalogue.events() else {
        panic!("one event");
    };
    assert!(!entry.is_published());
    assert_eq!(entry.writer(), entry.reader());
    // The publisher may leave out what has a default.
    assert_eq!(entry.writer().get("required"), None, "{}", entry.writer());
    let version = entry.spec().version();
    entry.decode(version, br#"{"id":7,"item":"tea"}"#).unwrap();
    assert_eq!(entry.reread(version, br#"{"id":7}"#).unwrap(), None);
}

#[test]
fn a_type_that_cannot_be_published_is_no_service_s_to_publish() {
    let service = Service::new("billing").publishes::<OrderPlaced>();
    let faults = Catalogue::new("orders").service(service).faults();
    let [fault @ CatalogueFault::NotPublishable { .. }] = &faults[..] else {
        panic!("{faults:?}");
    };
    let text = fault.to_string();
    assert!(
        text.contains("billing") && text.contains("OrderPlaced"),
        "{text}"
    );
    // Said of what it receives, there is nothing wrong.
    assert!(
        Catalogue::new("orders")
            .service(consuming())
            .faults()
            .is_empty()
    );
}

#[test]
fn the_type_that_is_published_says_what_the_event_is() {
    let publishing = || Service::new("shop").publishes::<theirs::OrderPlaced>();
    let example = || theirs::OrderPlaced {
        id: 7,
        item: "tea".to_owned(),
    };
    for catalogue in [
        Catalogue::new("orders")
            .service(consuming())
            .service(publishing()),
        Catalogue::new("orders")
            .service(publishing())
            .service(consuming()),
    ] {
        let catalogue = catalogue.example(example());
        assert!(catalogue.faults().is_empty(), "{:?}", catalogue.faults());
        let [entry] = catalogue.events() else {
            panic!("one event");
        };
        assert!(entry.is_published());
        assert_eq!(entry.examples().len(), 1);
        assert!(entry.writer()["properties"].get("item").is_some());
        assert_eq!(catalogue.consumers_of(entry.spec()).count(), 1);
    }
}
