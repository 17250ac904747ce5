//! Generic structs are events, with bounds, defaults and constants.

use std::collections::BTreeMap;

use event_sdk::Event;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house")]
struct ValueChanged<T, U = u64> {
    from: T,
    to: U,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house")]
#[serde(bound = "")]
struct RoomChanged<T: Serialize + DeserializeOwned + Send + Sync + 'static> {
    to: T,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house")]
struct RoomSorted<T>
where
    T: Ord + Clone,
{
    rooms: Vec<T>,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house")]
struct RoomNamed
where
    String: Clone,
{
    name: String,
    /// Written as nothing, whatever it names.
    marker: std::marker::PhantomData<Option<()>>,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house")]
struct RoomCounted<const N: usize> {
    rooms: Vec<u8>,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "house")]
#[serde(bound = "")]
struct RoomMarked<T: Send + Sync + 'static> {
    #[serde(skip)]
    mark: std::marker::PhantomData<T>,
}

struct NoData;

fn subject<E: Event>() -> &'static str {
    E::SPEC.subject()
}

fn main() {
    assert_eq!(subject::<ValueChanged<String>>(), "house.value.changed");
    assert_eq!(subject::<ValueChanged<String, BTreeMap<u8, u8>>>(), "house.value.changed");
    assert_eq!(subject::<RoomChanged<u8>>(), "house.room.changed");
    assert_eq!(subject::<RoomSorted<u8>>(), "house.room.sorted");
    assert_eq!(subject::<RoomNamed>(), "house.room.named");
    assert_eq!(subject::<RoomCounted<3>>(), "house.room.counted");
    assert_eq!(subject::<RoomMarked<NoData>>(), "house.room.marked");
}
