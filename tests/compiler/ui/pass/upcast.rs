//! Older versions pass `From` or `TryFrom`, one after another.

use event_sdk::envelope::Version;
use event_sdk::event::{DataErrorKind, decode_data};
use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "order", action = "placed")]
struct OrderPlacedV1 {
    id: u32,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "order", action = "placed", version = "2.3", upcast_from = OrderPlacedV1)]
struct OrderPlacedV2 {
    id: u64,
}

impl From<OrderPlacedV1> for OrderPlacedV2 {
    fn from(old: OrderPlacedV1) -> Self {
        Self { id: old.id.into() }
    }
}

#[derive(Debug, PartialEq, Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "3.0", upcast_from = self::OrderPlacedV2)]
struct OrderPlaced {
    id: std::num::NonZeroU64,
}

impl TryFrom<OrderPlacedV2> for OrderPlaced {
    type Error = std::num::TryFromIntError;

    fn try_from(old: OrderPlacedV2) -> Result<Self, Self::Error> {
        Ok(Self { id: old.id.try_into()? })
    }
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", entity = "order", action = "changed")]
struct OrderChangedV1<T> {
    to: T,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "2.0", upcast_from = OrderChangedV1<T>)]
struct OrderChanged<T> {
    to: Vec<T>,
}

impl<T> From<OrderChangedV1<T>> for OrderChanged<T> {
    fn from(old: OrderChangedV1<T>) -> Self {
        Self { to: vec![old.to] }
    }
}

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
    Changed(OrderChanged<u8>),
}

fn main() {
    let placed = decode_data::<OrderPlaced>(Version::new(1, 0), br#"{"id":7}"#).unwrap();
    assert_eq!(placed.id.get(), 7);
    let error = decode_data::<OrderPlaced>(Version::new(1, 0), br#"{"id":0}"#).unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Malformed);
    assert!(error.to_string().contains("OrderPlacedV2"), "{error}");
    let changed = decode_data::<OrderChanged<u8>>(Version::new(1, 9), br#"{"to":5}"#).unwrap();
    assert_eq!(changed.to, [5]);
    assert_eq!(OrderEvents::MEMBERS.len(), 2);
}
