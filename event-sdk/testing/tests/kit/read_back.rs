//! Each event is read back by its own type.

use std::collections::BTreeMap;

use event_sdk::{ErrorKind, Event, EventBus};
use event_sdk_testing::TestBus;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::events::{OrderPlaced, failure, placed};

/// Written as a text, and read as a number.
#[derive(Debug)]
struct Cents(u64);

impl Serialize for Cents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Cents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Item {
    price: Cents,
}

#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
pub(crate) struct OrderPriced {
    items: Vec<Item>,
}

/// An event that cannot be read back.
pub(crate) fn priced() -> OrderPriced {
    OrderPriced {
        items: vec![Item { price: Cents(77) }],
    }
}

/// Read with a rounding.
#[derive(Debug)]
struct Rounded(u64);

impl Serialize for Rounded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Rounded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(|cents| Self(cents / 100 * 100))
    }
}

#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderTaxed {
    tax: Rounded,
}

/// A service that does not look at the result of its publish.
async fn swallows(bus: &EventBus) {
    let _ = bus.publisher().publish(priced()).await;
}

#[tokio::test]
async fn a_type_that_cannot_read_what_it_writes_fails_its_publish_and_the_next_assertion() {
    let bus = TestBus::new();
    let error = bus.publisher().publish(priced()).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Encode);
    let text = failure(|| bus.published::<OrderPlaced>().none());
    assert!(
        text.starts_with("an event cannot read what it writes:\n  order.priced 1.0"),
        "{text}"
    );
    assert!(
        text.contains("items[0].price: invalid type: string, expected u64"),
        "{text}"
    );
    assert!(!text.contains("77"), "{text}");
    // It was told.
    bus.published::<OrderPlaced>().none();
}

#[tokio::test]
async fn what_is_read_as_another_value_is_named_by_its_path() {
    let bus = TestBus::new();
    let same = OrderTaxed { tax: Rounded(200) };
    bus.publisher().publish(same).await.unwrap();
    let other = OrderTaxed { tax: Rounded(299) };
    bus.publisher().publish(other).await.unwrap_err();
    let text = failure(|| bus.nothing_else());
    assert!(text.ends_with("tax is read as another number"), "{text}");
    bus.published::<OrderTaxed>().one();
}

/// A map that is flattened into the event: a key of it may be the name of a field.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderLabelled {
    order: u64,
    #[serde(flatten)]
    labels: BTreeMap<String, u64>,
}

fn labelled(key: &str) -> OrderLabelled {
    OrderLabelled {
        order: 1,
        labels: BTreeMap::from([(key.to_owned(), 4711)]),
    }
}

/// serde buffers what it flattens, and what an enumeration with a tag holds. Its buffer has no
/// integers of 128 bits.
#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderWeighed {
    #[serde(flatten)]
    weight: Weight,
}

#[derive(Debug, Serialize, Deserialize)]
struct Weight {
    atoms: u128,
}

#[derive(Debug, Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderMeasured {
    size: Size,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "snake_case")]
enum Size {
    Atoms { across: u128 },
}

/// The report of an event that its type cannot read, whose publish has to fail.
async fn not_read_back(event: impl Event) -> String {
    let bus = TestBus::new();
    let error = bus.publisher().publish(event).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Encode);
    let text = failure(|| bus.nothing_else());
    assert!(
        text.starts_with("an event cannot read what it writes:\n"),
        "{text}"
    );
    text
}

#[tokio::test]
async fn a_flattened_map_with_the_key_of_a_field_is_found() {
    let bus = TestBus::new();
    bus.publisher().publish(labelled("colour")).await.unwrap();
    bus.published::<OrderLabelled>().one();

    let text = not_read_back(labelled("order")).await;
    assert!(text.contains("order.labelled 1.0"), "{text}");
    assert!(text.contains("duplicate field `order`"), "{text}");
    assert!(!text.contains("4711"), "{text}");
}

#[tokio::test]
async fn integers_of_128_bits_that_are_flattened_or_tagged_are_found() {
    let atoms = u128::MAX;
    let flattened = OrderWeighed {
        weight: Weight { atoms },
    };
    let tagged = OrderMeasured {
        size: Size::Atoms { across: atoms },
    };
    for (name, text) in [
        ("order.weighed 1.0", not_read_back(flattened).await),
        ("order.measured 1.0", not_read_back(tagged).await),
    ] {
        assert!(text.contains(name), "{text}");
        assert!(
            text.contains("is not read back as it was written: "),
            "{text}"
        );
        assert!(!text.contains(&atoms.to_string()), "{text}");
    }
}

#[tokio::test]
async fn a_bus_that_is_dropped_tells_what_nobody_asked_for() {
    let bus = TestBus::new();
    swallows(&bus.connect("pricing")).await;
    let text = failure(move || drop(bus));
    assert!(text.contains("items[0].price"), "{text}");
}

#[tokio::test]
async fn an_event_that_reads_what_it_writes_passes() {
    let bus = TestBus::new();
    bus.given(placed(1)).await;
    bus.nothing_else();
}
