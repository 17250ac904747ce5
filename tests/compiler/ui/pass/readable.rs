//! An event that is only received: with all attributes of an event, and those of serde that count
//! for writing alone.

use std::sync::Arc;

use event_sdk::envelope::Version;
use event_sdk::event::{KeyUse, decode_data};
use event_sdk::{EventBus, EventSet, Pii, RawEvent, Readable};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serializer};

/// A seat was taken.
#[derive(Readable, Deserialize)]
#[event(domain = "flights", version = "1.0", type = "seat.taken")]
struct SeatTaken {
    #[event(key, in_subject)]
    seat: String,
    #[serde(skip_serializing)]
    traveller: Pii<String>,
    #[serde(skip_serializing_if = "is_zero")]
    price: u64,
    #[serde(serialize_with = "as_text")]
    row: u64,
    #[serde(rename(serialize = "kind", deserialize = "class"))]
    class: String,
    #[serde(skip_deserializing)]
    seen: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn as_text<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// An older version, which nobody publishes any more.
#[derive(Readable, Deserialize)]
#[event(domain = "flights", version = "1.0", entity = "gate", action = "closed")]
struct GateClosedV1 {
    gate: u64,
}

#[derive(Readable, Deserialize)]
#[event(domain = "flights", version = "2.0", upcast_from = GateClosedV1)]
#[serde(into = "String", tag = "gate", rename_all(serialize = "UPPERCASE", deserialize = "camelCase"))]
struct GateClosed {
    gate_name: String,
}

impl From<GateClosedV1> for GateClosed {
    fn from(older: GateClosedV1) -> Self {
        Self { gate_name: older.gate.to_string() }
    }
}

impl From<GateClosed> for String {
    fn from(event: GateClosed) -> Self {
        event.gate_name
    }
}

#[derive(Readable, Deserialize)]
#[event(domain = "flights")]
struct BagLost<T> {
    #[event(key)]
    bag: T,
}

#[derive(Readable, Deserialize)]
#[event(absolute = "legacy.bag", type = "bag")]
struct LegacyBag;

#[derive(EventSet)]
#[event(pattern = "flights.>")]
enum FlightEvents {
    Taken(SeatTaken),
    Closed(Arc<GateClosed>),
    Lost(BagLost<u64>),
    #[event(other)]
    Other(RawEvent),
}

fn subject<E: Readable + DeserializeOwned>() -> &'static str {
    E::SPEC.subject()
}

fn main() {
    assert_eq!(SeatTaken::SPEC.key_use(), KeyUse::InSubject);
    assert_eq!(SeatTaken::SPEC.description(), "A seat was taken.");
    assert_eq!(subject::<BagLost<u64>>(), "flights.bag.lost");
    assert!(LegacyBag::SPEC.is_absolute());
    let data = br#"{"seat":"7A","traveller":"Ada","price":1,"row":7,"class":"eco","seen":true}"#;
    let taken: SeatTaken = decode_data(Version::new(1, 0), data).unwrap();
    assert_eq!((&*taken.class, taken.price, taken.row, taken.seen), ("eco", 1, 7, false));
    assert_eq!(taken.key().unwrap().to_string(), "7A");
    assert_eq!(taken.traveller.expose(), "Ada");
    let closed: GateClosed = decode_data(Version::new(1, 0), br#"{"gate":7}"#).unwrap();
    assert_eq!(closed.gate_name, "7");
    let bus = EventBus::memory();
    let _ = bus.subscribe::<FlightEvents>();
    let _ = bus.history::<SeatTaken>();
}
